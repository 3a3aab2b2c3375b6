"""Runs of the proof by number, to be repeated and made shorter: `python -m tests.sync.proof.seeds FIRST COUNT [STEPS]`.

In each run some things happen much more often than in others, and some never: what hides behind a mixture of
everything comes out. A run that fails is told by its number, and with `--shorten` cut down to the steps that it needs.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeAlias

from tests.sync.proof.__main__ import quiet, told
from tests.sync.proof.ground import Ground, proving_ground
from tests.sync.proof.machine import WEIGHTS, Sharing

Plan: TypeAlias = list[tuple[str, int]]
"""What happens, and the seed of the chance in it."""


def plan(number: int, steps: int) -> Plan:
    chance = Random(f"plan {number}")
    often = {what: weight * chance.choice([0, 0.3, 1, 1, 1, 5]) for what, weight in WEIGHTS.items()}
    often["work"] += 6
    happens = chance.choices(list(often), list(often.values()), k=steps)
    return [(what, chance.getrandbits(32)) for what in happens]


def run(ground: Ground, number: int, wanted: Sequence[tuple[str, int]]) -> Exception | None:
    """What the proof objects to in this run, None where it holds."""
    machine = type("SharingHere", (Sharing,), {"ground": ground})()
    try:
        machine.begin(number)
        for what, seed in wanted:
            machine.happens(what, Random(seed))
        machine.teardown()
    except Exception as error:  # noqa: BLE001 - whatever it is, it was found
        ground.wires.heal()
        return error
    return None


def shortened(ground: Ground, number: int, wanted: Plan) -> Plan:
    """A plan that fails too and of which no step, alone, can be left out."""
    size = max(1, len(wanted) // 2)
    while True:
        at = len(wanted) - size
        while at > -size:
            less = wanted[: max(at, 0)] + wanted[max(at, 0) + size :]
            if less and run(ground, number, less) is not None:
                wanted = less
                _say(f"  {len(wanted)} steps")
            at -= size
        if size == 1:
            return wanted
        size //= 2


def failures(numbers: Iterable[int], steps: int) -> Iterator[tuple[int, Exception]]:
    """The runs in which the proof objects to something."""
    quiet()
    with TemporaryDirectory() as folder, proving_ground(Path(folder)) as ground:
        for number in numbers:
            error = run(ground, number, plan(number, steps))
            if error is not None:
                yield number, error


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("steps", type=int, nargs="?", default=60)
    parser.add_argument("--shorten", action="store_true")
    options = parser.parse_args()
    quiet()
    began, failed = time.monotonic(), 0
    with TemporaryDirectory() as folder, proving_ground(Path(folder)) as ground:
        for number in range(options.first, options.first + options.count):
            wanted = plan(number, options.steps)
            error = run(ground, number, wanted)
            if error is None:
                _say(f"{number} holds, {time.monotonic() - began:.0f} s")
                continue
            failed += 1
            _say(f"FAILED {number}: {type(error).__name__}: {str(error)[:600]}")
            if options.shorten:
                wanted = shortened(ground, number, wanted)
                error = run(ground, number, wanted)
                _say(f"{wanted}")
            _say("".join(traceback.format_exception(error)))
        _say(told(ground, began))
    return min(failed, 1)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
