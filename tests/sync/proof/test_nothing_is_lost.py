"""Three stations, a real server and every fault that has a name: nothing is lost, nothing done twice, and all agree."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.sync.proof.ground import proving_ground
from tests.sync.proof.machine import Sharing

EXAMPLES = int(os.environ.get("LINESIDE_PROOF_EXAMPLES", "0"))
IN_THE_SUITE = settings(
    max_examples=EXAMPLES or 5,
    stateful_step_count=36,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    phases=(Phase.generate, Phase.shrink) if os.environ.get("LINESIDE_PROOF_SHRINK") else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(240 + 60 * EXAMPLES)
def test_whatever_fails_nothing_is_lost_and_all_agree(tmp_path: Path) -> None:
    with proving_ground(tmp_path) as ground:
        machine = type("SharingHere", (Sharing,), {"ground": ground})
        try:
            run_state_machine_as_test(machine, settings=IN_THE_SUITE)
        finally:
            if EXAMPLES:
                sys.stderr.write(f"\n{dict(sorted(ground.tally.items()))}\n")
        assert ground.tally["changes"] > 50, "hardly anything was done"
