"""The sync process: it notices what happens on either side, bears everything, and says how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import msgspec
import pytest

from app.domain.errors import Refused, WorldFault
from app.domain.people import Role
from app.operations.notes import write_note
from app.operations.orders import create_work_order
from app.sync.control import SyncControl
from app.sync.once import sync_once
from app.sync.service import SyncService
from app.sync.sole import sole_engine
from app.sync.status import OFFLINE, ONLINE, PAUSED, SyncStatus, read_status, write_status
from app.sync.waking import Pauses, Surroundings, Tries, hears
from app.sync.wire import ServerConnection
from tests.sync.harness import START, SyncedStation, World

QUICK = Pauses(first=0.05, longest=0.2, patient=0.2, jitter=(0.0, 0.01), rest=0.1, compare=0.1, presence=0.1)
PATIENCE = 30.0


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.01)


@contextmanager
def serving(
    station: SyncedStation,
    pauses: Pauses = QUICK,
    listen: Callable[[ServerConnection], bool] = hears,
) -> Iterator[SyncService]:
    """A service for this station on a thread; its engine must not be used meanwhile."""
    service = SyncService(
        station.folder,
        station.house.store,
        lambda: ServerConnection.open(station.url, seconds=2),
        pauses=pauses,
        server="the shop's server",
        listen=listen,
    )

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(service.run)
        try:
            yield service
        finally:
            service.stop()
            running.result(PATIENCE)


def status(station: SyncedStation) -> SyncStatus:
    return read_status(station.folder) or SyncStatus()


def test_a_change_is_shown_elsewhere_without_anybody_asking(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    with serving(one, replace(QUICK, tick=600)), serving(two, replace(QUICK, tick=600)):
        until(lambda: status(one).state == status(two).state == ONLINE, "both are on line")
        order = one.do(create_work_order(product="FRAME-M", quantity=60)).result
        until(lambda: two.row("work_order", order), "the order is shown at the other station")
        until(lambda: status(one).to_send == 0 and set(one.states()) == {"done"}, "all is confirmed")
    assert status(one).server == "the shop's server"
    assert status(one).clock_offset_s is not None
    assert status(one).address == ""
    world.settle()
    world.check()


def test_where_notifications_do_not_come_through_it_is_asked_more_often(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    with serving(one), serving(two, replace(QUICK, deaf=0.1), lambda _server: False):
        note = one.do(write_note(at=START, text="hello")).result
        until(lambda: two.row("note", note), "the note is shown at the other station")


def test_connections_that_the_server_cuts_are_made_anew(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    with serving(one), serving(two):
        until(lambda: status(one).state == ONLINE, "on line")
        world.kill_backends()
        note = one.do(write_note(at=START, text="while cut")).result
        until(lambda: two.row("note", note), "the note is shown at the other station")
    world.settle()
    world.check()


def test_offline_on_purpose_lasts_until_it_is_taken_back_also_over_a_restart(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    with serving(one):
        until(lambda: status(one).state == ONLINE, "on line")
        SyncControl(one.folder).work_offline(True)
        until(lambda: status(one).state == PAUSED, "left alone")
        note = one.do(write_note(at=START, text="alone")).result
        until(lambda: status(one).to_send == 1, "it is counted")
    with serving(one):
        until(lambda: status(one).address, "it runs again")
        assert status(one).state == PAUSED
        SyncControl(one.folder).work_offline(False)
        until(lambda: one.states() == ["done"], "it is sent")
    two.sync()
    assert two.row("note", note) is not None


def test_sync_now_cuts_a_long_pause_short(world: World) -> None:
    one = world.station("01")
    right, one.url = one.url, "postgresql://nobody@127.0.0.1:1/none?sslmode=disable"
    with serving(one, replace(QUICK, first=600, longest=600)):
        until(lambda: status(one).state == OFFLINE and status(one).last_error, "no server there")
        one.url = right
        SyncControl(one.folder).sync_now()
        until(lambda: status(one).state == ONLINE, "on line")
        assert status(one).last_error == ""


def test_one_round_by_hand_beside_the_service_says_when_it_was_in_vain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sync.once._AWAY_SECONDS", 1.0)
    one = world.station("01")
    right, one.url = one.url, "postgresql://nobody@127.0.0.1:1/none?sslmode=disable"
    with serving(one), sole_engine(one.folder):
        until(lambda: status(one).state == OFFLINE and status(one).last_error, "no server there")
        one.do(write_note(at=START, text="waits"))
        with pytest.raises(WorldFault, match="1 change waits"):
            sync_once(one.folder, one.house.store)
        one.url = right
        assert sync_once(one.folder, one.house.store).answered == 1
        SyncControl(one.folder).work_offline(True)
        until(lambda: status(one).state == PAUSED, "left alone")
        with pytest.raises(Refused, match="work offline"):
            sync_once(one.folder, one.house.store)


def test_who_looks_at_a_row_is_seen_at_other_stations(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    row = UUID(int=7)
    with serving(one), serving(two):
        until(lambda: status(one).state == status(two).state == ONLINE, "both are on line")
        SyncControl(one.folder).look_at("work_order", row, Role.ADMIN)
        until(
            lambda: (
                [(p.actor, p.station, p.id) for p in status(two).presence] == [(Role.ADMIN, "01", str(row))]
            ),
            "seen",
        )
        SyncControl(one.folder).look_at("work_order", None, Role.ADMIN)
        until(lambda: not status(two).presence, "gone")


def test_requests_need_the_key_and_make_sense(world: World) -> None:
    one = world.station("01")
    with pytest.raises(WorldFault, match="does not run"):
        SyncControl(one.folder).sync_now()
    with serving(one):
        until(lambda: status(one).address, "it runs")
        control = SyncControl(one.folder)
        with pytest.raises(Refused, match="another version"):
            control._ask("dance")
        wrong = replace_token(one)
        with pytest.raises(Refused, match="not the key"):
            wrong.sync_now()


def replace_token(station: SyncedStation) -> SyncControl:
    """A control that knows the address only."""
    elsewhere = station.folder / "elsewhere"
    elsewhere.mkdir()
    write_status(elsewhere, msgspec.structs.replace(status(station), token="guessed"))
    return SyncControl(elsewhere)


def test_one_folder_has_one_engine(world: World) -> None:
    one = world.station("01")
    with sole_engine(one.folder), pytest.raises(Refused, match="already"), sole_engine(one.folder):
        pass
    with sole_engine(one.folder):
        pass


def test_pauses_grow_up_to_their_limit_and_are_patient_where_a_person_has_to_act() -> None:
    tries = Tries(Pauses(first=1, longest=30, patient=60))
    pauses = [tries.pause(patient=False) for _ in range(12)]
    assert pauses[0] <= 1.25
    assert 22.5 <= pauses[-1] <= 37.5
    assert tries.pause(patient=True) >= 45


def test_a_sleep_of_the_computer_is_noticed_by_either_clock() -> None:
    clocks = {"ran": 0.0, "wall": 0.0}
    watch = Surroundings(30.0, lambda: clocks["ran"], lambda: clocks["wall"])
    clocks.update(ran=1.0, wall=1.0)
    assert watch.changed() == ""
    clocks.update(ran=2.0, wall=3600.0)
    assert "slept" in watch.changed()
    clocks.update(ran=200.0, wall=3800.0)
    assert "slept" in watch.changed()
    clocks.update(ran=400.0, wall=4000.0)
    watch.look_past()
    assert watch.changed() == ""
