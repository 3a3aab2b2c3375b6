"""Consistent copies of the local data while it is in use, proof that a copy is sound, and putting one back."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from app.domain.errors import Refused, WorldFault
from app.store import schema
from app.store.filelock import FileLock, PresenceLock
from app.store.sessions import LOCK_NAME, PRESENCE_NAME, STORE_NAME

_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a sound backup holds."""

    file: str
    bytes: int
    schema: str
    work_orders: int
    audit_lines: int


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    try:
        yield connection
    finally:
        connection.close()


def create_backup(folder: Path, target: Path | None = None) -> BackupReport:
    """Copy the store of `folder` to `target` (a new file in its backups folder otherwise) and check the copy.

    Others may go on writing meanwhile. Raises `Refused` when there is no store, `WorldFault` for a full disk.
    """
    store = folder / STORE_NAME
    if not store.exists():
        raise Refused(f"There is no data in {folder} yet, so there is nothing to back up.")
    if target is None:
        target = folder / "backups" / f"lineside-{datetime.now(UTC).strftime(_STAMP)}.sqlite"
    if target.exists():
        raise Refused(f"{target} exists already; choose another name.")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _opened(store) as source:
            copy = sqlite3.connect(part)
            try:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
            finally:
                copy.close()
        report = verify_backup(part)
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise WorldFault(f"The backup to {target} failed ({error}); check the disk.") from error
    return BackupReport(str(target), report.bytes, report.schema, report.work_orders, report.audit_lines)


def verify_backup(file: Path) -> BackupReport:
    """Read every page of a backup. Raises `Refused` when it is damaged or no store of Lineside."""
    if not file.exists():
        raise Refused(f"There is no file {file}.")
    try:
        with _opened(file) as connection:
            verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if verdict != "ok":
                raise Refused(f"{file} is damaged: {verdict}.")
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            orders = connection.execute("SELECT count(*) FROM work_order WHERE NOT deleted").fetchone()[0]
            lines = connection.execute("SELECT count(*) FROM audit").fetchone()[0]
    except sqlite3.Error as error:
        raise Refused(f"{file} is no sound backup of Lineside ({error}).") from error
    return BackupReport(str(file), file.stat().st_size, revision, orders, lines)


def restore_backup(folder: Path, file: Path) -> Path:
    """Put a sound backup in the place of the store; returns where a replaced store was kept.

    A missing folder is made. Raises `Refused` while anyone has the store open, `WorldFault` for an unusable disk.
    """
    report = verify_backup(file)
    if report.schema not in schema.known_revisions():
        raise Refused(f"{file} was written by a newer Lineside; install that one first.")
    kept = folder / "backups" / f"replaced-{datetime.now(UTC).strftime(_STAMP)}.sqlite"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        with _alone(folder):
            _replace(folder / STORE_NAME, file, kept)
    except OSError as error:
        raise WorldFault(f"Restoring {file} failed ({error.strerror}); the data is as it was.") from error
    return kept


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep everyone else out of the store for the length of a block."""
    presence = PresenceLock(folder / PRESENCE_NAME)
    try:
        if not presence.alone():
            raise Refused(
                "Close Lineside on this computer first; its window or its collector has the data open."
            )
        lock = FileLock(folder / LOCK_NAME)
        try:
            with lock.held(timeout=2):
                yield
        finally:
            lock.close()
    finally:
        presence.close()


def _replace(store: Path, file: Path, kept: Path) -> None:
    part = store.with_name(store.name + ".restoring")
    shutil.copyfile(file, part)
    part.chmod(0o600)
    for path in (store, store.with_name(store.name + "-wal"), store.with_name(store.name + "-shm")):
        if path.exists():
            path.replace(kept.with_name(kept.name + path.name.removeprefix(store.name)))
    part.replace(store)
