"""Work orders: their fields, their rules, and how their status follows from their stages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from app.domain.errors import Refused
from app.domain.stages import StageStatus


class OrderStatus(StrEnum):
    """Where an order stands; it follows from its stages unless someone cancels it."""

    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    DONE = "done"
    CANCELLED = "cancelled"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


OPEN_STATUSES = (OrderStatus.PLANNED, OrderStatus.IN_PROGRESS, OrderStatus.BLOCKED)

LEGAL_CHANGES: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PLANNED: frozenset({OrderStatus.IN_PROGRESS, OrderStatus.BLOCKED}),
    OrderStatus.IN_PROGRESS: frozenset({OrderStatus.BLOCKED, OrderStatus.DONE}),
    OrderStatus.BLOCKED: frozenset({OrderStatus.PLANNED, OrderStatus.IN_PROGRESS}),
}
"""What one move of a stage can make of its order's status."""

FILE_CHANGES: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PLANNED: frozenset({OrderStatus.DONE}),
    OrderStatus.BLOCKED: frozenset({OrderStatus.DONE}),
}
"""Changes that an imported file may make besides: it says that an order is done, not how it came to be."""

CANCELLATIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    status: frozenset({OrderStatus.CANCELLED}) for status in OPEN_STATUSES
}

HIGHEST_PRIORITY, LOWEST_PRIORITY, DEFAULT_PRIORITY = 1, 5, 3
PRIORITY_TITLES = {1: "urgent", 2: "high", 3: "normal", 4: "low", 5: "lowest"}
LARGEST_QUANTITY = 100_000_000
FIRST_YEAR, LAST_YEAR = 1990, 2200


def status_from_stages(stages: Sequence[StageStatus]) -> OrderStatus:
    """The status of an order whose stages stand at `stages`; any blocked stage blocks the order."""
    if stages and all(stage is StageStatus.DONE for stage in stages):
        return OrderStatus.DONE
    if StageStatus.BLOCKED in stages:
        return OrderStatus.BLOCKED
    if any(stage is not StageStatus.PLANNED for stage in stages):
        return OrderStatus.IN_PROGRESS
    return OrderStatus.PLANNED


LONGEST_NOTE = 4000


def check_note(value: str, title: str, field: str, *, longest: int = LONGEST_NOTE) -> str:
    """`value` with its lines, without blanks around it; raises `Refused` beside `field` when it is too long."""
    tidy = value.strip()
    _check_letters(tidy, title, field)
    if len(tidy) > longest:
        raise Refused(
            f"The {title} may have at most {longest:,} characters; this one has {len(tidy):,}.", field=field
        )
    return tidy


def _check_letters(text: str, title: str, field: str) -> None:
    if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text):
        raise Refused(f"The {title} holds letters that cannot be kept; type it again.", field=field)


def check_text(value: str, title: str, field: str, *, longest: int, required: bool = True) -> str:
    """`value` with tidy spaces; raises `Refused` beside `field` when it is empty or too long."""
    tidy = " ".join(value.split())
    _check_letters(tidy, title, field)
    if required and not tidy:
        raise Refused(f"Enter the {title}.", field=field)
    if len(tidy) > longest:
        raise Refused(
            f"The {title} may have at most {longest} characters; this one has {len(tidy)}.", field=field
        )
    return tidy


def check_quantity(quantity: int) -> int:
    """Raise `Refused` unless 0 < quantity."""
    if quantity <= 0:
        raise Refused(f"The quantity must be greater than zero, not {quantity}.", field="quantity")
    if quantity > LARGEST_QUANTITY:
        raise Refused(
            f"The quantity may be at most {LARGEST_QUANTITY:,}, not {quantity:,}.", field="quantity"
        )
    return quantity


def check_priority(priority: int) -> int:
    """Raise `Refused` unless 1 (most urgent) … 5."""
    if not HIGHEST_PRIORITY <= priority <= LOWEST_PRIORITY:
        raise Refused(f"The priority goes from 1 (urgent) to 5 (lowest), not {priority}.", field="priority")
    return priority


def check_year(moment: datetime | None, field: str) -> None:
    """Raise `Refused` for a year that no plan can mean; sums of such times would overflow."""
    if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Refused(f"The year {moment.year} is no year to plan for.", field=field)


def check_dates(planned_start: datetime, planned_end: datetime) -> None:
    """Raise `Refused` unless the planned start lies before the planned end, both in years that a plan can mean."""
    check_year(planned_start, "planned_start")
    check_year(planned_end, "planned_end")
    if planned_start >= planned_end:
        raise Refused("The planned end must come after the planned start.", field="planned_end")
