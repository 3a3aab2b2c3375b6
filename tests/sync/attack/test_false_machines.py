"""A station may say anything about machines that it holds: the others pass over what makes no sense, and live on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest

from app.domain.alarms import Kind, Phase, Urgency
from app.store.history import AlarmRecord
from app.sync.machines.alarm_states import read_news, record_of
from app.sync.machines.leases import _estate
from app.sync.machines.live_values import read
from tests.sync.attack.fort import Fort

DEEP = "[" * 3000 + "]" * 3000
_LIVE = (
    "SELECT sync.put_live(%s::text[], %s::uuid[], %s::bigint[], %s::bigint[], %s::float8[], %s::text[],"
    " %s::bigint[], %s)"
)


@contextmanager
def holder(fort: Fort) -> Iterator[tuple[psycopg.Connection[Any], UUID]]:
    """The stolen station, and a machine that it took."""
    connection = uuid4()
    with fort.connect("X7") as station, fort.own() as owner:
        station.execute("SELECT sync.take_lease(%s, NULL, true)", (connection,))
        try:
            yield station, connection
        finally:
            for table in ("lease", "live", "machine_alarm", "machine_answer", "live_station"):
                owner.execute(f"DELETE FROM sync.{table}".encode())


def tell(
    station: psycopg.Connection[Any], connection: UUID, name: str, text: str | None, at: int = 1
) -> None:
    station.execute(_LIVE, ([name], [connection], [at], [at], [1.5], [text], [0], None))


def test_values_that_make_no_sense_are_passed_over(fort: Fort) -> None:
    with holder(fort) as (station, connection), fort.connect("X8") as honest:
        for n, text in enumerate((DEEP, "not json", "[1]", '{"a": 1}', "9" * 5000)):
            tell(station, connection, f"A/{n}", text)
        for n, at in enumerate((2**63 - 1, -(2**63), 10**18)):
            tell(station, connection, f"B/{n}", None, at)
        tell(station, connection, "A/good", '"on"')
        _, values = read(honest, "X8", {})
        assert [(sample.tag, sample.value) for _, _, sample in values] == [("A/good", "on")]


@pytest.mark.parametrize("links", [DEEP, "1", "[1, {}]", '[{"connection": 7}]', '{"connection": "x"}'])
def test_links_that_make_no_sense_are_passed_over(fort: Fort, links: str) -> None:
    with holder(fort) as (station, _), fort.connect("X8") as honest:
        station.execute(_LIVE, ([], [], [], [], [], [], [], links))
        speakers, _values = read(honest, "X8", {})
        assert speakers["X7"].links == ()


def test_alarms_and_answers_that_make_no_sense_are_passed_over(fort: Fort) -> None:
    with holder(fort) as (station, connection), fort.connect("X8") as honest:
        for n, record in enumerate((DEEP, "[1]", '{"key": 5}', "1e400")):
            alarm = json.dumps([{"place": str(connection), "key": f"k{n}", "record": "@", "state": "AAAA"}])
            station.execute("SELECT sync.put_alarms(%s::jsonb, '{}')", (alarm.replace('"@"', record),))
            answer = json.dumps([{"id": str(uuid4()), "ok": "@"}])
            station.execute("SELECT sync.put_answers(%s::jsonb)", (answer.replace('"@"', record),))
        for _key, facts, state in _estate(honest, connection).alarms:
            assert record_of(facts) is None
            assert state == b"\x00" * 3
        news = read_news(honest, "X8", 0)
        assert (news.records, news.answers) == ((), ())
        assert news.rev > 0


def test_whoever_holds_one_machine_says_nothing_about_another_or_in_the_name_of_another_station(
    fort: Fort,
) -> None:
    def alarm(place: str, key: str, tag: str, kind: str) -> dict[str, object]:
        now = datetime.now(UTC)
        record = AlarmRecord(
            str(uuid4()), key, tag, Kind(kind), 1, 1, Urgency.CRITICAL, None, "full", Phase.UNACK, now
        )
        return {"place": place, "key": key, "record": msgspec.to_builtins(record), "state": None}

    with holder(fort) as (station, mine), fort.connect("X8") as honest, fort.own() as owner:
        other, machine = uuid4(), uuid4()
        for id in (mine, other):
            owner.execute(
                "INSERT INTO lineside.connection (id, name, driver, url) VALUES (%s, %s, 'opcua', 'x')",
                (id, str(id)),
            )
        owner.execute("INSERT INTO lineside.equipment (id, code, name) VALUES (%s, 'P', 'P')", (machine,))
        for name, id in (("MINE/a", mine), ("OTHER/a", other)):
            owner.execute(
                "INSERT INTO lineside.tag (id, name, equipment_id, connection_id, address)"
                " VALUES (gen_random_uuid(), %s, %s, %s, '1')",
                (name, machine, id),
            )
        told = [
            alarm(str(mine), "MINE/a", "MINE/a", "value"),
            alarm(str(mine), "OTHER/a", "OTHER/a", "value"),
            alarm("", "OTHER/a", "OTHER/a", "value"),
            alarm(str(mine), "OTHER/b", "MINE/a", "value"),
            alarm(str(mine), "system!disk@X8", "", "system"),
        ]
        station.execute("SELECT sync.put_alarms(%s::jsonb, '{}')", (json.dumps(told),))
        heard = {record.key: record.value for record in read_news(honest, "X8", 0).records}
        assert set(heard) == {"MINE/a", "system!disk@X7"}
        assert str(heard["system!disk@X7"]).startswith("Station X7")
        for table in ("tag", "connection", "equipment"):
            owner.execute(f"DELETE FROM lineside.{table}".encode())
