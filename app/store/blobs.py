"""The folder with the bytes of photos and files, each named by its SHA-256; a file there is whole or not there."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from app.domain.attachments import LARGEST_FILE, MEGABYTE, is_digest
from app.domain.errors import NotFound, Refused, WorldFault

FOLDER_NAME = "blobs"
_PIECE = 1 << 20
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """Bytes that lie in the folder: their SHA-256 in hex and how many there are."""

    sha256: str
    size: int


class BlobFolder:
    """The folder `blobs` of one data folder. Safe from several threads and processes: files never change."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / FOLDER_NAME

    def file(self, sha256: str) -> Path:
        """Where these bytes lie if they are here."""
        if not is_digest(sha256):
            raise ValueError(f"no SHA-256: {sha256[:80]!r}")
        return self.path / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        return self.file(sha256).exists()

    def size(self, sha256: str) -> int:
        """How many bytes of it are here, 0 for none."""
        try:
            return self.file(sha256).stat().st_size
        except FileNotFoundError:
            return 0

    def add_file(self, source: Path, *, largest: int = LARGEST_FILE) -> StoredBlob:
        """Copy a file into the folder. Raises `Refused` when it is too large or cannot be read, `WorldFault`."""
        if source.exists() and not source.is_file():  # a pipe would be waited for for ever
            raise Refused(f"{source.name} is no file but a folder or a device; add the files in it.")
        try:
            with source.open("rb") as stream:
                return self._keep(stream, largest)
        except OSError as error:
            raise Refused(f"{source.name} cannot be read ({error.strerror}).") from error

    def add(self, content: bytes) -> StoredBlob:
        """Put bytes into the folder."""
        import io

        return self._keep(io.BytesIO(content), max(LARGEST_FILE, len(content)))

    def _keep(self, stream: BinaryIO, largest: int) -> StoredBlob:
        digest, size = hashlib.sha256(), 0
        with self.draft() as (draft, out):
            while piece := stream.read(_PIECE):
                digest.update(piece)
                size += len(piece)
                if size > largest:
                    raise Refused(f"At most {largest // MEGABYTE} MB can be attached.", field="size")
                with _plain_faults(self.path):
                    out.write(piece)
            self.settle(draft, out, digest.hexdigest())
        return StoredBlob(digest.hexdigest(), size)

    @contextmanager
    def draft(self) -> Iterator[tuple[Path, BinaryIO]]:
        """A new file in the folder that is no blob yet; it is gone after the block unless it was settled."""
        with _plain_faults(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self.path / f"draft-{uuid4().hex}"
            descriptor = os.open(
                draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600
            )
        out = os.fdopen(descriptor, "wb")
        try:
            yield draft, out
        finally:
            with suppress(OSError):  # a full disk refuses once more what it refused before
                out.close()
            draft.unlink(missing_ok=True)

    @contextmanager
    def part(self, sha256: str) -> Iterator[BinaryIO]:
        """What came of a download so far, for reading and writing; it outlives the block, and a crash."""
        name = self._part(sha256)
        with _plain_faults(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with _plain_faults(self.path), os.fdopen(descriptor, "r+b") as part:
            yield part

    def settle_part(self, sha256: str, part: BinaryIO) -> None:
        """Make a complete download, which the caller verified, the blob `sha256`."""
        self.settle(self._part(sha256), part, sha256)

    def _part(self, sha256: str) -> Path:
        return self.path / f"part-{self.file(sha256).name}"

    def settle(self, draft: Path, out: BinaryIO, sha256: str) -> None:
        """Make a complete draft the blob `sha256`: on the disk first, then under its name."""
        target = self.file(sha256)
        with _plain_faults(self.path):
            out.flush()
            os.fsync(out.fileno())
            out.close()
            target.parent.mkdir(mode=0o700, exist_ok=True)
            draft.replace(target)
            _fsync_folder(target.parent)

    def read(self, sha256: str) -> bytes:
        """The bytes, verified. Raises `NotFound` when they are not here or were damaged; damaged ones go away."""
        file = self.file(sha256)
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            raise NotFound("This file is not on this station yet.") from None
        except OSError as error:
            raise WorldFault(f"{file} cannot be read ({error.strerror}).") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            self.put_aside(sha256)
            raise NotFound("This file was damaged on the disk of this station; fetch it again.")
        self.touch(sha256)
        return content

    def put_aside(self, sha256: str) -> None:
        """Take damaged bytes out of the way; they are kept, for a person may still make something of them."""
        file = self.file(sha256)
        with suppress(FileNotFoundError):  # gone altogether
            file.replace(file.with_name(f"{sha256}.damaged"))

    def is_sound(self, sha256: str) -> bool:
        """Whether the bytes are here and are what their name says."""
        digest = hashlib.sha256()
        try:
            with self.file(sha256).open("rb") as stream:
                while piece := stream.read(_PIECE):
                    digest.update(piece)
        except OSError:
            return False
        return digest.hexdigest() == sha256

    def touch(self, sha256: str) -> None:
        """Note that somebody looked at these bytes: the least looked at are the first to give way."""
        file = self.file(sha256)
        if file.exists():
            os.utime(file)

    def held(self) -> dict[str, tuple[int, float]]:
        """What is here: SHA-256 → (size in bytes, when it was last looked at, in seconds of the epoch)."""
        found: dict[str, tuple[int, float]] = {}
        for file in self.path.glob("??/*"):
            if is_digest(file.name):
                try:
                    facts = file.stat()
                except FileNotFoundError:  # another process made room meanwhile
                    continue
                found[file.name] = (facts.st_size, facts.st_mtime)
        return found

    def make_room(self, most_bytes: int, removable: Collection[str]) -> list[str]:
        """Remove the least looked at of `removable` until the folder holds at most `most_bytes`; returns them."""
        held = self.held()
        total = sum(size for size, _ in held.values())
        gone: list[str] = []
        for sha256 in sorted((s for s in removable if s in held), key=lambda s: held[s][1]):
            if total <= most_bytes:
                break
            self.remove(sha256)
            total -= held[sha256][0]
            gone.append(sha256)
        return gone

    def remove(self, sha256: str) -> None:
        self.file(sha256).unlink(missing_ok=True)

    def sweep(self, known: Collection[str], *, now: float | None = None) -> int:
        """Remove drafts and bytes that no row speaks of and that are older than a day; returns how many.

        They are what a crash between the file and its row leaves behind.
        """
        limit = (time.time() if now is None else now) - _DAY
        stray = [self.file(sha256) for sha256 in self.held() if sha256 not in known]
        stray += [*self.path.glob("draft-*"), *self.path.glob("part-*")]
        removed = 0
        for file in stray:
            if file.exists() and file.stat().st_mtime < limit:
                file.unlink(missing_ok=True)
                removed += 1
        return removed


def _fsync_folder(folder: Path) -> None:
    """Make a new name last through a power cut, where the system can (Windows does it by itself)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _plain_faults(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WorldFault(
            f"The folder {folder} cannot take the file ({error.strerror}); check disk and permissions."
        ) from error
