"""The history file: what its tables hold, and how an older or newer file is met."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.domain.errors import Refused, WorldFault
from app.domain.samples import Value
from app.store.history import alarm_tables, chunks, stream_marks
from app.store.history.damage import Damaged

VERSION = 3
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PAGE = 1024  # a commit touches a page or two of every tag, and the last page of a chunk is half empty
_WAL_PAGES = 4000
_OTHERS = 0o077

# Samples are clustered by tag and source time (µs since 1970, UTC). `late` is receive minus source time in µs;
# `epoch` and `n` identify a sample for forwarding: who held the machine, and the running number within that.
_TABLES = """
CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL DEFAULT 'number');
CREATE TABLE sample (
  tag INTEGER NOT NULL REFERENCES tag(id), t INTEGER NOT NULL, n INTEGER NOT NULL, epoch INTEGER NOT NULL,
  v, q INTEGER NOT NULL, late INTEGER NOT NULL, PRIMARY KEY (tag, t, n)
) WITHOUT ROWID;
CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
# What makes the tables of version n into those of version n + 1.
_UPGRADES = {1: alarm_tables.FROM_1 + chunks.TABLES, 2: stream_marks.FROM_2}


def micros(time: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (time - EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The UTC time of `micros`."""
    return EPOCH + timedelta(microseconds=microseconds)


def maybe_micros(time: datetime | None) -> int | None:
    """Microseconds since 1970, or None where there is no time."""
    return None if time is None else micros(time)


def maybe_moment(microseconds: int | None) -> datetime | None:
    """The UTC time, or None where nothing is stored."""
    return None if microseconds is None else moment(microseconds)


def open_to_write(path: Path) -> sqlite3.Connection:
    """The history for its one writer; made when missing, refused when a newer Lineside wrote it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _keep_private(path)
    with told(path):
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            version = _version(db, path)
            if version == 0:  # what is chosen before the first table; an older file keeps what it has
                db.execute(f"PRAGMA page_size = {_PAGE}")
                db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
            if version < VERSION:
                db.executescript(f"BEGIN; {_statements(version)} PRAGMA user_version = {VERSION}; COMMIT;")
        except BaseException:
            db.close()
            raise
    return db


def _keep_private(path: Path) -> None:
    """The file is there for its owner only, also one that was made for all; SQLite's companions follow it."""
    try:
        if not path.exists():  # closing one that SQLite has open in this process would drop its locks
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if os.name == "posix" and each.exists() and each.stat().st_mode & _OTHERS:
                each.chmod(0o600)
    except FileNotFoundError:  # a reader took the companions away meanwhile
        return
    except OSError as error:
        raise WorldFault(f"The history file {path.name} cannot be used now: {error.strerror}.") from error


def _statements(version: int) -> str:
    """What brings a file of `version` (0: an empty one) up to date."""
    if version == 0:
        return _TABLES + chunks.TABLES + alarm_tables.TABLES + stream_marks.FROM_2
    return "\n".join(_UPGRADES[older] for older in range(version, VERSION))


def open_to_read(path: Path) -> sqlite3.Connection:
    """The history for reading only; raises Refused for a newer file and WorldFault for one that cannot be read."""
    with told(path):
        db = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=10
        )
        try:
            if 0 < _version(db, path) < VERSION:
                raise WorldFault(
                    f"{path.name} is of an older Lineside; the collector brings it up to date when it starts."
                )
            db.execute("PRAGMA query_only = 1")
        except BaseException:
            db.close()
            raise
    return db


def _version(db: sqlite3.Connection, path: Path) -> int:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise Refused(
            f"{path.name} was written by a newer Lineside (format {version}, this one knows {VERSION}): "
            "please update this program."
        )
    return version


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite says into a sentence: a broken file needs a person, anything else is tried again."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise WorldFault(f"The history file {path.name} cannot be used now: {error}.") from error
    except (sqlite3.DatabaseError, Damaged) as error:
        raise Refused(
            f"The history file {path.name} is damaged ({error}): move it away or restore it from a backup."
        ) from error


def storable(value: Value) -> object:
    """SQLite has no NaN and no integer beyond 64 bits."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    return None if value != value else value
