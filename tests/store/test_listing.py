"""The list engine: pages by key are what a plain slice gives, whatever the order, the filter and the anchor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.orders import OrderStatus
from app.domain.people import THE_PLANT
from app.operations.change import Change, operation
from app.plant import House, opened_house
from app.store.queries import listing as engine
from app.store.queries.listing import Anchor, ListReader, ListRequest
from app.store.queries.lists import WORK_ORDERS
from app.store.tables import WorkOrder
from tests.chance import examples

NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
ROWS = 60
FILTERS = [
    "",
    "open:yes",
    "status:planned",
    "priority<=2",
    "frame",
    "frame open:yes",
    "rail 1",
    "due<2026-04-20",
    "qty>5 customer=hansen",
    "nothing",
]
SORTS = ["number", "product", "planned_end", "priority", "quantity", "status", "customer", "created_at"]


@operation(None)
def fill(change: Change, /) -> None:
    """Orders with many equal values, so that ties are common."""
    chance = Random(3)
    rows = []
    for n in range(ROWS):
        start = NOW + timedelta(days=chance.randint(-6, 6))
        rows.append(
            {
                "id": change.new_id(),
                "number": f"WO-{n:03}",
                "product": chance.choice(["FRAME-M", "RAIL-S", "RAIL-L"]),
                "product_name": chance.choice(["Frame", "Rail"]),
                "lot": "",
                "quantity": chance.randint(1, 9),
                "quantity_done": 0,
                "priority": chance.randint(1, 5),
                "customer": chance.choice(["Hansen", "Nordwerk"]),
                "planned_start": start,
                "planned_end": start + timedelta(days=chance.randint(1, 3)),
                "status": chance.choice([OrderStatus.PLANNED, OrderStatus.BLOCKED, OrderStatus.DONE]),
                "started_at": None,
                "finished_at": None,
                "created_at": NOW,
            }
        )
    change.insert(WorkOrder, rows)


@pytest.fixture
def filled(data_dir: Path) -> Iterator[House]:
    with opened_house(data_dir) as house:
        house.door.perform(fill(), THE_PLANT)
        yield house


def ids_of(reader: ListReader, session: Any, *page: Any, **how: Any) -> list[UUID]:
    return [row.id for row in reader.window(session, *page, **how)]


@examples(150, same_fixtures=True)
@given(
    line=st.sampled_from(FILTERS),
    sort=st.sampled_from(SORTS),
    descending=st.booleans(),
    first=st.integers(0, ROWS),
    length=st.integers(1, 20),
    anchored=st.lists(st.integers(0, ROWS - 1), max_size=3),
    many=st.booleans(),
    counted=st.booleans(),
)
def test_a_window_is_the_slice_of_the_whole_list(
    filled: House,
    line: str,
    sort: str,
    descending: bool,
    first: int,
    length: int,
    anchored: list[int],
    many: bool,
    counted: bool,
) -> None:
    reader = ListReader(WORK_ORDERS, ListRequest(line, sort, descending), NOW, UTC)
    with filled.store.reader() as session:
        whole = reader.window(session, 0, ROWS)
        total = reader.count(session)
        assert len(whole) == total == reader.count(session, at_most=ROWS)
        anchors = [Anchor(n, whole[n].sort_value, whole[n].id) for n in anchored if n < total]
        known = total if counted else None
        found = ids_of(reader, session, first, length, known, anchors, many=many)
    assert found == [row.id for row in whole[first : first + length]]
    keys = [row.sort_value for row in whole]
    assert keys == sorted(keys, reverse=descending)


@pytest.mark.parametrize("line", [line for line in FILTERS if "frame" in line or "rail" in line])
def test_words_mean_the_same_through_the_index_and_row_by_row(
    filled: House, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    reader = ListReader(WORK_ORDERS, ListRequest(line), NOW, UTC)
    with filled.store.reader() as session:
        through_index = ids_of(reader, session, 0, ROWS)
        monkeypatch.setattr(engine, "MANY", 0)
        again = ListReader(WORK_ORDERS, ListRequest(line), NOW, UTC)
        assert ids_of(again, session, 0, ROWS) == through_index
        assert again.count(session) == len(through_index)


def test_counting_stops_where_it_is_told(filled: House) -> None:
    with filled.store.reader() as session:
        assert ListReader(WORK_ORDERS, ListRequest(), NOW).count(session, at_most=7) == 7


def test_an_alias_means_its_column(filled: House) -> None:
    with filled.store.reader() as session:
        short, long = (
            ids_of(ListReader(WORK_ORDERS, ListRequest(line), NOW, UTC), session, 0, ROWS)
            for line in ("due<2026-04-16 qty>3", "planned_end<2026-04-16 quantity>3")
        )
    assert short == long
    assert short


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (ListRequest("status:flying"), "one of planned"),
        (ListRequest("priority<high"), "a whole number"),
        (ListRequest("due<someday"), "a day such as"),
        (ListRequest("slip_hours>3", "stage"), "cannot be sorted by Stage"),
        (ListRequest("", "colour"), "no column colour"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(
    filled: House, request_: ListRequest, words: str
) -> None:
    with filled.store.reader() as session, pytest.raises(Refused, match=words):
        ListReader(WORK_ORDERS, request_, NOW).window(session, 0, 10)
