"""The local store as the program sees it: many readers that cannot write, and the one writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from app.domain.errors import Refused, WorldFault
from app.store import schema
from app.store.filelock import FileLock, PresenceLock

T = TypeVar("T")

STORE_NAME = "lineside.sqlite"
LOCK_NAME = "lineside.lock"
PRESENCE_NAME = "lineside.open"
_CLOSE_SECONDS = 10.0
_WRITING = "lineside.writing"
_WRITE_VERBS = ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER")


class WriteOutsideChangeError(RuntimeError):
    """A bug: something tried to write without going through `app.operations.change`."""


class Store:
    """One open `lineside.sqlite`: `reader()` for queries on any thread, `write()` for the door."""

    def __init__(self, data_dir: Path) -> None:
        """Create or upgrade the file. Raises `Refused` or `WorldFault` with a sentence; see `schema.prepare`."""
        self.path = data_dir / STORE_NAME
        backups = data_dir / "backups"
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            backups.mkdir(mode=0o700, exist_ok=True)
            self._lock = FileLock(data_dir / LOCK_NAME)
            self._presence = PresenceLock(data_dir / PRESENCE_NAME)
        except OSError as error:
            raise WorldFault(
                f"The data folder {data_dir} cannot be written ({error.strerror}); "
                "check its permissions or choose another."
            ) from error
        try:
            self._presence.share()
            with self._lock.held():
                schema.prepare(self.path, backups)
            self._writer_engine = _writer_engine(self.path)
            self._reader_engine = _reader_engine(self.path)
            with self._lock.held(), _plain_faults(self.path):
                self._writer_engine.connect().close()  # creates the -wal and -shm files that read-only connections need
        except BaseException:
            self._lock.close()
            self._presence.close()
            raise
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-writer")

    def close(self) -> None:
        """Finish the queued writes and let go of the file.

        Raises `WorldFault` when another process keeps the lock for long; the file is let go of all the same.
        """
        self._thread.shutdown(wait=True)
        try:
            self._reader_engine.dispose()
            with self._lock.held(_CLOSE_SECONDS):  # the last one to close copies the log into the file
                self._writer_engine.dispose()
        finally:
            self._writer_engine.dispose()
            self._lock.close()
            self._presence.close()

    @contextmanager
    def reader(self) -> Iterator[Session]:
        """A session on a read-only snapshot; writing through it raises."""
        with _plain_faults(self.path), Session(self._reader_engine, expire_on_commit=False) as session:
            yield session

    def submit(self, work: Callable[[Session], T]) -> Future[T]:
        """Queue `work` for the writer thread as one transaction; only `app.operations.change` calls this."""
        return self._thread.submit(self._transact, work)

    def _transact(self, work: Callable[[Session], T]) -> T:
        session = Session(self._writer_engine, expire_on_commit=False)
        with self._lock.held(), _plain_faults(self.path), session, session.begin():
            info = session.connection().info
            info[_WRITING] = True
            try:
                result = work(session)
                session.flush()
            finally:
                del info[_WRITING]
            return result

    def data_version(self) -> DataVersion:
        """A number that tells when anyone else has committed to the file."""
        return DataVersion(self.path)


class DataVersion:
    """Calling it gives a number that changes when another connection commits; use it from one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, check_same_thread=False
        )

    def __call__(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        self._connection.close()


def read_only_url(path: Path) -> URL:
    """Where an engine that only reads finds the store, whatever signs the path holds."""
    database = f"file:{quote(str(path))}"
    return URL.create("sqlite", database=database, query={"mode": "ro", "uri": "true"})


def _writer_engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,  # what people wrote does not belong into error messages and logs
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = (
            None  # the driver must not open transactions of its own; `begin` below does
        )
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=5000",
            "foreign_keys=ON",
            "cache_size=-65536",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "before_cursor_execute")
    def guard(connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip()[:7].upper().startswith(_WRITE_VERBS) and not connection.info.get(_WRITING):
            raise WriteOutsideChangeError(f"written outside a change: {statement[:80]}")

    return engine


def _reader_engine(path: Path) -> Engine:
    engine = create_engine(
        read_only_url(path),
        poolclass=QueuePool,
        pool_size=4,
        max_overflow=8,
        connect_args={"check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        for pragma in ("query_only=ON", "busy_timeout=5000", "cache_size=-65536", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


_TAKEN = {
    "work_order.number": "Another work order already has this number.",
    "maintenance_order.number": "Another maintenance order already has this number.",
    "inspection.number": "Another inspection already has this number.",
    "issue.number": "Another issue already has this number.",
    "import_run.number": "Another import already has this number.",
    "import_template.name": "Another import template already has this name.",
    "equipment.code": "Another piece of equipment already has this code.",
    "connection.name": "Another connection already has this name.",
    "tag.name": "Another tag already has this name.",
    "user_account.name_key": "Another person already has this name.",
}


def _broken_rule(reason: str) -> str:
    """What SQLite says about a broken rule, as a person would say it."""
    rule, _, what = reason.partition(" constraint failed: ")
    if rule == "UNIQUE":
        return _TAKEN.get(what, "The same entry exists already; nothing was saved.")
    if rule == "NOT NULL":
        return "Something that is needed was left empty; nothing was saved."
    return "This does not fit the data that is already there; nothing was saved."


@contextmanager
def _plain_faults(path: Path) -> Iterator[None]:
    """Say a full disk, a read-only folder or a broken rule in a sentence."""
    try:
        yield
    except IntegrityError as error:
        raise Refused(_broken_rule(str(error.orig))) from error
    except OperationalError as error:
        reason = str(error.orig)
        if "full" in reason:
            raise WorldFault("The disk is full; nothing was saved. Free some space and try again.") from error
        if "readonly" in reason or "unable to open" in reason:
            raise WorldFault(
                f"{path} cannot be written; check the folder's permissions. Nothing was saved."
            ) from error
        if "locked" in reason:
            raise WorldFault("Another program is using the data file; try again in a moment.") from error
        if "disk I/O" in reason:
            raise WorldFault("The disk reported an error; nothing was saved. Check the disk.") from error
        raise
    except DatabaseError as error:
        if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            raise Refused(schema.damaged(path)) from error
        raise
