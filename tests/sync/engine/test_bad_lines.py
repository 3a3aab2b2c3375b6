"""Lines that break in the middle, swallow or stall, and clocks that are wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.domain.errors import LinesideError, WorldFault
from app.operations.notes import write_note
from app.sync.clock_offset import clock_of, measured_offset
from tests.proxy import FaultyProxy
from tests.sync.harness import START, SyncedStation, World


class Wire:
    """A faulty proxy on a thread of its own: `do` runs what the proxy can there."""

    def __init__(self, loop: asyncio.AbstractEventLoop, proxy: FaultyProxy) -> None:
        self._loop, self.proxy = loop, proxy

    def do(self, act: Callable[[], Coroutine[Any, Any, None] | None]) -> None:
        async def run() -> None:
            waiting = act()
            if waiting is not None:
                await waiting

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)


@contextmanager
def through_a_proxy(station: SyncedStation) -> Iterator[Wire]:
    """The station reaches its server only through the proxy."""
    port = urlsplit(station.url).port
    assert port is not None
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    proxy = FaultyProxy("127.0.0.1", port)
    wire = Wire(loop, proxy)
    try:
        asyncio.run_coroutine_threadsafe(proxy.__aenter__(), loop).result(10)
        straight, station.url = station.url, station.url.replace(f":{port}/", f":{proxy.port}/")
        station.hang_up()
        yield wire
        station.hang_up()
        station.url = straight
    finally:
        asyncio.run_coroutine_threadsafe(proxy.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _until_it_breaks(station: SyncedStation) -> None:
    for _ in range(50):
        station.sync()


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_line_cut_after_any_number_of_bytes_loses_and_doubles_nothing(world: World, direction: Any) -> None:
    one, two = world.station("01"), world.station("02")
    with through_a_proxy(one) as wire:
        for count in (200, 700, 1500, 2500, 4000, 6500):
            one.do(write_note(at=START, text=f"cut after {count}"))
            two.do(write_note(at=START, text=f"of two, {count}"))
            two.sync()
            one.hang_up()
            wire.do(lambda count=count: wire.proxy.cut_after(count, direction))  # type: ignore[misc]  # a default
            with pytest.raises(LinesideError):
                _until_it_breaks(one)
            wire.do(wire.proxy.heal)
            one.sync()
    world.settle()
    world.check()
    assert len([r for r in world.log() if r["operation"] == "write_note"]) == 12


def test_a_server_that_falls_silent_is_given_up_and_met_again(world: World) -> None:
    one = world.station("01")
    with through_a_proxy(one) as wire:
        server = one.server
        server.hello()
        one.do(write_note(at=START, text="into the silence"))
        wire.do(lambda: wire.proxy.mute_after(0))
        threading.Timer(0.5, server.abort).start()
        with pytest.raises(WorldFault):
            one.sync()
        wire.do(wire.proxy.heal)
        one.hang_up()
        one.sync()
    world.settle()
    world.check()


def test_killed_backends_in_the_middle_of_work_cost_a_round(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    for index in range(5):
        one.do(write_note(at=START, text=f"{index}"))
        one.server.hello()
        world.kill_backends()
        with pytest.raises(WorldFault):
            one.sync()
        two.hang_up()
        one.sync()
    world.settle()
    world.check()


def test_a_clock_that_is_a_year_off_changes_nothing_but_what_is_said(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    world.wait(days=365)
    late = one.do(write_note(at=START, text="from next year")).result
    world.wait(days=-730)
    two.do(write_note(at=START, text="from last year"))
    world.settle()
    world.check()
    assert two.row("note", late) is not None
    offset = measured_offset(clock_of(one.server), world.clock)
    server_now = one.server.hello().now
    assert abs(timedelta(seconds=offset) - (world.now - server_now)) < timedelta(minutes=5)
