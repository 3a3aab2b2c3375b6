"""Consistent copies of the local data while it is in use, proof that a copy is sound, and putting one back."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import structlog

from app.domain.errors import Refused, WorldFault
from app.store import schema
from app.store.filelock import FileLock, PresenceLock
from app.store.history import FILE_NAME as HISTORY_NAME
from app.store.sessions import LOCK_NAME, PRESENCE_NAME, STORE_NAME
from app.upkeep.backup_files import copy_files, restore_files, verify_files

_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a sound backup holds."""

    file: str
    bytes: int
    schema: str
    work_orders: int
    audit_lines: int
    history_file: str = ""
    history_samples: int | None = None
    files: int = 0


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    try:
        yield connection
    finally:
        connection.close()


def create_backup(folder: Path, target: Path | None = None, *, with_history: bool = False) -> BackupReport:
    """Copy the store of `folder` to `target` (a new file in its backups folder otherwise) and check the copy.

    Photos and files that no server has go along.
    With `with_history` the samples and alarms are copied too, into a second file beside it. Others may go on writing
    meanwhile. Raises `Refused` when there is no store, `WorldFault` for a full disk.
    """
    store = folder / STORE_NAME
    if not store.exists():
        raise Refused(f"There is no data in {folder} yet, so there is nothing to back up.")
    if target is None:
        target = folder / "backups" / f"lineside-{datetime.now(UTC).strftime(_STAMP)}.sqlite"
    pairs = [(store, target)]
    if with_history and (folder / HISTORY_NAME).exists():
        pairs.insert(0, (folder / HISTORY_NAME, history_beside(target)))
    for _, new in pairs:
        if new.exists():
            raise Refused(f"{new} exists already; choose another name.")
    try:
        copy_files(folder, store, target)
        for source, new in pairs:  # the store last: once it is there, the backup is complete
            _copy(source, new)
        copy_files(folder, target, target)  # what was added while it was copied
    except (OSError, sqlite3.Error) as error:
        raise WorldFault(f"The backup to {target} failed ({error}); check the disk.") from error
    return verify_backup(target)


def _copy(source: Path, target: Path) -> None:
    """A consistent copy of a file that is in use; it appears once it is whole and sound."""
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _opened(source) as db:
            copy = sqlite3.connect(part)
            try:
                db.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
            finally:
                copy.close()
        if source.name == STORE_NAME:
            verify_backup(part)
        else:
            verify_history(part)
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise WorldFault(f"The backup to {target} failed ({error}); check the disk.") from error
    finally:
        part.unlink(missing_ok=True)


def history_beside(file: Path) -> Path:
    """The file with the samples and alarms that belongs to a backup of the store."""
    return file.with_name(f"{file.stem}.{HISTORY_NAME}")


def verify_backup(file: Path) -> BackupReport:
    """Read every page of a backup, and of the history beside it. Raises `Refused` when something is damaged."""
    with _checked(file) as connection:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        orders = connection.execute("SELECT count(*) FROM work_order WHERE NOT deleted").fetchone()[0]
        lines = connection.execute("SELECT count(*) FROM audit").fetchone()[0]
    report = BackupReport(str(file), file.stat().st_size, revision, orders, lines, files=verify_files(file))
    history = history_beside(file)
    if not history.exists():
        return report
    return replace(report, history_file=str(history), history_samples=verify_history(history))


@contextmanager
def _checked(file: Path) -> Iterator[sqlite3.Connection]:
    """A file whose pages are all sound, for a look into it."""
    if not file.exists():
        raise Refused(f"There is no file {file}.")
    try:
        with _opened(file) as connection:
            verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if verdict != "ok":
                raise Refused(f"{file} is damaged: {verdict}.")
            yield connection
    except sqlite3.Error as error:
        raise Refused(f"{file} is no sound backup of Lineside ({error}).") from error


def verify_history(file: Path) -> int:
    """Read every page and every chunk of a copied history; returns the number of samples. Raises `Refused`."""
    from app.store.history.reader import HistoryReader

    with _checked(file):
        pass
    with HistoryReader(file) as reader:
        reader.check_chunks()
        return reader.stats().samples


def restore_backup(folder: Path, file: Path) -> Path:
    """Put a sound backup in the place of the store; returns where a replaced store was kept.

    A history beside the backup takes the place of the history. A missing folder is made. Whatever happens in between,
    there is at every moment either the old store or the new one, whole. Raises `Refused` while anyone has the store
    open, `WorldFault` for an unusable disk.
    """
    report = verify_backup(file)
    if report.schema not in schema.known_revisions():
        raise Refused(f"{file} was written by a newer Lineside; install that one first.")
    kept = _unused(folder / "backups" / f"replaced-{datetime.now(UTC).strftime(_STAMP)}.sqlite")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        with _alone(folder):
            if report.history_file:
                _replace(folder / HISTORY_NAME, Path(report.history_file), history_beside(kept))
            elif (folder / HISTORY_NAME).exists():
                _count_anew(folder / HISTORY_NAME, file)
            restore_files(folder, file)
            _replace(folder / STORE_NAME, file, kept)
    except OSError as error:
        raise WorldFault(f"Restoring {file} failed ({error.strerror}); the data is as it was.") from error
    return kept


def _unused(file: Path) -> Path:
    """The name, with a number where a restore of the same second, or one that was cut off, has taken it."""
    name, number = file, 1
    while name.exists() or history_beside(name).exists():
        number += 1
        name = file.with_name(f"{file.stem}-{number}{file.suffix}")
    return name


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


def _replace(current: Path, file: Path, kept: Path) -> None:
    """Put a copy of `file` in the place of `current`, of which `kept` is left; nobody else has it open."""
    part = current.with_name(current.name + ".restoring")
    shutil.copyfile(file, part)
    part.chmod(0o600)
    with part.open("rb+") as copied:
        os.fsync(copied.fileno())
    if current.exists():
        _fold_log(current)
        try:
            os.link(current, kept)
        except OSError:  # a file system without links
            shutil.copyfile(current, kept)
        for ending in (
            "-wal",
            "-shm",
        ):  # still there when the file is damaged; the new one must not meet them
            log = current.with_name(current.name + ending)
            if log.exists():
                log.replace(kept.with_name(kept.name + ending))
    part.replace(current)


def _count_anew(history: Path, store: Path) -> None:
    """Have the collector go on after the last act and the last sent value of an older store.

    A history that stays remembers numbers that the older store gives out once more: without this what people do next
    about alarms would pass for done. Before the store is replaced: an act that is met twice does no harm.
    """
    with _opened(store) as db:
        known = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        acts, writes = (
            db.execute(f"SELECT coalesce(max(rowid), 0) FROM {table}").fetchone()[0] if table in known else 0
            for table in ("alarm_action", "machine_write")
        )
    kept = sqlite3.connect(history, isolation_level=None)
    try:
        known = {name for (name,) in kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "mark" in known:
            kept.execute("UPDATE mark SET value = min(value, ?) WHERE name = 'alarm actions'", (acts,))
        if "write_result" in known:
            kept.execute("UPDATE write_result SET number = min(number, ?)", (writes,))
    except sqlite3.DatabaseError as error:  # what is damaged is told by whoever reads it
        structlog.get_logger().warning("history not adjusted", reason=str(error))
    finally:
        kept.close()


def _fold_log(file: Path) -> None:
    """Bring what is in the write-ahead log of a file into it, so that it is one file; a damaged one stays as it is."""
    db = sqlite3.connect(file)
    try:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError:
        structlog.get_logger().warning("replaced file is damaged", file=file.name)
    finally:
        db.close()
