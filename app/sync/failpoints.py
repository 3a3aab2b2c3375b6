"""The steps between which a station may die, be cut off or be restored; tests stop it at each of them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias


class Failpoint(StrEnum):
    """Named moments of a round, in their order."""

    CONNECTED = "connected"
    RECONCILE_ASKED = "reconcile_asked"
    RECONCILE_BEFORE_COMMIT = "reconcile_before_commit"
    FORK_BEFORE_COMMIT = "fork_before_commit"
    FORK_AFTER_COMMIT = "fork_after_commit"
    BASELINE_BEGUN = "baseline_begun"
    BASELINE_MID = "baseline_mid"
    BASELINE_FETCHED = "baseline_fetched"
    BASELINE_BEFORE_COMMIT = "baseline_before_commit"
    BASELINE_AFTER_COMMIT = "baseline_after_commit"
    PUSH_BEFORE = "push_before"
    PUSH_AFTER_SERVER_COMMIT = "push_after_server_commit"
    PUSH_BEFORE_LOCAL_ACK_COMMIT = "push_before_local_ack_commit"
    PUSH_AFTER_LOCAL_ACK = "push_after_local_ack"
    PULL_AFTER_FETCH = "pull_after_fetch"
    PULL_MID_APPLY = "pull_mid_apply"
    PULL_BEFORE_COMMIT = "pull_before_commit"
    PULL_AFTER_COMMIT = "pull_after_commit"
    COMPARED = "compared"


Reach: TypeAlias = Callable[[Failpoint], None]


def unhindered(_point: Failpoint) -> None:
    """What runs at every failpoint outside tests: nothing."""
