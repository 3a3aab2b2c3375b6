"""What a benchmark reports: a measured figure, the goal it should reach, and what it was measured against."""

from __future__ import annotations

import operator
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    `goal` is in the same unit; `more_is_better` says on which side of it is good. `against` is the figure of a plain
    solution of the same task, measured in the same run, and `against_what` names it; their ratio does not depend on
    the machine, and `goal_ratio` is the ratio to reach (how many times better than the plain solution).
    """

    what: str
    value: float
    unit: str
    goal: float | None = None
    more_is_better: bool = False
    against: float | None = None
    against_what: str = ""
    goal_ratio: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times better than the plain solution; None where nothing was measured against."""
        if self.against is None:
            return None
        better, worse = (self.value, self.against) if self.more_is_better else (self.against, self.value)
        return better / worse if worse else float("inf")

    @property
    def reached(self) -> bool:
        """Whether every goal that this figure has is met."""
        meets = operator.ge if self.more_is_better else operator.le
        in_itself = self.goal is None or bool(meets(self.value, self.goal))
        in_ratio = self.goal_ratio is None or (self.ratio is not None and self.ratio >= self.goal_ratio)
        return in_itself and in_ratio


def median_seconds(work: Callable[[], object], rounds: int = 5, warm_up: int = 1) -> float:
    """The median duration of `work` in seconds, after `warm_up` rounds that do not count."""
    durations = []
    for number in range(warm_up + rounds):
        started = time.perf_counter()
        work()
        if number >= warm_up:
            durations.append(time.perf_counter() - started)
    return statistics.median(durations)
