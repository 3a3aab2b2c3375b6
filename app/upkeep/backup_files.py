"""Photos and files in a backup: those that no server has lie in a folder beside the copied store."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from app.domain.errors import Refused
from app.store.blobs import BlobFolder


def files_beside(file: Path) -> Path:
    """The folder with the photos and files that belongs to a backup of the store."""
    return file.with_name(f"{file.stem}.files")


def copy_files(folder: Path, store: Path, target: Path) -> int:
    """Put what the rows of `store` speak of and no server has beside the backup `target`; returns how many lie there.

    Where the disk can, a file gets a second name instead of a copy: it never changes, and takes no room twice.
    """
    blobs, beside = BlobFolder(folder), files_beside(target)
    for sha256 in _unsent(store):
        source, new = blobs.file(sha256), beside / sha256
        if new.exists() or not source.exists():
            continue
        beside.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.link(source, new)
        except OSError:  # another disk, or a file system without links
            part = new.with_name(f"{sha256}.part")
            shutil.copyfile(source, part)
            part.replace(new)
    return len(list(beside.iterdir())) if beside.exists() else 0


def _unsent(store: Path) -> list[str]:
    """Also of removed rows: an undo brings them back. A store from before there were photos has none."""
    with closing(sqlite3.connect(f"file:{quote(str(store))}?mode=ro", uri=True)) as db:
        known = db.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'attachment'"
        ).fetchone()
        found = db.execute("SELECT DISTINCT sha256 FROM attachment WHERE NOT stored") if known else ()
        return [str(row[0]) for row in found]


def verify_files(file: Path) -> int:
    """Read every photo and file that belongs to a backup; returns how many. Raises `Refused` for a damaged one."""
    beside = files_beside(file)
    found = sorted(beside.iterdir()) if beside.exists() else []
    for one in found:
        with one.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != one.name:
                raise Refused(f"{one} is damaged.")
    return len(found)


def restore_files(folder: Path, file: Path) -> None:
    """Put the photos and files of a backup back; what is there already stays as it is."""
    blobs, beside = BlobFolder(folder), files_beside(file)
    for one in sorted(beside.iterdir()) if beside.exists() else []:
        if not blobs.has(one.name):
            blobs.add_file(one)
