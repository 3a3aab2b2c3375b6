"""Making, upgrading and looking after a server, on every PostgreSQL that can be started here."""

from __future__ import annotations

import time

import psycopg
import pytest
from sqlalchemy import JSON, Boolean, Float, Integer, Uuid

from app.domain.errors import NotFound, Refused, WorldFault
from app.domain.people import Actor, Role
from app.store.tables import Record
from app.store.tables.base import UtcDateTime
from app.sync.server.address import ServerAddress, connect
from app.sync.server.creation import init, upgrade
from app.sync.server.rules import shared_classes
from app.sync.server.stations import add_station, disable_station, list_stations, remove_station
from app.sync.server.status import status
from app.sync.wire import ServerConnection
from tests.postgres import Postgres, free_port, running, versions
from tests.sync.conftest import ServerDatabase
from tests.sync.counter import Counter, created
from tests.sync.server.conftest import Office, machine


@pytest.mark.parametrize("version", [v for v in versions() if v != "16"])
def test_a_server_works_on_every_postgresql(version: str) -> None:
    for postgres in running(version):
        database = ServerDatabase(postgres, postgres.new_database())
        init(database.url)
        database.add_station("07")
        office = Office(database, database.connect())
        machine(office.counter("07"), office.person(Role.MANAGER))
        found = status(database.url)
        assert (found.seq, found.broken, found.revision) == (1, None, found.newest)
        assert may_end_sitters(database.url)
        office.close()


def may_end_sitters(url: str) -> bool:
    """Whether the functions of the server may end sessions of its stations."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT bool_and(pg_has_role((v.role_prefix || '_owner')::name, s.role_name, 'USAGE'))"
            " FROM sync.server v, sync.station s"
        ).fetchone()
    return found == (True,)


def _type(column: object) -> str:
    kind = getattr(column, "type", None)
    for shape, name in (
        (UtcDateTime, "timestamp with time zone"), (Uuid, "uuid"), (Boolean, "boolean"), (JSON, "jsonb"),
        (Integer, "bigint"), (Float, "double precision"),
    ):  # fmt: skip
        if isinstance(kind, shape):
            return name
    return "text"


def test_the_server_has_every_shared_table_as_the_stations_have_it(server: ServerDatabase) -> None:
    with server.connect() as connection:
        columns = connection.execute(
            "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull FROM pg_attribute a"
            " JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'lineside'::regnamespace"
            " AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
        ).fetchall()
        unique = connection.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique AND NOT indisprimary"
            " AND indrelid::regclass::text LIKE 'lineside.%'"
        ).fetchall()
        keys = connection.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text, condeferrable FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = 'lineside'::regnamespace"
        ).fetchall()
    tables = [Record.metadata.tables[shared.__tablename__] for shared in shared_classes()]
    names = {table.name for table in tables}
    assert {row for row in columns if row[0] in names} == {
        (table.name, column.name, _type(column), bool(column.nullable))
        for table in tables
        for column in table.columns
    }
    assert {f"lineside.{i.name}" for table in tables for i in table.indexes if i.unique} <= {
        row[0] for row in unique
    }
    wanted = {
        (f"lineside.{t.name}", f"lineside.{k.column.table.name}", True)
        for t in tables
        for k in t.foreign_keys
    }
    assert wanted <= set(keys)


def test_making_and_upgrading_twice_changes_nothing(
    server: ServerDatabase, office: Office, counter: Counter
) -> None:
    machine(counter, office.person(Role.MANAGER))
    steps: list[str] = []
    init(server.url, progress=steps.append)
    upgrade(server.url)
    assert steps
    found = status(server.url)
    assert (found.seq, found.broken, [s.name for s in found.stations]) == (1, None, ["07"])
    assert found.stations[0].entries == 1
    assert {"lineside.equipment", "sync.log"} <= {table.name for table in found.tables}
    machine(counter, office.person(Role.MANAGER), "E2")


def test_what_stands_against_a_server_is_said_plainly(postgres: Postgres, server: ServerDatabase) -> None:
    name = postgres.new_database()
    with postgres.connect(name) as connection:
        with pytest.raises(Refused, match="no server of Lineside"):
            upgrade(postgres.url(name))
        connection.execute("CREATE TABLE theirs (id int)")
        with pytest.raises(Refused, match="holds something already"):
            init(postgres.url(name))
        connection.execute("DROP TABLE theirs")
        with pytest.raises(Refused, match="another database uses it"):
            init(postgres.url(name), "shop")
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        with pytest.raises(Refused, match="does not own"):
            init(postgres.url(name, "guest", "guest"), "other")
        connection.execute(f'ALTER DATABASE "{name}" OWNER TO guest')
        with pytest.raises(Refused, match="may not make roles"):
            init(postgres.url(name, "guest", "guest"), "other")
        connection.execute("ALTER ROLE guest CREATEROLE")
    init(postgres.url(name, "guest", "guest"), "other")
    add_station(postgres.url(name, "guest", "guest"), "Z1")
    assert may_end_sitters(postgres.url(name, "guest", "guest"))
    disable_station(postgres.url(name, "guest", "guest"), "Z1")
    with postgres.connect(name) as connection:
        connection.execute("UPDATE sync.schema_version SET version_num = '9999'")
    with pytest.raises(Refused, match="newer Lineside"):
        upgrade(postgres.url(name))
    postgres.drop_database(name)
    with postgres.connect() as connection:
        for role in ("other_st_z1", "other_station", "other_owner", "guest"):
            connection.execute(f"DROP ROLE {role}")


def test_stations_come_and_go(office: Office, counter: Counter, manager: Actor) -> None:
    url = office.server.url
    office.server.add_station("08")
    assert [(s.name, s.disabled) for s in list_stations(url)] == [("07", False), ("08", False)]
    remove_station(url, "08")
    machine(counter, manager)
    with pytest.raises(Refused, match="has sent changes"):
        remove_station(url, "07")
    disable_station(url, "07")
    with pytest.raises(Refused, match="log in"):
        ServerConnection.open(office.server.station_url("07"))
    with pytest.raises(NotFound):
        disable_station(url, "99")
    old = office.server.station_url("07")
    office.server.add_station("07")
    with ServerConnection.open(office.server.station_url("07")) as wire:
        assert wire.hello().head_seq == 1
    with pytest.raises(Refused, match="password"):
        ServerConnection.open(old)


def test_a_bad_address_is_refused_and_a_silent_one_is_tried_again(server: ServerDatabase) -> None:
    for url in ("http://x/y", "postgresql://host", "postgresql://host:port/db"):
        with pytest.raises(Refused):
            ServerAddress(url)
    with pytest.raises(WorldFault, match="Nobody answers"):
        ServerConnection.open(f"postgresql://a:b@127.0.0.1:{free_port()}/db")
    with pytest.raises(Refused, match="no encrypted connection"):
        ServerConnection.open(server.url.replace("sslmode=disable", "sslmode=require"))
    for password in ("a long sentence", "50%"):  # psycopg's own words would hold it
        with pytest.raises(Refused, match="a blank is written %20"):
            ServerConnection.open(f"postgresql://a:{password}@127.0.0.1:{free_port()}/db")
    assert ServerAddress("postgresql://a@db.example/x").tls == "unverified"
    assert ServerAddress("postgresql://a@127.0.0.1/x").sslmode == "prefer"
    assert ServerAddress("postgresql://a@127.0.0.1:5432,db.example:5433/x").sslmode == "require"
    assert ServerAddress("postgresql://a@db.example/x?sslrootcert=ca.pem").tls == "verified"


def test_of_several_computers_the_one_that_takes_changes_is_used(server: ServerDatabase) -> None:
    port = server.postgres.port
    url = server.url.replace(f":{port}", f":{free_port()},127.0.0.1:{port}")
    address = ServerAddress(url)
    assert address.hosts == ("127.0.0.1", "127.0.0.1")
    assert address.shown.endswith(f"127.0.0.1/{server.name}")
    with connect(url) as connection:
        assert connection.info.port == port
        connection.execute("ALTER ROLE CURRENT_USER SET default_transaction_read_only = on")
    try:
        with pytest.raises(WorldFault, match="takes no changes"):
            ServerConnection.open(url)
    finally:
        with server.connect() as owner:
            owner.execute("SET default_transaction_read_only = off")
            owner.execute("ALTER ROLE CURRENT_USER RESET default_transaction_read_only")


def test_a_line_that_swallows_everything_is_given_up(office: Office, counter: Counter) -> None:
    with ServerConnection.open(office.server.station_url("07")) as wire:
        wire.session.patience = 0.3
        office.owner.execute("BEGIN; LOCK TABLE sync.log")
        began = time.monotonic()
        with pytest.raises(Exception, match="says nothing"):
            wire.session.execute("SELECT count(*) FROM sync.log")
        assert wire.closed
        assert time.monotonic() >= began + 0.3
        office.owner.execute("ROLLBACK")
        assert counter.connection.execute("SELECT 1").fetchone() == (1,)


def test_created_rows_need_no_column_with_a_default(counter: Counter, manager: Actor) -> None:
    from uuid import uuid4

    answer = counter.push_rows(
        manager, created("connection", uuid4(), name="c", driver="modbus", url="tcp://x")
    )
    assert answer["verdict"] == "applied"
