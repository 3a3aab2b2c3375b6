"""One photo or file in a card over the work: look closely, fetch it when it is not here, save a copy, remove it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QImageReader, QPixmap
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.domain.attachments import AttachmentState, is_picture
from app.store.queries.attachments import AttachedFile
from ui.bridge.desk import Desk
from ui.bridge.photos import Photos
from ui.models.attachment_words import elsewhere, icon_of, size_words
from ui.models.wording import moment, percent
from ui.theme import current_theme
from ui.widgets.buttons import ActionButton, IconButton
from ui.widgets.dialog_card import DialogCard
from ui.widgets.picture_view import PictureView
from ui.widgets.themed import ElidedLabel, RoleLabel

_LOOK_MS = 500
_MOST_SMALL = 1000  # pixels; ours have 320


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
        self._photos = Photos(desk)
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
        if self._photos.is_here(self.file.sha256):
            self._look.stop()
            self.view.show_words("Opening…", thumbnail_of(self.file))
            self._photos.open(self.file.sha256, self.file.mime, self._show, self._failed, owner=self)
            return
        self.view.show_words(self._why_not(), thumbnail_of(self.file))
        self._look.start()

    def _why_not(self) -> str:
        """Ask for the bytes where they can be had, and say how far that is."""
        if self.file.state is AttachmentState.ELSEWHERE:
            return elsewhere(self.file)
        if self.file.state is AttachmentState.LOST:
            return "The file is missing on this computer; a backup may have it."
        if not self._asked:
            self._asked = self._photos.fetch(self.file.sha256, self._fetch_failed, owner=self)
            if not self._asked:
                return "The file is on the server; it can be fetched when this station is connected."
        transfer = self._photos.transfer(self.file.sha256)
        if transfer is not None and transfer.problem:
            return transfer.problem
        if transfer is not None and transfer.total:
            return f"Fetching from the server… {percent(transfer.done / transfer.total)}"
        return "Fetching from the server…"

    def _fetch_failed(self, _sentence: str) -> None:
        self._asked = False  # the next look asks again

    def _failed(self, sentence: str) -> None:
        self.view.show_words(sentence, thumbnail_of(self.file))
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

    def _on_zoom(self, zoom: float) -> None:
        self.zoom.setText(percent(zoom) if self.view.has_picture else "")

    # -- what is done

    def choose_copy(self) -> None:
        """Ask where the copy goes."""
        save_dialog(self, self.file.name, self.save_copy)

    def save_copy(self, target: str) -> None:
        """Write a copy of the bytes, verified, to `target`."""
        self._photos.copy_out(self.file.sha256, Path(target), self.words.set_text, owner=self)

    def _remove(self) -> None:
        self.remove_requested.emit(self.file.id)


def save_dialog(parent: QWidget, name: str, chosen: Callable[[str], None]) -> None:
    """Ask for a place without blocking anything."""
    dialog = QFileDialog(parent, f"Save a copy of {name}", name)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.fileSelected.connect(chosen)
    dialog.show()


def thumbnail_of(file: AttachedFile) -> QPixmap:
    """The small picture, empty where there is none; what claims to be far larger is not unpacked."""
    if not file.thumbnail:
        return QPixmap()
    data = QByteArray(file.thumbnail)
    buffer = QBuffer(data)
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(b"jpeg"))
    size = reader.size()
    if max(size.width(), size.height()) > _MOST_SMALL:
        return QPixmap()
    return QPixmap.fromImageReader(reader)
