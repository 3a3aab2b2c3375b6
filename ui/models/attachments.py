"""The photos and files of one row: shown, taken in by button, drop and paste, opened, saved and removed."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget
from shiboken6 import isValid
from sqlalchemy.orm import Session

from app.domain.people import Permission
from app.operations.attachments import attach_file, remove_attachment
from app.store.queries.attachments import AttachedFile, attached_files
from ui.bridge.desk import EVERYTHING, Desk
from ui.bridge.photos import Photos, TakenFile
from ui.models.attachment_card import AttachmentCard, save_dialog, thumbnail_of
from ui.models.attachment_words import tile_of
from ui.widgets.attachment_strip import AttachmentStrip

_PICTURE_FILTER = "Photos (*.jpg *.jpeg *.png *.webp *.gif *.bmp);;All files (*)"
_NO_ROW = "Choose a row first."


class AttachmentPanel(QWidget):
    """The strip of one row of the table `owner`; hidden while no row is on show."""

    def __init__(self, desk: Desk, owner: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"attachments-{owner}")
        self._desk, self._owner = desk, owner
        self._row: UUID | None = None
        self._photos = Photos(desk)
        self._files: dict[UUID, AttachedFile] = {}
        self._pictures: dict[UUID, QPixmap] = {}
        self._card: AttachmentCard | None = None
        self.strip = AttachmentStrip()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.strip)
        self.strip.add_requested.connect(self.choose_files)
        self.strip.files_dropped.connect(self.take_files)
        self.strip.picture_pasted.connect(self.take_picture)
        self.strip.open_requested.connect(self.open_file)
        self.strip.save_requested.connect(self.choose_copy)
        self.strip.remove_requested.connect(self.remove)
        desk.changed.connect(self._on_changed)
        desk.actor_changed.connect(self._on_actor)
        desk.sharing.changed.connect(self._on_sharing)
        self._on_actor(desk.actor)
        self.hide()

    def show_row(self, row_id: UUID | None) -> None:
        """Show what is attached to this row; None for nothing."""
        if row_id != self._row:
            self._row = row_id
            self._files, self._pictures = {}, {}
            self._draw()
        self.setVisible(row_id is not None)
        self._read()

    @property
    def files(self) -> list[AttachedFile]:
        """What is on show, the oldest first."""
        return list(self._files.values())

    @property
    def card(self) -> AttachmentCard | None:
        """The open card, None when there is none."""
        return self._card if self._card is not None and isValid(self._card) else None

    # -- what is shown

    def _read(self) -> None:
        row_id, is_here = self._row, self._photos.is_here
        if row_id is None:
            return

        def query(session: Session) -> list[AttachedFile]:
            return attached_files(session, self._owner, row_id, is_here)

        self._desk.read(query, partial(self._take, row_id), owner=self, key="files")

    def _take(self, row_id: UUID, files: list[AttachedFile]) -> None:
        if row_id != self._row:
            return
        self._files = {file.id: file for file in files}
        for file in files:
            if file.id not in self._pictures:
                self._pictures[file.id] = thumbnail_of(file)
        card = self.card
        if card is not None and card.file.id not in self._files:
            card.close()
        self._draw()

    def _draw(self) -> None:
        now: datetime = self._desk.house.door.clock()
        tiles = [
            tile_of(file, self._pictures[file.id], self._photos.transfer(file.sha256), now)
            for file in self._files.values()
        ]
        self.strip.set_tiles(tiles)

    def _on_changed(self, entities: frozenset[str]) -> None:
        if self.isVisible() and ("attachment" in entities or entities == EVERYTHING):
            self._read()

    def _on_sharing(self, _sharing: object) -> None:
        """Transfers moved: what was fetched is here now, and the bars are longer."""
        if not self.isVisible() or not self._files:
            return
        self._draw()
        if any(self._photos.transfer(file.sha256) for file in self._files.values()):
            self._read()

    def _on_actor(self, _actor: object) -> None:
        self.strip.refuse(self._desk.denial(Permission.RAISE_ISSUES))
        card = self.card
        if card is not None:
            card.close()

    # -- coming in

    def choose_files(self) -> None:
        """Ask for photos or files without blocking anything."""
        dialog = QFileDialog(self, "Add photos or files", "", _PICTURE_FILTER)
        dialog.setObjectName("attachment-dialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self._on_chosen)
        dialog.show()

    def _on_chosen(self, names: list[str]) -> None:
        self.take_files([Path(name) for name in names])

    def take_files(self, files: list[Path]) -> None:
        """Attach these files to the row on show."""
        if self._has_row():
            for file in files:
                self._photos.take_file(file, partial(self._attach, self._row), owner=self)

    def take_picture(self, image: QImage) -> None:
        """Attach a picture that has no file, named by the moment."""
        if self._has_row():
            name = f"Picture {self._desk.house.door.clock().astimezone():%Y-%m-%d %H.%M.%S}.png"
            self._photos.take_image(name, image, partial(self._attach, self._row), owner=self)

    def _has_row(self) -> bool:
        if self._row is None:
            self._desk.refused.emit(_NO_ROW)
        return self._row is not None

    def _attach(self, row_id: UUID | None, taken: TakenFile) -> None:
        if row_id is None:
            return
        intent = attach_file(
            owner=self._owner,
            owner_id=row_id,
            name=taken.name,
            sha256=taken.sha256,
            size=taken.size,
            mime=taken.mime,
            thumbnail=taken.thumbnail,
        )
        self._desk.perform(intent, owner=self)

    # -- one file

    def open_file(self, key: UUID) -> None:
        """Show it in a card; another one that is open goes."""
        file, card = self._files.get(key), self.card
        if file is None:
            return
        if card is not None:
            if card.file.id == key:
                card.show_card()
                return
            card.close()
        self._card = AttachmentCard(self._desk, file, self)
        self._card.remove_requested.connect(self.remove)
        self._card.show_card()

    def choose_copy(self, key: UUID) -> None:
        """Ask where a copy goes; what is not here yet is opened, which fetches it."""
        file = self._files.get(key)
        if file is None:
            return
        if not self._photos.is_here(file.sha256):
            self.open_file(key)
            return
        save_dialog(self, file.name, partial(self._save_copy, file))

    def _save_copy(self, file: AttachedFile, target: str) -> None:
        self._photos.copy_out(file.sha256, Path(target), self._desk.refused.emit, owner=self)

    def remove(self, key: UUID) -> None:
        """Take it away; the undo bar brings it back."""
        self._desk.perform(remove_attachment(attachment_id=key), owner=self, done=partial(self._removed, key))

    def _removed(self, key: UUID, _outcome: Any) -> None:
        card = self.card
        if card is not None and card.file.id == key:
            card.close()
