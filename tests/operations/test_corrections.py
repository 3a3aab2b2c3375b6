"""Corrections through the door: who may, what must be said, taking one back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.corrections import Correction, CorrectionKind
from app.domain.errors import Denied, Refused
from app.domain.people import PERMISSIONS, Permission, Role
from app.domain.plant import Connection, Equipment, Plant, Tag
from app.operations.corrections import correct_history, withdraw_correction
from app.operations.plant import apply_plant
from app.operations.undo import undo
from app.store.queries.corrections import correction_rows, corrections_of
from tests.operations.shop import Shop

BEGIN = datetime(2026, 4, 15, 8, 0, tzinfo=UTC)
END = BEGIN + timedelta(hours=1)
OVEN = Plant(
    (Equipment("OVEN", "Oven"),),
    (Connection("c", "modbus-tcp", "tcp://127.0.0.1:502"),),
    (Tag("OVEN/t", "OVEN", "c", "hr:1"),),
)
GOOD: dict[str, Any] = {
    "tag": "OVEN/t", "start": BEGIN, "end": END, "kind": CorrectionKind.OFFSET, "amount": -1.5, "reason": "Drift",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _plant(shop: Shop) -> None:
    shop.do(apply_plant(plant=OVEN))


def standing(shop: Shop, tag: str = "OVEN/t") -> list[Correction]:
    with shop.house.store.reader() as session:
        return corrections_of(session, tag, BEGIN, END)


def test_a_correction_has_an_author_and_a_reason_and_is_taken_back(shop: Shop) -> None:
    made = shop.do(correct_history(**GOOD), Role.SUPERVISOR)
    assert standing(shop) == [Correction("OVEN/t", BEGIN, END, CorrectionKind.OFFSET, -1.5)]
    with shop.house.store.reader() as session:
        (row,) = correction_rows(session, "OVEN/t")
        assert (row.reason, row.author) == ("Drift", shop.people[Role.SUPERVISOR].name)
        assert correction_rows(session, "OVEN/t", END) == []
    withdrawn = shop.do(withdraw_correction(correction_id=made.result, reason="Wrong hour"))
    assert standing(shop) == []
    shop.do(undo(change_id=withdrawn.change_id))
    assert len(standing(shop)) == 1


def test_a_correction_is_undone_as_any_change(shop: Shop) -> None:
    shop.do(undo(change_id=shop.do(correct_history(**GOOD)).change_id))
    assert standing(shop) == []


@pytest.mark.parametrize("role", Role)
def test_only_who_may_correct_corrects(shop: Shop, role: Role) -> None:
    if role in PERMISSIONS[Permission.CORRECT_HISTORY]:
        shop.do(correct_history(**GOOD), role)
    else:
        with pytest.raises(Denied):
            shop.do(correct_history(**GOOD), role)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tag": "OVEN/none"}, "tag"),
        ({"reason": "  "}, "reason"),
        ({"end": BEGIN}, "end"),
        ({"amount": None}, "amount"),
        ({"amount": float("nan")}, "amount"),
        ({"kind": CorrectionKind.EXCLUDE}, "amount"),
        ({"kind": CorrectionKind.FACTOR, "amount": 0.0}, "amount"),
        ({"start": BEGIN + timedelta(days=9), "end": BEGIN + timedelta(days=10)}, "start"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(shop: Shop, change: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refusal:
        shop.do(correct_history(**(GOOD | change)))
    assert refusal.value.field == field
