"""Takes a file in: its bytes into the folder, its kind and its small picture, ready to be attached to a row."""

from __future__ import annotations

import base64
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from app.domain.attachments import ANY_TYPE, check_name, check_size, is_picture
from app.domain.errors import Refused
from app.store.blobs import BlobFolder
from app.store.thumbnails import look_at


@dataclass(frozen=True, slots=True)
class TakenFile:
    """What `attach_file` wants to know of a file whose bytes are in the folder; `thumbnail` is base64."""

    name: str
    sha256: str
    size: int
    mime: str
    thumbnail: str


def take_file(folder: BlobFolder, source: Path) -> TakenFile:
    """Copy `source` into the folder. Raises `Refused` for its name, kind or size, `WorldFault` for the disk."""
    name = check_name(source.name)
    try:
        blob = folder.add_file(source)
        return _described(folder, name, blob.sha256, blob.size)
    except Refused as refused:
        if refused.field != "size":
            raise
        # Whoever dropped ten of them wants to know which.
        sentence = refused.sentence[0].lower() + refused.sentence[1:]
        raise Refused(f"{name}: {sentence}", field="size") from refused


def take_bytes(folder: BlobFolder, name: str, content: bytes) -> TakenFile:
    """As `take_file` for bytes that have no file yet, such as a picture from the clipboard."""
    name = check_name(name)
    blob = folder.add(content)
    return _described(folder, name, blob.sha256, blob.size)


def _described(folder: BlobFolder, name: str, sha256: str, size: int) -> TakenFile:
    look = look_at(folder.file(sha256))
    guessed = mimetypes.guess_type(name)[0] or ANY_TYPE
    # What a file is called does not make it a picture; what Pillow cannot read is shown as a file.
    mime = look.mime or (ANY_TYPE if is_picture(guessed) else guessed)
    check_size(size, mime)
    return TakenFile(name, sha256, size, mime, base64.b64encode(look.thumbnail).decode())
