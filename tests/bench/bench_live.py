"""5,000 OPC UA values a second from a real server through the collector: none lost, at which cost, how soon seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.domain.people import THE_PLANT
from app.domain.plant import Connection, Equipment, Plant, Tag
from app.operations.people import create_first_admin
from app.operations.plant import apply_plant
from app.plant import opened_house
from app.store.history import FILE_NAME, HistoryReader
from tests.bench.fast_plant import HERTZ, address
from tests.bench.figures import Figure
from tests.bench.processes import Child, running
from tests.bench.window_probe import NAME, PASSWORD

SIGNALS = 500
SECONDS = 8
_PATIENCE = 15.0


def bench_live() -> Iterator[Figure]:
    """Server, collector and window are processes of their own, as in use; the bare callback is one too."""
    with TemporaryDirectory() as name, running("tests.bench.fast_plant", str(SIGNALS)) as server:
        url = f"opc.tcp://127.0.0.1:{server.hear()['port']}/bench"
        bare = bare_load(server, url)
        folder = Path(name)
        furnish(folder, url)
        with ExitStack() as stack:
            collector = stack.enter_context(running("app", "--data-dir", name))
            until_stored(folder, SIGNALS)
            alone = _load(server, collector)
            until_stored(folder, SIGNALS + alone["sent"])
            yield from _throughput(folder, alone, bare)
            window = stack.enter_context(
                running("tests.bench.window_probe", name, environment={"LINESIDE_COLLECT_HERE": "false"})
            )
            window.hear_until("listening")
            watched = _load(server, collector)
            until_stored(folder, SIGNALS + alone["sent"] + watched["sent"])
            window.say_no_more()
            yield from _delays(window.hear_until("ticks"), watched, bare)


def furnish(folder: Path, url: str) -> None:
    """A data folder whose plant are the signals of the fast server."""
    plant = Plant(
        (Equipment("BENCH", "Bench", "Hall A", "press"),),
        (Connection("bench-plc", "opcua", url),),
        tuple(
            Tag(f"BENCH/s{number}", "BENCH", "bench-plc", address(number), scan=1 / HERTZ)
            for number in range(SIGNALS)
        ),
    )
    with opened_house(folder) as house:
        house.door.perform(create_first_admin(name=NAME, password=PASSWORD), THE_PLANT)
        house.door.perform(apply_plant(plant=plant), THE_PLANT)


def bare_load(server: Child, url: str) -> float:
    """Processor seconds a second of a subscription whose callback only counts."""
    with running("tests.bench.bare_subscriber", url, str(SIGNALS)) as bare:
        bare.hear_until("listening")
        return float(_load(server, bare)["load"])


def _load(server: Child, listener: Child) -> dict[str, Any]:
    """Let the server send for a while; what it sent, and which share of a processor the listener used for it."""
    before = listener.cpu_seconds()
    server.say(str(SECONDS))
    sent = server.hear()
    time.sleep(0.5)  # the last publication and the last commit are part of the work
    return {**sent, "load": (listener.cpu_seconds() - before) / sent["seconds"]}


def until_stored(folder: Path, samples: int) -> None:
    """Wait for the history to have so many samples; a shortage is a figure, no failure."""
    deadline = time.monotonic() + _PATIENCE
    while stored(folder) < samples and time.monotonic() < deadline:
        time.sleep(0.1)


def stored(folder: Path) -> int:
    """How many samples the history holds."""
    with HistoryReader(folder / FILE_NAME) as history:
        return sum(history.counts(datetime(2000, 1, 1, tzinfo=UTC)).values())


def _throughput(folder: Path, alone: dict[str, Any], bare: float) -> Iterator[Figure]:
    yield Figure("values sent by the OPC UA server", alone["sent"] / alone["seconds"], "1/s")
    lost = SIGNALS + alone["sent"] - stored(folder)
    yield Figure(f"of {alone['sent']:,} values not in the history", lost, "values", 0.0)
    yield Figure(
        "load of the collector: history, alarms, live stream",
        alone["load"] * 100,
        "% of a core",
        bare * 150,
        against=bare * 100,
        against_what="a bare asyncua callback",
    )


def _delays(heard: dict[str, Any], watched: dict[str, Any], bare: float) -> Iterator[Figure]:
    yield Figure(
        "  the same while a window listens",
        watched["load"] * 100,
        "% of a core",
        against=bare * 100,
        against_what="a bare asyncua callback",
    )
    yield Figure("value changes in the machine → at the collector, p95", heard["collector"] * 1000, "ms")
    yield Figure("value changes in the machine → in the window, p50", heard["median"] * 1000, "ms")
    yield Figure("value changes in the machine → in the window, p95", heard["p95"] * 1000, "ms", 300.0)
    yield Figure("ticks of the window", heard["ticks"], "1/s", 10.5)
    yield Figure("interval of 33 ms frames in that window, p95", heard["frame"] * 1000, "ms", 50.0)
