"""What the server grants, and what a station does without it: nobody ever drives or writes beside another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from tests.proxy import FaultyProxy
from tests.sync.conftest import ServerDatabase
from tests.sync.machines.shop_floor import FEED, WELDER, Floor, until

if TYPE_CHECKING:
    import psycopg


class Desk:
    """One station's login, asking by hand."""

    def __init__(self, server: ServerDatabase, name: str) -> None:
        from app.sync.server.address import connect

        server.add_station(name)
        self.db: psycopg.Connection[Any] = connect(server.station_url(name))

    def ask(self, statement: str, *parameters: object) -> Any:
        row = self.db.execute(f"SELECT {statement}", parameters).fetchone()
        assert row is not None
        return row[0]

    def take(self, machine: UUID, order: UUID | None = None, answered: bool = False) -> tuple[bool, str]:
        told = self.ask("sync.take_lease(%s, %s, %s)", machine, order, answered)
        return told["granted"], told["why"]

    def keep(self, *machines: UUID) -> Any:
        return self.ask("sync.keep_leases(%s::uuid[])", list(machines))


@pytest.fixture
def desks(server: ServerDatabase) -> Any:
    """Stations 01 and 02."""
    made = Desk(server, "01"), Desk(server, "02")
    yield made
    for desk in made:
        desk.db.close()


def terms(server: ServerDatabase, silence: str) -> None:
    with server.connect() as db:
        db.execute("UPDATE sync.lease_terms SET silence = %s::interval", (silence,))


def machine(server: ServerDatabase, takeover: str = "auto", station: str = "") -> UUID:
    id = uuid4()
    with server.connect() as db:
        db.execute(
            "INSERT INTO lineside.connection (id, name, driver, url, settings) VALUES (%s, %s, 'opcua', 'x',"
            " jsonb_build_object('takeover', %s::text, 'station', %s::text))",
            (id, str(id), takeover, station),
        )
    return id


def test_a_free_machine_is_granted_once_and_every_new_holder_has_a_higher_epoch(
    server: ServerDatabase, desks: tuple[Desk, Desk]
) -> None:
    first, second = desks
    id = machine(server)
    assert first.take(id) == (True, "free")
    assert first.take(id) == (True, "own")
    assert second.take(id, answered=True) == (False, "held")
    terms(server, "0 seconds")
    assert second.take(id, answered=False) == (False, "unanswered")
    assert second.take(id, answered=True) == (True, "silent")
    told = second.keep(id)
    assert [(lease["station"], lease["epoch"]) for lease in told["leases"]] == [("02", 2)]
    assert first.ask("sync.holds_lease(%s, 1)", id) == {"holds": False}
    with server.connect() as db:
        rows = db.execute(
            "SELECT epoch, station, why, ended_at IS NULL FROM sync.lease_term ORDER BY 1"
        ).fetchall()
    assert rows == [(1, "01", "free", False), (2, "02", "silent", True)]


def test_only_who_was_here_for_the_whole_silence_may_follow_a_silent_holder(
    server: ServerDatabase, desks: tuple[Desk, Desk]
) -> None:
    """After an outage of the server nobody is taken for gone, whoever comes back first."""
    first, second = desks
    id = machine(server)
    first.take(id)
    with server.connect() as db:
        db.execute("UPDATE sync.lease SET seen_at = now() - interval '1 hour'")
    assert second.take(id, answered=True) == (False, "new here")
    second.keep()
    with server.connect() as db:
        db.execute("UPDATE sync.live_station SET since = now() - interval '3 minutes' WHERE station = '02'")
    assert second.take(id, answered=True) == (True, "silent")


def test_a_machine_that_asks_or_never_changes_is_not_taken_by_itself(
    server: ServerDatabase, desks: tuple[Desk, Desk]
) -> None:
    first, second = desks
    asks, never = machine(server, "ask"), machine(server, "never")
    terms(server, "0 seconds")
    for id, why in ((asks, "ask"), (never, "never")):
        assert first.take(id) == (True, "free")
        assert second.take(id, answered=True) == (False, why)
        assert second.take(id, uuid4(), answered=True) == (False, "never" if id == never else "unordered")


def test_a_preferred_station_that_is_there_gets_its_machine(
    server: ServerDatabase, desks: tuple[Desk, Desk]
) -> None:
    first, second = desks
    id = machine(server, station="02")
    second.keep()
    assert first.take(id) == (False, "kept")
    assert second.take(id) == (True, "free")


def test_an_order_counts_once_and_only_for_the_station_it_names(
    server: ServerDatabase, desks: tuple[Desk, Desk]
) -> None:
    first, second = desks
    id, order = machine(server), uuid4()
    first.take(id)
    with server.connect() as db:
        db.execute(
            "INSERT INTO lineside.machine_takeover (id, connection_id, station, at, actor)"
            " VALUES (%s, %s, '02', now(), 'anna')",
            (order, id),
        )
    assert first.take(id, order) == (True, "own")
    assert second.take(id, order) == (True, "by hand")
    # The one before may still be sending until it says that it is not.
    assert second.ask("sync.holds_lease(%s, 2)", id)["sends_in"] > 100
    first.ask("sync.let_go(%s, 1)", id)
    assert second.ask("sync.holds_lease(%s, 2)", id)["sends_in"] == 0
    terms(server, "0 seconds")
    assert first.take(id, answered=True) == (True, "silent")
    assert second.take(id, order) == (False, "used")


def test_a_station_tells_only_of_machines_that_it_holds(
    server: ServerDatabase, desks: tuple[Desk, Desk]
) -> None:
    first, second = desks
    id = machine(server)
    first.take(id)
    values = (["M/t"], [id], [1], [1], [2.5], [None], [0], None)
    put = (
        "sync.put_live(%s::text[], %s::uuid[], %s::bigint[], %s::bigint[], %s::float8[], %s::text[], %s::bigint[],"
        " %s::jsonb)"
    )
    second.ask(put, *values)
    assert first.db.execute("SELECT name FROM sync.live").fetchall() == []
    first.ask(put, *values)
    assert second.db.execute("SELECT name, v, station FROM sync.live").fetchall() == [("M/t", 2.5, "01")]
    alarm = f'[{{"place": "{id}", "key": "M/t", "record": {{"phase": "unack"}}, "state": null}}]'
    second.ask("sync.put_alarms(%s::jsonb, '{}')", alarm)
    assert first.db.execute("SELECT key FROM sync.machine_alarm").fetchall() == []


async def test_the_cable_out_the_holder_reads_on_and_does_not_send_for_ever(floor: Floor) -> None:
    floor.server.add_station("01")
    url = floor.server.station_url("01")
    async with FaultyProxy("127.0.0.1", floor.server.postgres.port) as proxy:
        through = url.replace(f":{floor.server.postgres.port}/", f":{proxy.port}/")
        async with floor.station("01", through) as first:
            await until(lambda: first.drives)
            sent = floor.send(FEED, 700)
            await until(lambda: first.shows(700))
            await until(lambda: sent in first.answers)
            await proxy.refuse()
            await asyncio.sleep(2.2)  # the silence after which another may have taken the machine
            refused = floor.send(FEED, 900)
            await until(lambda: refused in first.answers)
            assert "the server is not reached" in first.answers[refused].sentence
            assert first.drives
            assert first.shows(700)
            async with floor.station("02") as second:
                # It was not here while the holder was silent; two seconds later it takes the machine.
                await until(lambda: second.drives, 30)
                assert floor.lease() == ("02", 2)
                assert first.drives, "it cannot know"
                await proxy.heal()
                await until(lambda: not first.drives, 30)
                await until(lambda: first.links.get(WELDER) and first.links[WELDER].station == "02")
                floor.send(FEED, 1200)
                await until(lambda: second.shows(1200), 30)
                await until(lambda: first.shows(1200), 30)


async def test_without_the_server_a_restarted_station_keeps_what_it_held_and_takes_nothing(
    floor: Floor,
) -> None:
    floor.silence(3600)
    async with floor.station("01") as first:
        await until(lambda: first.drives)
        async with floor.station("02") as second:
            await until(lambda: WELDER in second.links and second.links[WELDER].station == "01")
    nowhere = floor.server.station_url("01").replace(f":{floor.server.postgres.port}/", ":1/")
    async with floor.station("01", nowhere) as first:
        await until(lambda: first.drives)
        sent = floor.send(FEED, 700)
        await until(lambda: sent in first.answers)
        assert "the server is not reached" in first.answers[sent].sentence
    async with floor.station("02", nowhere) as second:
        await until(lambda: WELDER in second.links and not second.links[WELDER].heard)
        assert "The server is not reached; station 01" in second.links[WELDER].sentence
        assert not second.drives
        assert len(second.collector.links) == 0


async def test_a_person_takes_a_machine_over_and_the_holder_stops_at_once(floor: Floor) -> None:
    floor.silence(3600)
    async with floor.station("01") as first:
        await until(lambda: first.drives)
        async with floor.station("02") as second:
            await until(lambda: WELDER in second.links and second.links[WELDER].station == "01")
            floor.order("02")
            await until(lambda: second.drives)
            await until(lambda: len(first.collector.links) == 0)
            assert floor.lease() == ("02", 2)
            await until(floor.holder_may_send)
            sent = floor.send(FEED, 600)
            await until(lambda: sent in second.answers)
            await until(lambda: sent in first.answers)
            assert second.answers[sent].ok, second.answers[sent].sentence
