"""How photos and files are shown: the words for where their bytes are, an icon for what they are."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtGui import QPixmap

from app.domain.attachments import AttachmentState, is_picture
from app.store.queries.attachments import AttachedFile
from ui.bridge.photos import Transfer
from ui.models.wording import moment, percent
from ui.widgets.attachment_strip import Tile

_KB, _MB = 1024, 1024 * 1024


def tile_of(file: AttachedFile, picture: QPixmap, transfer: Transfer | None, now: datetime) -> Tile:
    """One file as a tile; `transfer` is its way to or from the server, if it is under way."""
    state, share = state_words(file, transfer)
    lines = [
        file.name,
        f"{size_words(file.size)} · added by {file.author}, {moment(file.at, now)}",
        _explained(file, transfer),
    ]
    return Tile(
        file.id, file.name, picture, icon_of(file.mime), state, "\n".join(x for x in lines if x), share
    )


def state_words(file: AttachedFile, transfer: Transfer | None) -> tuple[str, float | None]:
    """The state in a word or two with its sign, and how much of it is done while it moves."""
    moving = transfer is not None and not transfer.problem and transfer.done < transfer.total
    if transfer is not None and moving:
        share = transfer.done / transfer.total
        return f"{'⇅' if transfer.up else '⇣'} {percent(share)}", share
    words = {
        AttachmentState.KEPT: "",
        AttachmentState.WAITING: "⇅ waiting",
        AttachmentState.SENT: "☁ sent",
        AttachmentState.REMOTE: "☁ not here",
        AttachmentState.ELSEWHERE: f"only on {file.station}" if file.station else "not here yet",
        AttachmentState.LOST: "file is gone",
    }
    return words[file.state], None


def _explained(file: AttachedFile, transfer: Transfer | None) -> str:
    if transfer is not None and transfer.problem:
        return transfer.problem
    if file.state is AttachmentState.ELSEWHERE:
        return elsewhere(file)
    return {
        AttachmentState.WAITING: "It is on this station and goes to the server after the changes.",
        AttachmentState.REMOTE: "Open it to fetch it from the server.",
        AttachmentState.LOST: "The file is missing on this computer; a backup may have it.",
    }.get(file.state, "")


def elsewhere(file: AttachedFile) -> str:
    """Why the bytes cannot be shown yet."""
    where = f"station {file.station}" if file.station else "the station that added it"
    return f"This file is still on {where}; it comes here when that station has sent it."


def size_words(size: int) -> str:
    """A number of bytes as people read it."""
    if size >= _MB:
        return f"{size / _MB:,.1f} MB"
    return f"{max(1, round(size / _KB)):,} KB"


def icon_of(mime: str) -> str:
    """The outline of what it is."""
    if is_picture(mime):
        return "image"
    if mime == "application/pdf":
        return "file-pdf"
    kind = mime.partition("/")[0]
    return {"text": "file-text", "video": "file-video", "audio": "file-audio", "image": "image"}.get(
        kind, "file"
    )
