"""A value changes in a machine of one station: how soon another station shows it, and what the server does for it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from app.domain.plant import Connection, Equipment, Plant, Tag
from app.live.feed import Feed
from app.live.messages import Message, SampleBatch
from app.sync.machines import alarm_states, live_values
from app.sync.machines.exchange import HEAR_SECONDS
from app.sync.server.address import connect
from tests.bench.fast_plant import HERTZ, address
from tests.bench.figures import Figure
from tests.bench.processes import Child, running
from tests.bench.shared_server import shared_world
from tests.sync.conftest import ServerDatabase
from tests.sync.machines.shop_floor import Floor

OTHERS = 20  # stations whose windows look, beside the one that is measured
_MACHINE = "bench-plc"
_PATIENCE = 60.0
_SECONDS, _SECONDS_OF_FEW = 8, 30  # enough values to tell a percentile of
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Ages:
    """How old samples are when the window of a station hears of them, in seconds."""

    found: list[float] = field(default_factory=list)
    counts: bool = False

    def hear(self, message: Message) -> None:
        if self.counts and isinstance(message, SampleBatch):
            now = datetime.now(UTC)
            self.found += [
                (now - wire.sample().source_time) / timedelta(seconds=1) for wire in message.samples
            ]


def bench_live_shared() -> Iterator[Figure]:
    """Two collectors in this process (one processor for both), server and machine in processes of their own."""
    for signals in (1, 1000 // HERTZ):
        yield from asyncio.run(_measure(signals))


async def _measure(signals: int) -> list[Figure]:
    rate = signals * HERTZ
    async with AsyncExitStack() as stack:
        world = stack.enter_context(shared_world())
        machine = stack.enter_context(running("tests.bench.fast_plant", str(signals)))
        url = f"opc.tcp://127.0.0.1:{machine.hear()['port']}/bench"
        folder = Path(stack.enter_context(TemporaryDirectory()))
        floor = Floor(world.server, _plant(url, signals), folder)
        first = await stack.enter_async_context(floor.station("01"))
        await _until(lambda: first.collector.links.driver_of(_MACHINE) is not None)
        second = await stack.enter_async_context(floor.station("02"))
        ages = Ages()
        listening = asyncio.create_task(Feed(second.folder, ages.hear).run())
        stack.callback(listening.cancel)
        await _until(lambda: bool(second.samples))
        ages.counts = True
        seconds = _SECONDS if signals > 1 else _SECONDS_OF_FEW
        alone = await _load(machine, world.server, seconds)
        ages.counts = False
        found = np.array(ages.found)
        figures = [
            Figure(f"{rate:,} values/s → in the window of another station, p50", _ms(found, 50), "ms"),
            Figure(f"the same, p95 of {len(found):,} values heard", _ms(found, 95), "ms", 1000.0),
        ]
        if signals > 1:
            with _Lookers(world.server) as lookers:
                shared = await _load(machine, world.server, seconds)
            figures += [
                Figure(f"load of the server at {rate:,} values/s, two stations", 100 * alone, "% of a core"),
                Figure(f"  the same while {OTHERS} more look", 100 * shared, "% of a core"),
                Figure("looks of a station a second", lookers.looks / OTHERS / lookers.seconds, "1/s"),
            ]
        return figures


def _plant(url: str, signals: int) -> Plant:
    names = range(signals)
    return Plant(
        (Equipment("BENCH", "Bench", "Hall A", "press"),),
        (Connection(_MACHINE, "opcua", url),),
        tuple(Tag(f"BENCH/s{n}", "BENCH", _MACHINE, address(n), scan=1 / HERTZ) for n in names),
    )


async def _until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def _load(machine: Child, server: ServerDatabase, seconds: int) -> float:
    """Let the machine send for a while; which share of a processor PostgreSQL used meanwhile."""
    began, before = time.monotonic(), _processor_seconds(server)
    machine.say(str(seconds))
    await asyncio.to_thread(machine.hear)
    await asyncio.sleep(1.0)
    return (_processor_seconds(server) - before) / (time.monotonic() - began)


def _processor_seconds(server: ServerDatabase) -> float:
    """What all processes of PostgreSQL have used so far; none may end between two questions."""
    assert server.postgres.process is not None
    top, total = server.postgres.process.pid, 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            facts = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has ended
            continue
        if top in (int(entry.parent.name), int(facts[1])):
            total += int(facts[11]) + int(facts[12])
    return total / _TICK


class _Lookers:
    """Stations that only look, as often as one with a window does, each over a connection of its own."""

    def __init__(self, server: ServerDatabase) -> None:
        self._server, self._ends = server, False
        self.looks, self.seconds = 0, 0.0

    def __enter__(self) -> _Lookers:
        self._began = time.monotonic()
        self._pool = ThreadPoolExecutor(OTHERS)
        names = [f"L{number}" for number in range(OTHERS)]
        for name in names:
            self._server.add_station(name)
        self._done = [self._pool.submit(self._look, name) for name in names]
        return self

    def _look(self, name: str) -> int:
        looks, rev, cursors = 0, 0, dict[str, int]()
        with connect(self._server.station_url(name), program="bench") as line:
            while not self._ends:
                speakers, values = live_values.read(line, name, cursors)
                cursors |= {station: speaker.rev for station, speaker in speakers.items()}
                cursors |= {station: rev for station, rev, _ in values}
                rev = alarm_states.read_news(line, name, rev).rev
                looks += 1
                time.sleep(HEAR_SECONDS)
        return looks

    def __exit__(self, *_: object) -> None:
        self._ends = True
        self.looks = sum(done.result() for done in self._done)
        self.seconds = time.monotonic() - self._began
        self._pool.shutdown()


def _ms(seconds: np.ndarray[tuple[int], np.dtype[np.float64]], percent: float) -> float:
    return 1000 * float(np.percentile(seconds, percent))
