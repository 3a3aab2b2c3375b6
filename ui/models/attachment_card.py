"""One photo or file in a card over the work: look closely, fetch it when it is not here, save a copy, remove it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QImageReader, QPixmap
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.domain.attachments import AttachmentState, is_picture
from app.domain.errors import LinesideError
from app.store.blobs import BlobFolder
from app.store.queries.attachments import AttachedFile
from app.sync.status import Transfer
from ui.bridge.desk import Desk
from ui.models.attachment_words import elsewhere, icon_of, size_words
from ui.models.wording import moment, percent
from ui.theme import current_theme
from ui.widgets.buttons import ActionButton, IconButton
from ui.widgets.dialog_card import DialogCard
from ui.widgets.picture_view import PictureView
from ui.widgets.themed import ElidedLabel, RoleLabel

_LOOK_MS = 500
_LONGEST_SIDE = 8000  # a larger picture is shown smaller: 64 megapixels take 256 MB


class AttachmentCard(DialogCard):
    """Shows one file. `remove_requested` carries its id; whoever listens removes it and closes the card."""

    remove_requested = Signal(object)

    def __init__(self, desk: Desk, file: AttachedFile, parent: QWidget) -> None:
        self.view = PictureView()
        self.words = ElidedLabel("meta", "text2")
        self.zoom = RoleLabel("", "meta", "text2")
        content = QWidget()
        super().__init__(file.name, content, parent)
        self.setObjectName("attachment-card")
        self.file = file
        self._desk = desk
        self._blobs = BlobFolder(desk.house.folder)
        self._asked = False
        self._build(content)
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self._try)
        free = self.free_area().size()
        wish = QSize(1100, 820) if is_picture(file.mime) else QSize(620, 380)
        self.resize(wish.boundedTo(free - QSize(80, 60)))
        self._try()

    def _build(self, content: QWidget) -> None:
        now = self._desk.house.door.clock()
        self.words.set_text(
            f"{size_words(self.file.size)} · added by {self.file.author}, {moment(self.file.at, now)}"
        )
        smaller, larger = (
            IconButton("magnifying-glass-minus", "Smaller"),
            IconButton("magnifying-glass-plus", "Larger"),
        )
        fit = IconButton("corners-in", "Fit into the window")
        smaller.clicked.connect(self.view.zoom_out)
        larger.clicked.connect(self.view.zoom_in)
        fit.clicked.connect(self.view.fit)
        self.save_button, self.remove_button = ActionButton("Save as…"), ActionButton("Remove")
        self.save_button.clicked.connect(self.choose_copy)
        self.remove_button.clicked.connect(self._remove)
        self.save_button.refuse("The file is not here yet.")
        bar = QHBoxLayout()
        bar.setSpacing(8)
        bar.addWidget(self.words, 1)
        self._zooming = (self.zoom, smaller, fit, larger)
        for part in (*self._zooming, self.save_button, self.remove_button):
            bar.addWidget(part)
        column = QVBoxLayout(content)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(8)
        column.addWidget(self.view, 1)
        column.addLayout(bar)
        self.view.zoom_changed.connect(self._on_zoom)
        for part in self._zooming:
            part.setVisible(is_picture(self.file.mime))

    # -- the bytes

    def _try(self) -> None:
        """Show the file if it is here; else fetch it and look again."""
        if self._blobs.has(self.file.sha256):
            self._look.stop()
            self.view.show_words("Opening…", self._small())
            work = partial(_opened, self._blobs, self.file)
            self._desk.tasks.run(work, self._show, owner=self, key="open", failed=self._failed)
            return
        self.view.show_words(self._why_not(), self._small())
        self._look.start()

    def _why_not(self) -> str:
        """Ask for the bytes where they can be had, and say how far that is."""
        if self.file.state is AttachmentState.ELSEWHERE:
            return elsewhere(self.file)
        if self.file.state is AttachmentState.LOST:
            return "The file is missing on this computer; a backup may have it."
        control = self._desk.sharing.control
        if control is None:
            return "The file is on the server; it can be fetched when this station is connected."
        if not self._asked:
            self._asked = True
            fetch = partial(control.fetch_file, self.file.sha256)
            self._desk.tasks.run(fetch, _nothing, owner=self, key="fetch", failed=self._fetch_failed)
        transfer = transfer_of(self._desk, self.file.sha256)
        if transfer is not None and transfer.problem:
            return transfer.problem
        if transfer is not None and transfer.total:
            return f"Fetching from the server… {percent(transfer.done / transfer.total)}"
        return "Fetching from the server…"

    def _fetch_failed(self, error: BaseException) -> None:
        self._asked = False  # the next look asks again
        if not isinstance(error, LinesideError):
            self._desk.tasks.unhandled.emit(error)

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, LinesideError):
            self._desk.tasks.unhandled.emit(error)
            return
        self.view.show_words(error.sentence, self._small())
        self._asked = False
        self._look.start()  # damaged bytes were put aside; the server may have them

    def _show(self, image: QImage | None) -> None:
        self.save_button.refuse(None)
        if image is None or image.isNull():
            for part in self._zooming:
                part.hide()
            side = QSize(64, 64)
            icon = current_theme().icon(icon_of(self.file.mime), "text2").pixmap(side)
            self.view.show_words("Lineside cannot show this kind of file; save a copy to open it.", icon)
        else:
            self.view.show_picture(QPixmap.fromImage(image))
        self.view.setFocus()

    def _small(self) -> QPixmap:
        return thumbnail_of(self.file)

    def _on_zoom(self, zoom: float) -> None:
        self.zoom.setText(percent(zoom) if self.view.has_picture else "")

    # -- what is done

    def choose_copy(self) -> None:
        """Ask where the copy goes."""
        save_dialog(self, self.file.name, self.save_copy)

    def save_copy(self, target: str) -> None:
        """Write a copy of the bytes, verified, to `target`."""
        copy_out(self._desk, self, self.file, target, self.words.set_text)

    def _remove(self) -> None:
        self.remove_requested.emit(self.file.id)


def save_dialog(parent: QWidget, name: str, chosen: Callable[[str], None]) -> None:
    """Ask for a place without blocking anything."""
    dialog = QFileDialog(parent, f"Save a copy of {name}", name)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.fileSelected.connect(chosen)
    dialog.show()


def copy_out(
    desk: Desk, owner: QWidget, file: AttachedFile, target: str, told: Callable[[str], None]
) -> None:
    """Write a verified copy on a worker thread; `told` gets the sentence that says how it went."""

    def failed(error: BaseException) -> None:
        if isinstance(error, LinesideError):
            told(error.sentence)
        elif isinstance(error, OSError):
            told(f"{target} cannot be written ({error.strerror}).")
        else:
            desk.tasks.unhandled.emit(error)

    blobs = BlobFolder(desk.house.folder)
    work = partial(_copy, blobs, file.sha256, Path(target))
    desk.tasks.run(work, lambda _done: told(f"Saved a copy as {target}."), owner=owner, failed=failed)


def _copy(blobs: BlobFolder, sha256: str, target: Path) -> None:
    blobs.read(sha256)  # raises when it is missing or damaged
    shutil.copyfile(blobs.file(sha256), target)


def _nothing(_result: object) -> None:
    """The request is on its way; the bytes show up in the folder."""


def _opened(blobs: BlobFolder, file: AttachedFile) -> QImage | None:
    """The picture the right way up, None for what is no picture; on a worker thread."""
    content = blobs.read(file.sha256)
    if not is_picture(file.mime):
        return None
    data = QByteArray(content)
    buffer = QBuffer(data)
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    size = reader.size()
    if max(size.width(), size.height()) > _LONGEST_SIDE:
        reader.setScaledSize(size.scaled(_LONGEST_SIDE, _LONGEST_SIDE, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


def thumbnail_of(file: AttachedFile) -> QPixmap:
    picture = QPixmap()
    if file.thumbnail:
        picture.loadFromData(QByteArray(file.thumbnail), "JPEG")
    return picture


def transfer_of(desk: Desk, sha256: str) -> Transfer | None:
    """The way of these bytes to or from the server, if it is under way."""
    status = desk.sharing.now.status
    moving = status.transfers if status is not None else ()
    return next((transfer for transfer in moving if transfer.sha256 == sha256), None)
