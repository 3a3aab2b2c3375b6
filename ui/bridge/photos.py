"""The bytes of photos and files for screens: taken in, opened, copied out, fetched, and how far on their way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QBuffer, QByteArray, QObject, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from app.domain.attachments import is_picture
from app.domain.errors import LinesideError, WorldFault
from app.store.blobs import BlobFolder
from app.store.incoming_files import TakenFile, take_bytes, take_file
from app.sync.status import Transfer
from ui.bridge.desk import Desk

__all__ = ["Photos", "TakenFile", "Transfer"]

T = TypeVar("T")
_LONGEST_SIDE = 8000  # a larger picture is shown smaller: 64 megapixels take 256 MB


class Photos:
    """The folder of bytes behind a desk; whatever blocks runs on a worker thread while its owner lives."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._blobs = BlobFolder(desk.house.folder)

    def is_here(self, sha256: str) -> bool:
        return self._blobs.has(sha256)

    def take_file(self, file: Path, done: Callable[[TakenFile], None], *, owner: QObject) -> None:
        """Copy a file in; what cannot be taken in is said where refusals are said."""
        self._run(partial(take_file, self._blobs, file), done, owner)

    def take_image(
        self, name: str, image: QImage, done: Callable[[TakenFile], None], *, owner: QObject
    ) -> None:
        """Keep a picture that has no file, as PNG."""
        self._run(partial(_take_image, self._blobs, name, image), done, owner)

    def open(
        self,
        sha256: str,
        mime: str,
        done: Callable[[QImage | None], None],
        failed: Callable[[str], None],
        *,
        owner: QObject,
    ) -> None:
        """The picture the right way up, None for what is no picture; `failed` gets a sentence."""
        self._run(partial(_opened, self._blobs, sha256, mime), done, owner, failed)

    def copy_out(self, sha256: str, target: Path, told: Callable[[str], None], *, owner: QObject) -> None:
        """Write a verified copy; `told` gets the sentence that says how it went."""

        def done(_result: None) -> None:
            told(f"Saved a copy as {target}.")

        self._run(partial(_copy, self._blobs, sha256, target), done, owner, told)

    def fetch(self, sha256: str, failed: Callable[[str], None], *, owner: QObject) -> bool:
        """Have the sync process fetch these bytes; False where nobody can be asked."""
        control = self._desk.sharing.control
        if control is None:
            return False
        self._run(partial(control.fetch_file, sha256), _on_its_way, owner, failed)
        return True

    def transfer(self, sha256: str) -> Transfer | None:
        """The way of these bytes to or from the server, if they are under way."""
        status = self._desk.sharing.now.status
        moving = status.transfers if status is not None else ()
        return next((transfer for transfer in moving if transfer.sha256 == sha256), None)

    def _run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        owner: QObject,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        say = failed or self._desk.refused.emit

        def on_failed(error: BaseException) -> None:
            if isinstance(error, LinesideError):
                say(error.sentence)
            else:
                self._desk.tasks.unhandled.emit(error)

        self._desk.tasks.run(work, done, owner=owner, failed=on_failed)


def _on_its_way(_result: None) -> None:
    """The request was taken; the bytes show up in the folder."""


def _take_image(blobs: BlobFolder, name: str, image: QImage) -> TakenFile:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # PySide's stubs name this parameter differently
    return take_bytes(blobs, name, bytes(data.data()))


def _copy(blobs: BlobFolder, sha256: str, target: Path) -> None:
    blobs.read(sha256)  # raises when it is missing or damaged
    try:
        shutil.copyfile(blobs.file(sha256), target)
    except OSError as error:
        raise WorldFault(f"{target} cannot be written ({error.strerror}).") from error


def _opened(blobs: BlobFolder, sha256: str, mime: str) -> QImage | None:
    content = blobs.read(sha256)
    if not is_picture(mime):
        return None
    data = QByteArray(content)
    buffer = QBuffer(data)
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    size = reader.size()
    if max(size.width(), size.height()) > _LONGEST_SIDE:
        longest = QSize(_LONGEST_SIDE, _LONGEST_SIDE)
        reader.setScaledSize(size.scaled(longest, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()
