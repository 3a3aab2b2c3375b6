"""An inspection while it is being filled in: answers as typed, live verdicts, and the text that keeps it safe."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from uuid import UUID

from app.domain.errors import Refused
from app.domain.inspections import InspectionItem, ItemKind, judge_item


def as_number(text: str) -> float | None:
    """A number as people type it, with comma or point; None for an empty text. Raises `ValueError`."""
    tidy = text.strip().replace("−", "-").replace(" ", "").replace("\u00a0", "")
    if not tidy:
        return None
    if "," in tidy and "." in tidy:
        raise ValueError(text)
    number = float(tidy.replace(",", "."))
    if number != number or abs(number) == float("inf"):
        raise ValueError(text)
    return number


@dataclass
class DraftItem:
    """One line: `answer` is `pass`, `fail` or the measured value as typed; limits may be None."""

    kind: str
    name: str
    answer: str = ""
    unit: str = ""
    lower: float | None = None
    upper: float | None = None

    def item(self) -> InspectionItem:
        """The item as the operation takes it. Raises `Refused` beside its name when the value is no number."""
        if self.kind == ItemKind.CHECK:
            passed = {"pass": True, "fail": False}.get(self.answer)
            return InspectionItem(ItemKind.CHECK, self.name, passed)
        try:
            value = as_number(self.answer)
        except ValueError:
            raise Refused(f"“{self.answer}” is not a number.", field=self.name) from None
        return InspectionItem(ItemKind.MEASURE, self.name, None, value, self.unit, self.lower, self.upper)

    def verdict(self) -> bool | None:
        """Whether it passes as it stands; None while it is not answered or no number."""
        try:
            return judge_item(self.item())
        except Refused:
            return None

    def limits(self) -> str:
        """For example `11.95 … 12.05 mm`, `at most 3 bar`, or nothing."""
        unit = f" {self.unit}" if self.unit else ""
        if self.lower is not None and self.upper is not None:
            return f"{self.lower:g} … {self.upper:g}{unit}"
        if self.lower is not None:
            return f"at least {self.lower:g}{unit}"
        return f"at most {self.upper:g}{unit}" if self.upper is not None else unit.strip()


def draft_item(item: InspectionItem) -> DraftItem:
    """An unanswered line for a template's item."""
    return DraftItem(item.kind.value, item.name, "", item.unit, item.lower, item.upper)


@dataclass
class InspectionDraft:
    """What is typed so far."""

    stage_id: str = ""
    title: str = ""
    note: str = ""
    items: list[DraftItem] = field(default_factory=list)

    @property
    def stage(self) -> UUID | None:
        return UUID(self.stage_id) if self.stage_id else None

    @property
    def is_touched(self) -> bool:
        """Whether anything was typed that would be a pity to lose."""
        return bool(self.note.strip()) or any(item.answer for item in self.items)

    def inspection_items(self) -> list[InspectionItem]:
        """All lines; raises `Refused` beside the first that is not answered."""
        items = [line.item() for line in self.items]
        for item in items:
            judge_item(item)
        return items

    def as_text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def draft_from(text: str) -> InspectionDraft | None:
    """The draft that `as_text` wrote; None when there is none or it cannot be read any more."""
    if not text:
        return None
    try:
        kept = json.loads(text)
        items: Iterable[dict[str, object]] = kept.pop("items", [])
        draft = InspectionDraft(**kept)
        draft.items = [DraftItem(**item) for item in items]  # type: ignore[arg-type]  # JSON of our own making
        if draft.stage_id:
            UUID(draft.stage_id)
    except (ValueError, TypeError, AttributeError):
        return None
    return draft
