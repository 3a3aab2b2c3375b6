"""Logging inspections: the verdict follows from the items, the next one starts from the last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.domain.errors import Denied, Refused
from app.domain.inspections import InspectionItem, ItemKind, Verdict
from app.domain.people import Role
from app.operations.inspections import log_inspection
from app.store.queries.dashboard import read_overview
from app.store.queries.inspections import (
    DEFAULT_CHECKLIST,
    checklist_for,
    find_stages,
    inspection_sheet,
    verdicts_since,
)
from tests.operations.shop import Shop


def bore(value: float | None) -> InspectionItem:
    return InspectionItem(ItemKind.MEASURE, "Bore", None, value, "mm", 11.95, 12.05)


def weld(shop: Shop, **values: object) -> UUID:
    return shop.stages(shop.order(**values))[1].id


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(11.95, Verdict.PASS), (12.05, Verdict.PASS), (12.051, Verdict.FAIL), (11.9, Verdict.FAIL)],
)
def test_limits_are_inclusive_and_decide_the_verdict(shop: Shop, value: float, verdict: Verdict) -> None:
    stage = weld(shop)
    logged = shop.do(
        log_inspection(stage_id=stage, items=[bore(value)], note="caliper 3"), Role.INSPECTOR
    ).result
    with shop.house.store.reader() as session:
        sheet = inspection_sheet(session, logged)
    assert sheet is not None
    assert (sheet.number, sheet.verdict, sheet.inspector) == ("A-QI-000001", verdict, "inspector")
    assert sheet.passed == (verdict is Verdict.PASS,)


@pytest.mark.parametrize("item", [bore(None), InspectionItem(ItemKind.CHECK, "Fits"), bore(float("nan"))])
def test_an_unanswered_item_refuses_the_whole_and_names_itself(shop: Shop, item: InspectionItem) -> None:
    stage = weld(shop)
    with pytest.raises(Refused) as refused:
        shop.do(log_inspection(stage_id=stage, items=[InspectionItem(ItemKind.CHECK, "Clean", True), item]))
    assert refused.value.field == item.name
    with shop.house.store.reader() as session:
        assert sum(verdicts_since(session, datetime(2000, 1, 1, tzinfo=UTC)).values()) == 0


def test_the_next_inspection_starts_from_the_last_of_this_stage_and_product(shop: Shop) -> None:
    first, second, other = weld(shop), weld(shop), weld(shop, product="RAIL-S")
    with shop.house.store.reader() as session:
        assert checklist_for(session, first) == DEFAULT_CHECKLIST
    shop.do(log_inspection(stage_id=first, items=[bore(12.0)]))
    shop.wait(minutes=1)
    shop.do(log_inspection(stage_id=other, items=[InspectionItem(ItemKind.CHECK, "Straight", True)]))
    with shop.house.store.reader() as session:
        assert checklist_for(session, second) == (bore(None),)


def test_a_stage_is_found_by_parts_of_what_people_know_of_it(shop: Shop) -> None:
    shop.order(product="RAIL-S", number="X-77")
    shop.order(product="FRAME-M")
    with shop.house.store.reader() as session:
        found = find_stages(session, "rail weld")
    assert [(option.order, option.stage) for option in found] == [("X-77", "Weld")]


def test_an_operator_may_not_log_one(shop: Shop) -> None:
    with pytest.raises(Denied):
        shop.do(log_inspection(stage_id=weld(shop), items=[bore(12.0)]), Role.OPERATOR)


def test_the_dashboard_tells_late_from_will_be_late_and_counts_today_only(shop: Shop) -> None:
    hour = timedelta(hours=1)
    late = shop.order(number="LATE", planned_start=shop.now - 9 * hour, planned_end=shop.now - hour)
    shop.order(number="TIGHT", planned_start=shop.now, planned_end=shop.now + 2 * hour)
    shop.order(number="FINE", planned_start=shop.now, planned_end=shop.now + 40 * hour)
    shop.do(log_inspection(stage_id=shop.stages(late)[0].id, items=[bore(13.0)]))
    with shop.house.store.reader() as session:
        today = read_overview(session, shop.now, shop.now - 12 * hour)
        tomorrow = read_overview(session, shop.now, shop.now + 12 * hour)
    assert [(order.number, order.will_be) for order in today.at_risk] == [("LATE", False), ("TIGHT", True)]
    assert today.at_risk[0].slip == hour
    assert (today.late, today.will_be_late, today.verdicts[Verdict.FAIL]) == (1, 1, 1)
    assert tomorrow.verdicts[Verdict.FAIL] == 0
