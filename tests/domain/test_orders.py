"""Work orders: the status that follows from the stages, and the checks of their fields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.orders import (
    OrderStatus,
    check_dates,
    check_priority,
    check_quantity,
    check_text,
    status_from_stages,
)
from app.domain.stages import StageStatus

PLANNED, RUNNING, BLOCKED, DONE = StageStatus


@pytest.mark.parametrize(
    ("stages", "status"),
    [
        ([], OrderStatus.PLANNED),
        ([PLANNED, PLANNED], OrderStatus.PLANNED),
        ([RUNNING, PLANNED], OrderStatus.IN_PROGRESS),
        ([DONE, PLANNED], OrderStatus.IN_PROGRESS),
        ([DONE, BLOCKED], OrderStatus.BLOCKED),
        ([RUNNING, BLOCKED], OrderStatus.BLOCKED),
        ([DONE, DONE], OrderStatus.DONE),
    ],
)
def test_the_status_of_an_order_follows_from_its_stages(
    stages: list[StageStatus], status: OrderStatus
) -> None:
    assert status_from_stages(stages) is status


@given(st.lists(st.sampled_from(StageStatus), max_size=8))
def test_an_order_is_done_only_when_every_stage_is(stages: list[StageStatus]) -> None:
    done = status_from_stages(stages) is OrderStatus.DONE
    assert done == (bool(stages) and all(stage is DONE for stage in stages))


@pytest.mark.parametrize("quantity", [0, -1, 100_000_001])
def test_a_quantity_out_of_bounds_is_refused(quantity: int) -> None:
    with pytest.raises(Refused) as refusal:
        check_quantity(quantity)
    assert refusal.value.field == "quantity"


@pytest.mark.parametrize("priority", [0, 6])
def test_a_priority_goes_from_1_to_5(priority: int) -> None:
    with pytest.raises(Refused, match="from 1"):
        check_priority(priority)


def test_an_order_ends_after_it_starts() -> None:
    start = datetime(2026, 4, 15, tzinfo=UTC)
    check_dates(start, start + timedelta(seconds=1))
    with pytest.raises(Refused):
        check_dates(start, start)


def test_text_is_tidied_and_measured() -> None:
    assert check_text("  Frame \n M ", "product", "product", longest=20) == "Frame M"
    with pytest.raises(Refused, match="at most 3 characters; this one has 4"):
        check_text("abcd", "lot", "lot", longest=3)
