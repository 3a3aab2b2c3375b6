"""Stations that get a new line, go and come back, sit on what others need, or have to have logged in lately."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from app.domain.errors import Refused
from app.domain.people import Actor
from app.sync.server.creation import upgrade
from app.sync.server.freshness import set_fresh_hours
from app.sync.server.patience import PatientConnection
from app.sync.server.readings import clean_readings
from app.sync.server.stations import disable_station, list_stations, remove_station
from app.sync.wire import ServerConnection
from tests.sync.counter import Counter, changed, created, entry, signed
from tests.sync.server.conftest import Office, machine


def new_machine() -> dict[str, object]:
    return created("equipment", uuid4(), code=f"E-{uuid4()}", name="x")


def test_a_new_line_for_a_station_leaves_what_people_signed_there(office: Office, manager: Actor) -> None:
    before = office.counter("07")
    body = entry(manager, new_machine())
    mac = before.mac(body, manager.user_id)
    office.server.add_station("07")
    with pytest.raises(psycopg.OperationalError):  # whoever came in by the old line is out
        before.connection.execute("SELECT 1")
    after = office.counter("07")
    assert after.key == before.key
    assert after.push(body, None, mac)["verdict"] == "applied"


@pytest.mark.parametrize("gone", [remove_station, disable_station])
def test_a_station_that_comes_back_begins_anew(office: Office, manager: Actor, gone: object) -> None:
    assert callable(gone)
    url = office.server.url
    office.server.add_station("08")
    key = office.server.station_key("08")
    found = office.owner.execute("SELECT sync._grant_secret(%s, '08', 1)", (manager.user_id,)).fetchone()
    assert found is not None
    gone(url, "08")
    assert [s.name for s in list_stations(url) if not s.disabled] == []
    office.server.add_station("08")
    again = office.counter("08")
    assert again.key != key
    body = entry(manager, new_machine())
    assert again.push(body, None, signed(bytes(found[0]), body))["verdict"] == "denied"
    assert again.push_rows(manager, new_machine())["verdict"] == "applied"


def test_who_sits_on_the_log_with_lifted_limits_is_ended_by_whoever_waits(
    office: Office, manager: Actor
) -> None:
    greedy, patient = office.counter("07"), office.counter("08")
    patient.secret(manager.user_id or uuid4())
    greedy.connection.execute("SET idle_in_transaction_session_timeout = 0")
    greedy.connection.autocommit = False
    machine(greedy, manager)
    assert patient.push_rows(manager, new_machine())["verdict"] == "applied"
    with pytest.raises(psycopg.OperationalError):
        greedy.connection.execute("SELECT 1")


def test_who_sits_on_machines_is_ended_when_another_station_comes(office: Office) -> None:
    greedy, other = office.counter("07"), office.counter("08")
    greedy.connection.execute("SET idle_in_transaction_session_timeout = 0")
    greedy.connection.autocommit = False
    greedy.connection.execute("SELECT sync.take_lease(%s, NULL, true)", (uuid4(),))
    reader = office.counter("09")
    reader.connection.execute("SET idle_in_transaction_session_timeout = '120s'")
    reader.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    reader.connection.execute("SELECT count(*) FROM lineside.work_order")
    deadline = time.monotonic() + 60
    while _lives(greedy) and time.monotonic() < deadline:
        other.connection.execute("SELECT sync.hello(1, 'x')")
        office.owner.execute("SELECT pg_sleep(0.2)")
    assert not _lives(greedy)
    assert _lives(reader)  # whoever only reads is in nobody's way


def _lives(counter: Counter) -> bool:
    pid = counter.connection.info.backend_pid
    found = counter.owner.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone()
    return found is not None


def test_stations_go_on_over_an_upgrade(office: Office, counter: Counter, manager: Actor) -> None:
    """Sessions that were there before call what the upgrade made, over tables that have other columns by then."""
    row_id = machine(counter, manager)
    with ServerConnection.open(office.server.station_url("07")) as wire:
        wire.hello()
        for table in ("sync.station", "sync.txn", "sync.source", "sync.login_grant", "lineside.equipment"):
            office.owner.execute(f"ALTER TABLE {table} ADD COLUMN later text NOT NULL DEFAULT ''")
        upgrade(office.server.url)
        wire.hello()
        answer = counter.push_rows(manager, changed("equipment", row_id, 2, name=("Lathe", "Mill")))
        assert answer["verdict"] == "applied", answer
        assert counter.push_rows(manager, new_machine())["verdict"] == "applied"
        assert wire.verify() is None


def test_an_upgrade_waits_for_what_is_under_way_and_lets_nobody_sit_on_it(
    office: Office, counter: Counter, manager: Actor
) -> None:
    counter.secret(manager.user_id or uuid4())
    counter.connection.execute("SET idle_in_transaction_session_timeout = 0")
    counter.connection.autocommit = False
    machine(counter, manager)
    upgrade(office.server.url)
    with pytest.raises(psycopg.OperationalError):
        counter.connection.execute("SELECT 1")


@pytest.mark.parametrize(
    ("table", "act"),
    [("lineside.reading_minute", lambda url: clean_readings(url, 1)), ("sync.rule", upgrade)],
)
def test_what_takes_long_on_large_tables_is_waited_for(
    office: Office, monkeypatch: pytest.MonkeyPatch, table: str, act: Callable[[str], object]
) -> None:
    """Found by dropping months of measured values: after half a minute it was given up, again and again."""
    monkeypatch.setattr(PatientConnection, "patience", 0.3)
    busy = office.server.connect()
    busy.execute("BEGIN")
    busy.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())
    with ThreadPoolExecutor(1) as keeper:
        done = keeper.submit(act, office.server.url)
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
        deadline = time.monotonic() + 60
        while not office.owner.execute(waits, (table,)).fetchone() and time.monotonic() < deadline:
            assert not done.done()
        office.owner.execute("SELECT pg_sleep(1)")
        busy.close()
        done.result(60)


def test_an_inspection_can_demand_a_login_of_today(office: Office, counter: Counter, manager: Actor) -> None:
    set_fresh_hours(office.server.url, "equipment", 12)
    office.owner.execute("UPDATE sync.login_grant SET logged_in_at = now()")
    stale = counter.push_rows(manager, new_machine())
    assert (stale["verdict"], "not older than 12 hours" in stale["reason"]["sentence"]) == ("denied", True)
    for hours, verdict in ((11, "applied"), (13, "denied")):
        office.owner.execute(
            "UPDATE sync.login_grant SET logged_in_at = now() - make_interval(hours => %s)", (hours,)
        )
        assert counter.push_rows(manager, new_machine())["verdict"] == verdict
    note = created("note", uuid4(), at="2026-04-15T12:00:00Z", text="x", written_at="2026-04-15T12:00:00Z", author=manager.name)  # fmt: skip # noqa: E501
    assert counter.push_rows(manager, note)["verdict"] == "applied"
    set_fresh_hours(office.server.url, "equipment", 0)
    assert counter.push_rows(manager, new_machine())["verdict"] == "applied"


def test_a_demand_for_a_table_that_is_none_is_refused(office: Office) -> None:
    with pytest.raises(Refused, match="shares no table"):
        set_fresh_hours(office.server.url, "nothing", 12)
