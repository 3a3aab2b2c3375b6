"""A station may say anything about machines that it holds: the others pass over what makes no sense, and live on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

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
