"""Opening a store: migrations, newer and damaged files, full and read-only disks."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.exc import IntegrityError

from app.domain.errors import LinesideError, Refused, WorldFault
from app.domain.people import THE_PLANT
from app.operations.orders import create_work_order
from app.operations.people import create_first_admin
from app.plant import House, opened_house
from app.store import schema, sessions
from app.store.filelock import FileLock, PresenceLock
from app.store.read_only import ReadOnlyStore
from app.store.sessions import Store
from app.store.tables import Base, WorkOrder

PASSWORD = "a quiet winter morning"


def test_an_empty_folder_becomes_a_store_at_the_newest_schema(data_dir: Path) -> None:
    with opened_house(data_dir):
        pass
    connection = sqlite3.connect(data_dir / "lineside.sqlite")
    version = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    connection.close()
    assert version == schema.known_revisions()[-1]


_DIES_AFTER = """
import os, signal, sys
from pathlib import Path
import alembic.command
from sqlalchemy import Engine, event
from app.store.sessions import Store

def die_after(last):
    seen = 0
    def count(*_args):
        nonlocal seen
        seen += 1
        if seen > last:
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(Engine, "after_cursor_execute", count)

for folder in map(Path, sys.argv[1:]):
    child = os.fork()
    if child == 0:
        folder.mkdir()
        die_after(int(folder.name))
        Store(folder)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, folder
"""


def test_a_first_start_that_is_killed_after_any_statement_can_be_started_again(tmp_path: Path) -> None:
    folders = [tmp_path / str(statements) for statements in (0, 1, 2, 3, 7, 20, 40)]
    root = Path(schema.__file__).parents[2]
    subprocess.run([sys.executable, "-c", _DIES_AFTER, *map(str, folders)], check=True, cwd=root)
    for folder in folders:
        assert (folder / "lineside.sqlite").exists()
        with opened_house(folder) as house:
            house.door.perform(create_work_order(product="P", quantity=1), THE_PLANT)


def test_an_upgrade_that_fails_halfway_leaves_no_table_behind(
    data_dir: Path,
) -> None:
    def stop(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "audit_refuses" in statement:
            raise KeyboardInterrupt

    event.listen(Engine, "before_cursor_execute", stop)
    try:
        with pytest.raises(KeyboardInterrupt), opened_house(data_dir):
            pass
    finally:
        event.remove(Engine, "before_cursor_execute", stop)
    connection = sqlite3.connect(data_dir / "lineside.sqlite")
    tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert tables == []
    with opened_house(data_dir):
        pass


@pytest.mark.parametrize("name", ["50% done", "what?mode=ro", "a#b", "p%20q", "Grüße & co"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    for _ in range(2):
        with opened_house(tmp_path / name) as house:
            house.door.perform(create_work_order(product="P", quantity=1), THE_PLANT)
            with house.store.reader() as session:
                assert session.execute(select(WorkOrder.product)).scalars().first() == "P"
            reading = ReadOnlyStore(tmp_path / name)
            with reading.reader() as session:
                assert session.execute(select(WorkOrder.product)).scalars().first() == "P"
            reading.close()
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == [name]
    assert (tmp_path / name / "lineside.sqlite").stat().st_size > 0


def test_a_new_folder_and_its_store_belong_to_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    store = Store(folder)
    modes = {path.name: path.stat().st_mode & 0o077 for path in [folder, *folder.iterdir()]}
    store.close()
    assert {"new", "lineside.sqlite", "lineside.sqlite-wal", "backups"} <= set(modes)
    assert set(modes.values()) == {0}


def test_closing_lets_go_of_the_store_even_while_another_process_holds_the_lock(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_CLOSE_SECONDS", 0.05)
    store = Store(data_dir)
    other = FileLock(data_dir / sessions.LOCK_NAME)
    with other.held(), pytest.raises(WorldFault, match="busy writing"):
        store.close()
    other.close()
    presence = PresenceLock(data_dir / sessions.PRESENCE_NAME)
    assert presence.alone()
    presence.close()
    assert not (data_dir / "lineside.sqlite-wal").exists()


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("UNIQUE constraint failed: work_order.number", "Another work order already has this number."),
        ("UNIQUE constraint failed: outbox.source, outbox.n", "exists already"),
        ("NOT NULL constraint failed: tag.name", "left empty"),
        ("CHECK constraint failed: quantity > 0", "does not fit"),
        ("the audit trail is append-only", "does not fit"),
    ],
)
def test_a_broken_rule_of_the_data_is_said_without_sql(data_dir: Path, reason: str, sentence: str) -> None:
    error = IntegrityError("INSERT INTO work_order", {}, sqlite3.IntegrityError(reason))
    with pytest.raises(Refused) as refused, sessions._plain_faults(data_dir):
        raise error
    assert sentence in str(refused.value)
    assert not {"constraint", "_", "INSERT"} & set(str(refused.value).split())


def test_the_migrations_make_exactly_the_tables_that_the_program_declares(data_dir: Path) -> None:
    with opened_house(data_dir) as house:
        engine = create_engine(f"sqlite:///{house.store.path}")
        with engine.connect() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
        engine.dispose()
    own = [
        entry for entry in differences if "work_order_text" not in repr(entry)
    ]  # the text index belongs to SQLite
    assert own == []


def test_a_store_of_a_newer_program_is_refused_and_left_alone(data_dir: Path) -> None:
    with opened_house(data_dir):
        pass
    connection = sqlite3.connect(data_dir / "lineside.sqlite")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = (data_dir / "lineside.sqlite").read_bytes()
    with pytest.raises(Refused, match="newer Lineside"), opened_house(data_dir):
        pass
    assert (data_dir / "lineside.sqlite").read_bytes() == before


def test_an_upgrade_keeps_a_copy_of_the_file_from_before(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_house(data_dir) as house:
        house.door.perform(create_first_admin(name="Ada", password=PASSWORD), THE_PLANT)
    upgraded: list[Path] = []
    newer = [*schema.known_revisions(), "9998"]
    monkeypatch.setattr(schema, "known_revisions", lambda: newer)
    monkeypatch.setattr(schema, "_upgrade", upgraded.append)
    schema.prepare(data_dir / "lineside.sqlite", data_dir / "backups")
    (copy,) = (data_dir / "backups").iterdir()
    connection = sqlite3.connect(copy)
    names = connection.execute("SELECT name FROM user_account").fetchall()
    connection.close()
    assert names == [("Ada",)]
    assert upgraded == [data_dir / "lineside.sqlite"]


@pytest.mark.parametrize(
    "content",
    [b"this is no database, it only sits in its place" * 50, b"SQLite format 3\x00" + b"\xff" * 5000],
)
def test_a_damaged_store_is_named_with_what_to_do_and_left_as_it_is(data_dir: Path, content: bytes) -> None:
    data_dir.mkdir(exist_ok=True)
    (data_dir / "lineside.sqlite").write_bytes(content)
    with pytest.raises(LinesideError, match=r"damaged.*backups|cannot be opened"), opened_house(data_dir):
        pass
    assert (data_dir / "lineside.sqlite").read_bytes() == content


def test_a_database_of_another_program_is_refused(data_dir: Path) -> None:
    data_dir.mkdir(exist_ok=True)
    connection = sqlite3.connect(data_dir / "lineside.sqlite")
    connection.execute("CREATE TABLE recipes (title TEXT)")
    connection.close()
    with pytest.raises(Refused, match="another program"), opened_house(data_dir):
        pass


def test_a_file_in_the_place_of_the_data_folder_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(WorldFault, match="cannot be made"), opened_house(tmp_path / "data"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; the next test covers root")
def test_a_read_only_folder_is_said_in_one_sentence(data_dir: Path) -> None:
    data_dir.mkdir(exist_ok=True)
    data_dir.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(WorldFault, match="cannot be written"), opened_house(data_dir):
            pass
    finally:
        data_dir.chmod(stat.S_IRWXU)


def _create_orders(house: House, count: int) -> None:
    for _ in range(count):
        house.door.perform(create_work_order(product="LOST", quantity=1), THE_PLANT)


def test_a_full_disk_refuses_the_change_and_loses_nothing_saved_before(data_dir: Path) -> None:
    """The limit on the size of files that a process may write stands for the full disk."""
    with opened_house(data_dir) as house:
        house.door.perform(create_work_order(product="KEPT", quantity=1), THE_PLANT)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        wal = house.store.path.with_name(house.store.path.name + "-wal")
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, hard))
        try:
            with pytest.raises(WorldFault, match=r"disk"):
                _create_orders(house, 50)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, handler)
        house.door.perform(create_work_order(product="AFTER", quantity=1), THE_PLANT)
    with opened_house(data_dir) as house, house.store.reader() as session:
        products = set(session.execute(select(WorkOrder.product)).scalars())
    assert {"KEPT", "AFTER"} <= products
