"""What the server does with samples: marks, parts, keeping, names, and what a station may not do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors

from app.domain.samples import Quality, Sample
from app.sync.server.readings import KeptReadings, clean_readings
from tests.sync.conftest import ServerDatabase
from tests.sync.readings.stand import START, Station, on_server, samples

DAY = timedelta(days=1)


@pytest.fixture
def station(tmp_path: Path, server: ServerDatabase) -> Station:
    return Station(tmp_path / "07", server)


def value(connection: psycopg.Connection[Any], sql: str, *values: object) -> Any:
    row = connection.execute(sql, values).fetchone()
    assert row is not None
    return row[0]


def make_tag(connection: psycopg.Connection[Any], name: str) -> UUID:
    """A tag with a connection of its own; returns the connection's id."""
    equipment, machine = uuid4(), uuid4()
    connection.execute(
        "INSERT INTO lineside.equipment (id, code, name) VALUES (%s, %s, 'A machine')", (equipment, name)
    )
    connection.execute(
        "INSERT INTO lineside.connection (id, name, driver, url) VALUES (%s, %s, 'opcua', 'opc.tcp://x')",
        (machine, name),
    )
    connection.execute(
        "INSERT INTO lineside.tag (id, name, equipment_id, connection_id, address) VALUES (%s, %s, %s, %s, 'a')",
        (uuid4(), name, equipment, machine),
    )
    return machine


def test_samples_of_a_machine_that_another_station_held_are_taken_and_marked_late(station: Station) -> None:
    with station.server.connect() as admin:
        held, free = make_tag(admin, "M/held"), make_tag(admin, "M/free")
        for machine, holder, since, until in (
            (held, "07", START - DAY, START + timedelta(minutes=1)),
            (held, "08", START + timedelta(minutes=1), START + timedelta(minutes=2)),
            (held, "07", START + timedelta(minutes=2), None),
            (free, "07", START - DAY, None),
        ):
            admin.execute(
                "INSERT INTO sync.lease_term (connection, epoch, station, granted_at, why, ended_at) "
                "VALUES (%s, (SELECT count(*) FROM sync.lease_term), %s, %s, 'free', %s)",
                (machine, holder, since, until),
            )
        times = [START + timedelta(seconds=s) for s in range(0, 180, 10)]
        station.write(
            [
                Sample(tag, at, at, 1.0, Quality.GOOD)
                for at in times
                for tag in ("M/held", "M/free", "M/unknown")
            ]
        )
        station.forward_all()
        late = admin.execute(
            'SELECT signal, min("time"), max("time"), count(*) FROM lineside.samples WHERE late GROUP BY signal'
        ).fetchall()
    assert late == [("M/held", START + timedelta(minutes=1), START + timedelta(seconds=110), 6)]
    assert len(on_server(station.server)) == 54


def test_parts_are_made_for_the_months_of_the_samples_and_lie_side_by_side(station: Station) -> None:
    with station.connect() as connection, station.server.connect() as admin:
        times = [START, START + 31 * DAY, START + DAY, START - 5000 * DAY]
        assert value(connection, "SELECT sync.make_room(%s)", times) == 2
        assert value(connection, "SELECT sync.make_room(%s)", times) == 0
        parts = admin.execute("SELECT name, since, until FROM sync.reading_part ORDER BY since").fetchall()
    assert [name for name, *_ in parts] == ["reading_2026_03_01", "reading_2026_04_01"]
    assert parts[0][2] == parts[1][1] == datetime(2026, 4, 1, tzinfo=UTC)


def test_a_large_month_is_followed_by_weeks(station: Station) -> None:
    with station.connect() as connection, station.server.connect() as admin:
        connection.execute("SELECT sync.make_room(%s)", ([START],))
        admin.execute("UPDATE pg_class SET reltuples = 2e8 WHERE relname = 'reading_2026_03_01'")
        connection.execute("SELECT sync.make_room(%s)", ([START + 31 * DAY],))
        parts = admin.execute("SELECT since, until FROM sync.reading_part ORDER BY since").fetchall()
    assert parts[1] == (datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 6, tzinfo=UTC))


def test_what_waits_in_the_rest_stays_readable_when_no_part_can_be_made_for_it(station: Station) -> None:
    station.write([Sample("M/x", START, START, 1.0, Quality.GOOD)])
    station.forward_all()
    with station.connect() as connection, station.server.connect() as admin:
        admin.execute(
            "INSERT INTO lineside.reading SELECT t + '60 days', v, n, signal, q, origin, delay, s FROM lineside.reading"
        )
        assert value(connection, "SELECT sync.make_room(%s)", [START + 60 * DAY]) == 0
        assert value(admin, "SELECT count(*) FROM lineside.samples") == 2


def test_the_server_drops_what_is_older_than_its_owner_keeps(station: Station) -> None:
    now = datetime.now(UTC)
    times = [now - DAY * days for days in (400, 200, 100, 40, 1)] + [datetime(1999, 1, 1, tzinfo=UTC)]
    station.write([Sample("M/x", at, at, 1.0, Quality.GOOD) for at in times])
    station.forward_all()
    with station.server.connect() as admin:
        assert clean_readings(station.server.url) == KeptReadings(None, None)
        assert value(admin, "SELECT count(*) FROM lineside.samples") == 6
        cleaned = clean_readings(station.server.url, 90)
        assert cleaned.dropped_until is not None
        assert (cleaned.keep_days, cleaned.dropped_until < now - 89 * DAY) == (90, True)
        assert value(admin, 'SELECT min("time") FROM lineside.samples') > now - 132 * DAY
    station.write([Sample("M/x", now, now, 1.0, Quality.GOOD)])
    station.forward_all()


def test_a_signal_that_turns_out_to_be_a_text_is_told_so(station: Station) -> None:
    with station.connect() as connection:
        first = value(connection, "SELECT sync.name_signals(%s, %s)", ["b", "a", "b"], ["number"] * 3)
        assert first == [first[0], first[1], first[0]]
        again = value(connection, "SELECT sync.name_signals(%s, %s)", ["a", "c"], ["text", "bool"])
        assert again[0] == first[1]
        kinds = connection.execute("SELECT name, kind FROM lineside.signal ORDER BY name").fetchall()
    assert kinds == [("a", "text"), ("b", "number"), ("c", "bool")]


def test_a_station_may_read_samples_but_change_none(station: Station) -> None:
    station.write(samples(20, Random(1)))
    station.forward_all()
    with station.connect() as connection:
        assert value(connection, "SELECT count(*) FROM lineside.samples") == 20
        for attack in (
            "INSERT INTO lineside.reading SELECT * FROM lineside.reading",
            "UPDATE lineside.reading SET v = 0",
            "DELETE FROM lineside.reading",
            "TRUNCATE lineside.reading",
            "DELETE FROM lineside.reading_rest",
            "UPDATE sync.stream SET last_n = 0",
            "UPDATE lineside.signal SET name = 'x'",
            "UPDATE sync.reading_terms SET keep_days = 1",
            "SELECT sync.drop_old_readings()",
            "SELECT sync._held_elsewhere('07', 1, now())",
            "DO $$ BEGIN LOCK TABLE lineside.reading IN ACCESS EXCLUSIVE MODE; END $$",
            "DROP VIEW lineside.samples",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(attack)


def test_a_station_cannot_go_on_with_the_stream_of_another(station: Station, tmp_path: Path) -> None:
    other = Station(tmp_path / "08", station.server, "08")
    stream = uuid4()
    with station.connect() as mine, other.connect() as theirs:
        mine.execute("SELECT sync.open_stream(%s, 1, 1)", (stream,))
        for sql in (
            "SELECT sync.open_stream(%s, 1, 1)",
            "SELECT sync.forward(%s, 1, 1, 1, '{1}', '{2026-01-01}', '{1}', '{0}', '{0}')",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                theirs.execute(sql, (stream,))


@pytest.mark.parametrize(
    "columns",
    [
        "'{1,1}', '{2026-01-01}', '{1}', '{0}', '{0}'",
        "'{999}', '{2026-01-01}', '{1}', '{0}', '{0}'",
        "'{1}', '{2026-01-01}', '{1}', '{0}', '{0}', '{a,b}'",
    ],
)
def test_a_batch_that_makes_no_sense_is_refused_whole(station: Station, columns: str) -> None:
    stream = uuid4()
    with station.connect() as connection:
        connection.execute("SELECT sync.name_signals('{x}', '{number}')")
        connection.execute("SELECT sync.open_stream(%s, 1, 1)", (stream,))
        with pytest.raises(errors.DatabaseError) as refused:
            connection.execute(f"SELECT sync.forward(%s, 1, 1, 1, {columns})", (stream,))
        assert refused.value.sqlstate == "SY011"
        assert value(connection, "SELECT last_n FROM sync.stream") == 0
    assert on_server(station.server) == []
