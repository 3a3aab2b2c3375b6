"""Whatever a line went through: soon after it works again, nothing waits any more, at any station."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from app.operations.notes import write_note
from app.sync import wire
from app.sync.waking import Pauses
from app.sync.wire import ServerConnection
from tests.proxy import Direction, FaultyProxy
from tests.sync.engine.test_service import serving
from tests.sync.harness import START
from tests.sync.proof.ground import Ground, Wires, proving_ground

REAL = bool(os.environ.get("LINESIDE_PROOF_EXAMPLES"))
SCALE = 1.0 if REAL else 0.05
"""All pauses and patiences of a station are real with the variable set, and twenty times shorter in the suite."""
PROMISED = 60.0
"""Seconds after which the oldest entry is gone once the line works again."""
ALLOWED = PROMISED if REAL else 40.0  # a busy machine is no broken promise
PATTERNS = range(12 if REAL else 4)


def scaled() -> Pauses:
    usual = Pauses()
    looks = {"look": usual.look, "slept": usual.slept, "jitter": usual.jitter}
    names = [name for name in usual.__dataclass_fields__ if name not in looks]
    return replace(usual, **{name: getattr(usual, name) * SCALE for name in names})


def _happening(proxy: FaultyProxy, wires: Wires, chance: Random) -> None:
    """One thing of all that a line may do."""
    count = int(10 ** chance.uniform(0, 4))
    direction: Direction = "up" if chance.random() < 0.5 else "down"
    acts: list[Callable[[], Coroutine[Any, Any, None] | None]] = [
        proxy.cut,
        lambda: proxy.cut_after(count, direction),
        lambda: proxy.mute_after(count, direction),
        proxy.hold,
        proxy.half_open,
        proxy.refuse,
        lambda: proxy.delay(0.3),
        lambda: proxy.throttle(2_000),
    ]
    wires.do(chance.choice(acts))


@pytest.mark.timeout(300 + 200 * REAL * len(PATTERNS))
def test_soon_after_the_line_works_again_nothing_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = ServerConnection._patience
    monkeypatch.setattr(ServerConnection, "_patience", lambda server, s: patience(server, s * SCALE))
    monkeypatch.setattr(wire, "_ANSWER_SECONDS", wire._ANSWER_SECONDS * SCALE)
    with proving_ground(tmp_path) as ground:
        for seed in PATTERNS:
            ground.fresh(seed)
            notes, seconds = _over_bad_lines(ground, Random(seed))
            sys.stderr.write(f"pattern {seed}: nothing waited after {seconds:.1f} s\n")
            assert seconds < ALLOWED
            ground.prove_rest()
            assert {note.hex for note in notes} <= ground.stations[0].rows()["note"].keys()


def _over_bad_lines(ground: Ground, chance: Random) -> tuple[list[UUID], float]:
    """Notes that were written while lines broke, and how long after the end of that the last one waited."""
    notes: list[UUID] = []
    with ExitStack() as stack:
        for station in ground.stations:
            stack.enter_context(serving(station, scaled()))
        for _ in range(chance.randint(2, 6)):
            for station in ground.stations:
                if chance.random() < 0.7:
                    _happening(ground.wires.to(station.name), ground.wires, chance)
                    notes.append(station.do(write_note(at=START, text="over a bad line")).result)
            time.sleep(chance.uniform(0.0, 10 * SCALE))
        ground.wires.heal()
        healed = time.monotonic()
        while any({"pending", "acknowledged"} & set(station.states()) for station in ground.stations):
            assert time.monotonic() - healed < ALLOWED, [(s.name, s.states()[-9:]) for s in ground.stations]
            time.sleep(0.05)
        return notes, time.monotonic() - healed
