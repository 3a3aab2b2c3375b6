"""The proof for as long as one likes: `python -m tests.sync.proof EXAMPLES [STEPS]`, with counts of what was done."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.sync.proof.ground import Ground, proving_ground
from tests.sync.proof.machine import Sharing


def quiet() -> None:
    """No log lines between those of the proof."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def told(ground: Ground, began: float) -> str:
    """How often what was done and happened, a line each."""
    lines = [f"  {what}: {count}\n" for what, count in sorted(ground.tally.items())]
    return "".join(lines) + f"  seconds: {time.monotonic() - began:.0f}\n"


def main(examples: int, steps: int) -> None:
    quiet()
    long = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    began = time.monotonic()
    with TemporaryDirectory() as folder, proving_ground(Path(folder)) as ground:
        machine = type("SharingHere", (Sharing,), {"ground": ground})
        try:
            run_state_machine_as_test(machine, settings=long)
        finally:
            sys.stdout.write(told(ground, began))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60)
