"""Brings a local store to this program's schema: checks its health and version, backs it up, runs Alembic."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.errors import Refused, WorldFault

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations" / "local"


def known_revisions() -> list[str]:
    """The revisions that this program can run, oldest first: the numbers that open the file names."""
    return sorted(path.name.split("_", 1)[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def prepare(path: Path, backups: Path) -> None:
    """Create or upgrade the store at `path`; a file that needs an upgrade is copied to `backups` before.

    Raises `Refused` for a file that is newer than this program or is no healthy store, `WorldFault` for a disk
    or folder that cannot be written. The file is untouched in both cases.
    """
    known = known_revisions()
    present = path.exists() and path.stat().st_size > 0
    revision = _revision(path) if present else None
    if revision == known[-1]:
        return
    if revision is not None and revision not in known:
        raise Refused(
            f"The data in {path.name} was written by a newer Lineside (schema {revision}, this program knows "
            f"{known[-1]}); install the newer program. Nothing was changed."
        )
    if revision is not None:  # without a revision the file holds nothing yet
        _back_up(path, backups, revision)
    if not path.exists():
        _create_private(path)
    _upgrade(path)


def _create_private(path: Path) -> None:
    """An empty file for its owner only; SQLite gives its companions the same permissions."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise WorldFault(
            f"The data file {path} cannot be made ({error.strerror}); check the disk and its permissions."
        ) from error


def read_uri(path: Path) -> str:
    """The `file:` address under which SQLite only reads `path`, whatever signs the path holds."""
    # A first start that died while it made the file leaves a journal, which only a writer may roll back.
    unfinished = path.with_name(path.name + "-journal").exists()
    return f"{path.absolute().as_uri()}?mode={'rw' if unfinished else 'ro'}"


def _revision(path: Path) -> str | None:
    try:
        with sqlite3.connect(read_uri(path), uri=True) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            _refuse_foreign(path)
            return None
        raise WorldFault(
            f"The data file {path} cannot be opened ({error}); check the disk and its permissions."
        ) from error
    except sqlite3.DatabaseError as error:
        raise Refused(damaged(path)) from error
    finally:
        if "connection" in locals():
            connection.close()
    return str(row[0]) if row else None


def damaged(path: Path) -> str:
    """What to do about a store that SQLite cannot read."""
    return (
        f"The data file {path} is damaged; restore the newest file from the backups folder beside it. "
        "The damaged file was left as it is."
    )


def _refuse_foreign(path: Path) -> None:
    with sqlite3.connect(read_uri(path), uri=True) as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.close()
    if tables:
        raise Refused(f"{path} is a database of another program; choose another data folder.")


def _back_up(path: Path, backups: Path, revision: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = backups / f"{path.stem}-before-upgrade-from-{revision}-{stamp}.sqlite"
    source, copy = sqlite3.connect(path), sqlite3.connect(target)
    try:
        source.backup(copy)
    except sqlite3.Error as error:
        raise WorldFault(
            f"The backup before the upgrade failed ({error}); free some disk space and start again."
        ) from error
    finally:
        copy.close()
        source.close()
    return target


def _upgrade(path: Path) -> None:
    """Run the missing migrations in one transaction: a program that dies on the way leaves the file as it was."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import OperationalError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = _upgrade_engine(path)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except OperationalError as error:
        raise WorldFault(
            f"The data file {path} cannot be written ({error.orig}); check the disk and its permissions."
        ) from error
    finally:
        engine.dispose()


def _upgrade_engine(path: Path) -> Engine:
    from sqlalchemy import URL, create_engine, event

    engine = create_engine(URL.create("sqlite", database=str(path)), hide_parameters=True)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver opens no transaction before CREATE TABLE; `begin` below does.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
