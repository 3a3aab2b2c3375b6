"""What logging an inspection needs to know, and one inspection in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session

from app.domain.inspections import InspectionItem, ItemKind, Verdict
from app.domain.stages import StageStatus
from app.store.queries.lists import WORK_ORDERS
from app.store.tables import Inspection, InspectionResult, Stage, UserAccount, WorkOrder

_ORDERS_LOOKED_AT = 400
_NAMES_LOOKED_AT = 200

DEFAULT_CHECKLIST = (
    InspectionItem(ItemKind.CHECK, "Matches the drawing"),
    InspectionItem(ItemKind.CHECK, "Surface without damage"),
    InspectionItem(ItemKind.CHECK, "Label and lot are right"),
)


@dataclass(frozen=True, slots=True)
class StageOption:
    """A stage that can be inspected."""

    id: UUID
    order: str
    product: str
    lot: str
    stage: str
    status: StageStatus

    @property
    def title(self) -> str:
        """For example `A-WO-000012 · FRAME-M · Inspect (in progress)`."""
        return f"{self.order} · {self.product} · {self.stage} ({self.status.words})"


def _stages() -> Select[UUID, str, str, str, str, StageStatus]:
    return (
        select(Stage.id, WorkOrder.number, WorkOrder.product, WorkOrder.lot, Stage.name, Stage.status)
        .join(WorkOrder, WorkOrder.id == Stage.work_order_id)
        .where(~Stage.deleted, ~WorkOrder.deleted)
    )


def find_stages(session: Session, words: str, limit: int = 30) -> tuple[StageOption, ...]:
    """Stages of the orders that hold every word in a text or a stage's name; those in work come first.

    A word is looked for among orders through their text index, and only if it also begins a stage's name among
    stages; at most `_ORDERS_LOOKED_AT` orders are considered, so that typing stays quick in a store of any size.
    """
    rank = case({StageStatus.IN_PROGRESS: 0, StageStatus.BLOCKED: 1}, value=Stage.status, else_=2)
    query = _stages()
    typed = words.split()
    if not typed:
        query = query.where(Stage.status == StageStatus.IN_PROGRESS)
    else:
        assert WORK_ORDERS.text is not None
        names = _stage_names(session)
        of_stage = [word for word in typed if any(name.startswith(word.casefold()) for name in names)]
        of_order = [WORK_ORDERS.text(word) for word in typed if word not in of_stage]
        for word in of_stage:
            query = query.where(
                or_(
                    Stage.name.istartswith(word, autoescape=True),
                    WorkOrder.number.icontains(word, autoescape=True),
                    WorkOrder.product.icontains(word, autoescape=True),
                    WorkOrder.lot.istartswith(word, autoescape=True),
                )
            )
        if of_order:
            ids = session.execute(
                select(WorkOrder.id).where(~WorkOrder.deleted, *of_order).limit(_ORDERS_LOOKED_AT)
            ).scalars()
            query = query.where(Stage.work_order_id.in_(ids.all()))
        else:
            return _first_by_status(session, query, limit)
    rows = session.execute(query.order_by(rank, WorkOrder.number, Stage.position).limit(limit))
    return tuple(StageOption(*row) for row in rows)


def _stage_names(session: Session) -> list[str]:
    """All names that stages have, folded, found by skipping along the index of status and name."""
    found: set[str] = set()
    for status in StageStatus:
        name = session.execute(select(func.min(Stage.name)).where(Stage.status == status)).scalar()
        while name is not None and len(found) < _NAMES_LOOKED_AT:
            found.add(name)
            name = session.execute(
                select(func.min(Stage.name)).where(Stage.status == status, Stage.name > name)
            ).scalar()
    return [name.casefold() for name in found]


def _first_by_status(
    session: Session, query: Select[UUID, str, str, str, str, StageStatus], limit: int
) -> tuple[StageOption, ...]:
    """Those in work, then blocked, then the others, without sorting every stage of the store."""
    rows: list[StageOption] = []
    in_front = (StageStatus.IN_PROGRESS, StageStatus.BLOCKED)
    for status in (*in_front, *(status for status in StageStatus if status not in in_front)):
        if len(rows) < limit:
            part = query.where(Stage.status == status).limit(limit - len(rows))
            rows += [StageOption(*row) for row in session.execute(part)]
    return tuple(rows)


def stage_option(session: Session, stage_id: UUID) -> StageOption | None:
    """The stage of that id, None when it is gone."""
    row = session.execute(_stages().where(Stage.id == stage_id)).one_or_none()
    return None if row is None else StageOption(*row)


def checklist_for(session: Session, stage_id: UUID) -> tuple[InspectionItem, ...]:
    """Unanswered items as in the last inspection of this stage and product, else of this stage, else a short list."""
    about = session.execute(
        select(Stage.name, WorkOrder.product)
        .join(WorkOrder, WorkOrder.id == Stage.work_order_id)
        .where(Stage.id == stage_id)
    ).one_or_none()
    if about is None:
        return DEFAULT_CHECKLIST
    same_stage = (
        select(Inspection.id)
        .join(Stage, Stage.id == Inspection.stage_id)
        .join(WorkOrder, WorkOrder.id == Inspection.work_order_id)
        .where(Stage.name == about.name, ~Inspection.deleted)
        .order_by(Inspection.inspected_at.desc())
        .limit(1)
    )
    last = session.execute(same_stage.where(WorkOrder.product == about.product)).scalar()
    last = last or session.execute(same_stage).scalar()
    if last is None:
        return DEFAULT_CHECKLIST
    rows = session.execute(_results(last)).scalars()
    return tuple(InspectionItem(r.kind, r.name, None, None, r.unit, r.lower, r.upper) for r in rows)


def _results(inspection_id: UUID) -> Select[InspectionResult]:
    return (
        select(InspectionResult)
        .where(InspectionResult.inspection_id == inspection_id, ~InspectionResult.deleted)
        .order_by(InspectionResult.position)
    )


@dataclass(frozen=True, slots=True)
class InspectionSheet:
    """One logged inspection with its results; `passed` runs parallel to `items`."""

    id: UUID
    number: str
    verdict: Verdict
    order: str
    product: str
    stage: str
    stage_id: UUID
    inspector: str
    at: datetime
    note: str
    items: tuple[InspectionItem, ...]
    passed: tuple[bool, ...]


def inspection_sheet(session: Session, inspection_id: UUID) -> InspectionSheet | None:
    """The inspection of that id, None when it is gone."""
    row = session.execute(
        select(Inspection, WorkOrder.number, WorkOrder.product, Stage.name, UserAccount.name)
        .join(WorkOrder, WorkOrder.id == Inspection.work_order_id)
        .join(Stage, Stage.id == Inspection.stage_id)
        .outerjoin(UserAccount, UserAccount.id == Inspection.inspector_id)
        .where(Inspection.id == inspection_id, ~Inspection.deleted)
    ).one_or_none()
    if row is None:
        return None
    inspection, order, product, stage, inspector = row
    results = session.execute(_results(inspection_id)).scalars().all()
    return InspectionSheet(
        inspection.id,
        inspection.number,
        inspection.verdict,
        order,
        product,
        stage,
        inspection.stage_id,
        inspector or "",
        inspection.inspected_at,
        inspection.note,
        tuple(InspectionItem(r.kind, r.name, r.passed, r.value, r.unit, r.lower, r.upper) for r in results),
        tuple(r.passed for r in results),
    )


def verdicts_since(session: Session, since: datetime) -> dict[Verdict, int]:
    """How many inspections passed and failed since then."""
    rows = session.execute(
        select(Inspection.verdict, func.count())
        .where(Inspection.inspected_at >= since, ~Inspection.deleted)
        .group_by(Inspection.verdict)
    )
    counted = {row.verdict: int(row[1]) for row in rows}
    return {verdict: counted.get(verdict, 0) for verdict in Verdict}
