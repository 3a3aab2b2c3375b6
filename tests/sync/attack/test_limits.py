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


_FORWARD = (
    "SELECT sync.forward(%s, 1, 1, %s, array_fill(%s::integer, %s), array_fill(now(), %s), array_fill(1::float8, %s),"
    " array_fill(0, %s), array_fill(0::float4, %s), array_fill(repeat('x', %s), %s))"
)


def test_names_and_texts_of_samples_have_an_end(fort: Fort) -> None:
    naming = "SELECT sync.name_signals(%s, %s)"
    with fort.connect("X7") as station:
        for names, kinds in (
            (["x"] * 100_001, ["number"] * 100_001),
            (["x", "y"], ["number"]),
            (["x" * 501], ["number"]),
            (["x"], ["k" * 21]),
            ([None], ["number"]),
            (["x"], [None]),
        ):
            with pytest.raises(psycopg.Error) as raised:
                station.execute(naming, (names, kinds))
            assert raised.value.sqlstate == "SY011", raised.value
        stream = uuid4()
        station.execute("SELECT sync.open_stream(%s, 1, 1)", (stream,))
        row = station.execute(naming, (["M/text"], ["text"])).fetchone()
        assert row is not None

        def forward(many: int, length: int) -> int:
            size = [many]
            values = (stream, many, row[0][0], size, size, size, size, size, length, size)
            found = station.execute(_FORWARD, values).fetchone()
            assert found is not None
            return int(found[0])

        for many, length in ((100_001, 1), (1, 100_001), (1_100, 100_000)):
            with pytest.raises(psycopg.Error) as raised:
                forward(many, length)
            assert raised.value.sqlstate == "SY011", raised.value
        assert forward(3, 1000) == 3


def test_the_server_keeps_so_many_signals_and_no_more(fort: Fort) -> None:
    with fort.connect("X7") as station, fort.own() as owner:
        owner.execute(
            "INSERT INTO lineside.signal (name, kind) SELECT 'many/' || n, 'number' FROM generate_series(1, 1000000) n"
        )
        try:
            with pytest.raises(psycopg.Error, match="1,000,000 signals") as raised:
                station.execute("SELECT sync.name_signals(%s, %s)", (["one more"], ["number"]))
            assert raised.value.sqlstate == "SY011"
            known = station.execute("SELECT sync.name_signals(%s, %s)", (["many/7"], ["number"])).fetchone()
            assert known is not None
        finally:
            owner.execute("DELETE FROM lineside.signal WHERE name LIKE 'many/%'")
