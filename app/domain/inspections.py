"""Inspections: checklist items and measured values with limits, and the verdict that follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import Refused


class Verdict(StrEnum):
    PASS = "pass"
    FAIL = "fail"


class ItemKind(StrEnum):
    CHECK = "check"
    MEASURE = "measure"


@dataclass(frozen=True, slots=True)
class InspectionItem:
    """One line of an inspection: a tick (`passed`) or a measured value in `unit` with limits (either may be None)."""

    kind: ItemKind
    name: str
    passed: bool | None = None
    value: float | None = None
    unit: str = ""
    lower: float | None = None
    upper: float | None = None


def judge_item(item: InspectionItem) -> bool:
    """Whether one item passes; limits are inclusive. Raises `Refused` when it was not answered."""
    if item.kind is ItemKind.CHECK:
        if item.passed is None:
            raise Refused(f"Answer “{item.name}” with pass or fail.", field=item.name)
        return item.passed
    if item.value is None or not math.isfinite(item.value):
        raise Refused(f"Enter the measured value of “{item.name}”.", field=item.name)
    if any(limit is not None and not math.isfinite(limit) for limit in (item.lower, item.upper)):
        raise Refused(f"The limits of “{item.name}” must be numbers.", field=item.name)
    if item.lower is not None and item.upper is not None and item.lower > item.upper:
        raise Refused(f"The lower limit of “{item.name}” lies above its upper limit.", field=item.name)
    too_low = item.lower is not None and item.value < item.lower
    too_high = item.upper is not None and item.value > item.upper
    return not (too_low or too_high)


def judge(items: Sequence[InspectionItem]) -> Verdict:
    """Pass when every item passes. Raises `Refused` when there is no item or one is unanswered."""
    if not items:
        raise Refused("An inspection needs at least one check or measured value.", field="items")
    results = [judge_item(item) for item in items]
    return Verdict.PASS if all(results) else Verdict.FAIL
