"""What a station may leave on the server has an end, and what others tell is not its own to change."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.sync.attack.fort import Fort

_PUT = (
    "SELECT sync.put_live(%s::text[], %s::uuid[], %s::bigint[], %s::bigint[], %s::float8[], %s::text[],"
    " %s::bigint[], NULL)"
)


def put(
    station: psycopg.Connection[object], connection: UUID, name: str, value: float, text: str = "1"
) -> None:
    station.execute(_PUT, ([name], [connection], [1], [1], [value], [text], [0]))


def test_a_value_of_another_station_is_not_overwritten(fort: Fort) -> None:
    with fort.connect("X7") as mine, fort.connect("X8") as other, fort.own() as owner:
        connections = uuid4(), uuid4()
        for station, connection in zip((mine, other), connections, strict=True):
            station.execute("SELECT sync.take_lease(%s, NULL, true)", (connection,))
        put(mine, connections[0], "PRESS/force", 7.0)
        put(other, connections[1], "PRESS/force", 666.0)
        told = owner.execute("SELECT v, station FROM sync.live WHERE name = 'PRESS/force'").fetchone()
        assert told == (7.0, "X7")
        put(mine, connections[0], "PRESS/force", 8.0)
        owner.execute("UPDATE sync.lease SET station = 'X8' WHERE connection = %s", (connections[0],))
        put(other, connections[0], "PRESS/force", 9.0)
        told = owner.execute("SELECT v, station FROM sync.live WHERE name = 'PRESS/force'").fetchone()
        assert told == (9.0, "X8")
        owner.execute("DELETE FROM sync.lease")


def test_long_values_and_names_do_not_stay(fort: Fort) -> None:
    with fort.connect("X7") as station, fort.own() as owner:
        connection = uuid4()
        station.execute("SELECT sync.take_lease(%s, NULL, true)", (connection,))
        put(station, connection, "N" * 501, 1.0)
        put(station, connection, "LONG/text", 1.0, json.dumps("x" * 200_000))
        found = owner.execute("SELECT name, s FROM sync.live WHERE connection = %s", (connection,)).fetchall()
        assert [name for name, _ in found] == ["LONG/text"]
        assert len(json.loads(found[0][1])) == 1000
        owner.execute("DELETE FROM sync.lease")


def test_presence_keeps_a_hundred_rows_at_most(fort: Fort) -> None:
    with fort.connect("X7") as station, fort.own() as owner:
        for n in range(120):
            station.execute("SELECT sync.look_at('note', %s, %s, false)", (uuid4(), f"somebody {n}"))
        kept = owner.execute("SELECT count(*) FROM sync.presence").fetchone()
        assert kept == (100,)
        owner.execute("DELETE FROM sync.presence")


def test_a_station_does_not_begin_anew_without_end(fort: Fort) -> None:
    with fort.connect("X8") as station, fort.own() as owner:
        owner.execute(
            "INSERT INTO sync.source (src, station, schema)"
            " SELECT gen_random_uuid(), 'X8', 99 FROM generate_series(1, 10000)"
        )
        try:
            with pytest.raises(psycopg.Error) as raised:
                station.execute("SELECT sync.open_source(%s, 1)", (uuid4(),))
            assert raised.value.sqlstate == "SY005"
        finally:
            owner.execute("DELETE FROM sync.source WHERE schema = 99")


def test_more_than_a_station_has_is_refused(fort: Fort) -> None:
    with fort.connect("X7") as station:
        for call, many in (
            ("SELECT sync.put_alarms(%s::jsonb, '{}')", json.dumps(["x" * 51_000_000])),
            ("SELECT sync.put_answers(%s::jsonb)", json.dumps(["x" * 5_100_000])),
        ):
            with pytest.raises(psycopg.Error) as raised:
                station.execute(call, (many,))
            assert raised.value.sqlstate == "SY011"
