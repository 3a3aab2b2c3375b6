"""What happened around some machines in a range of time, as marks on their curves."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.inspections import Verdict
from app.domain.plant import Plant
from app.store.history import AlarmRecord
from app.store.queries.corrections import correction_rows
from app.store.queries.notes import notes_between
from app.store.tables import Inspection, Issue, MachineWrite, MaintenanceOrder, Stage, WorkOrder

MOST = 2000


class EventKind(StrEnum):
    """Kinds that can be shown or hidden; the value is the wording for people."""

    ALARM = "Alarms"
    STAGE = "Stage changes"
    INSPECTION = "Inspections"
    ISSUE = "Issues"
    NOTE = "Notes"
    MAINTENANCE = "Maintenance"
    WRITE = "Values sent to machines"
    CORRECTION = "Corrections"


@dataclass(frozen=True)
class ChartEvent:
    """One thing that happened at a moment.

    `tag` and `equipment` (a code) say what it concerns, both empty: everything. `place` and `argument` open it.
    `priority` is an alarm's; `over` says that the alarm returned then; `good` a verdict that passed.
    """

    kind: EventKind
    at: datetime
    text: str
    place: str = ""
    argument: UUID | str = ""
    tag: str = ""
    equipment: str = ""
    priority: int | None = None
    over: bool = False
    good: bool = True


def work_events(
    session: Session, plant: Plant, equipment: Collection[str], start: datetime, end: datetime
) -> list[ChartEvent]:
    """Everything but alarms from `start` to `end` that concerns machines with these codes, oldest first.

    Orders are not tied to machines, so stage changes, inspections and issues concern everything.
    """
    found = [
        *_stages(session, start, end),
        *_inspections(session, start, end),
        *_issues(session, start, end),
        *_maintenance(session, plant, equipment, start, end),
        *_writes(session, plant, equipment, start, end),
        *_corrections(session, plant, equipment, start, end),
    ]
    for note in notes_between(session, start, end, equipment):
        text = f"{note.text} ({note.author})"
        found.append(ChartEvent(EventKind.NOTE, note.at, text, "", note.id, note.tag, note.equipment))
    return sorted(found, key=lambda event: event.at)


def alarm_events(records: Iterable[AlarmRecord], start: datetime, end: datetime) -> list[ChartEvent]:
    """Alarms raised from `start` to `end`, and the returns of those within."""
    found = []
    for record in records:
        what = record.limit.value.upper() if record.limit is not None else record.kind.value
        value = f" {record.value:.4g}" if isinstance(record.value, float) else ""
        moments = ((record.raised_at, f"{what}{value}", False), (record.returned_at, f"{what} over", True))
        for at, words, over in moments:
            if at is not None and start <= at < end:
                text = f"{words} · {record.tag}"
                found.append(
                    ChartEvent(
                        EventKind.ALARM, at, text, "alarms", record.key, record.tag, "", record.priority, over
                    )
                )
    return found


def order_run(session: Session, number: str) -> tuple[datetime, datetime | None] | None:
    """When work on an order began and ended (None: not yet); None when there is no such order or it never began."""
    found = select(WorkOrder.started_at, WorkOrder.finished_at, WorkOrder.id).where(
        func.upper(WorkOrder.number) == number.strip().upper(), ~WorkOrder.deleted
    )
    row = session.execute(found).first()
    if row is None:
        return None
    began = row.started_at
    if began is None:
        began = session.execute(
            select(func.min(Stage.started_at)).where(Stage.work_order_id == row.id, ~Stage.deleted)
        ).scalar_one()
    return None if began is None else (began, row.finished_at)


def _stages(session: Session, start: datetime, end: datetime) -> list[ChartEvent]:
    found = []
    for column, words in ((Stage.started_at, "began"), (Stage.finished_at, "finished")):
        rows = session.execute(
            select(column, Stage.name, WorkOrder.number, WorkOrder.id)
            .join(WorkOrder, WorkOrder.id == Stage.work_order_id)
            .where(column >= start, column < end, ~Stage.deleted)
            .order_by(column)
            .limit(MOST)
        )
        found += [
            ChartEvent(EventKind.STAGE, at, f"{number} {name} {words}", "orders", order_id)
            for at, name, number, order_id in rows
            if at is not None
        ]
    return found


def _inspections(session: Session, start: datetime, end: datetime) -> list[ChartEvent]:
    rows = session.execute(
        select(Inspection, WorkOrder.number)
        .join(WorkOrder, WorkOrder.id == Inspection.work_order_id)
        .where(Inspection.inspected_at >= start, Inspection.inspected_at < end, ~Inspection.deleted)
        .order_by(Inspection.inspected_at)
        .limit(MOST)
    )
    return [
        ChartEvent(
            EventKind.INSPECTION,
            row.inspected_at,
            f"{row.number} {number}: {row.verdict.value}",
            "inspections",
            row.number,
            good=row.verdict is not Verdict.FAIL,
        )
        for row, number in rows
    ]


def _issues(session: Session, start: datetime, end: datetime) -> list[ChartEvent]:
    rows = session.execute(
        select(Issue)
        .where(Issue.raised_at >= start, Issue.raised_at < end, ~Issue.deleted)
        .order_by(Issue.raised_at)
        .limit(MOST)
    ).scalars()
    return [
        ChartEvent(EventKind.ISSUE, row.raised_at, f"{row.number} {row.title}", "issues", row.id)
        for row in rows
    ]


def _maintenance(
    session: Session, plant: Plant, equipment: Collection[str], start: datetime, end: datetime
) -> list[ChartEvent]:
    """Finished maintenance of these machines; planners write a machine's name or its code."""
    codes = {
        words.casefold(): e.code for e in plant.equipment if e.code in equipment for words in (e.code, e.name)
    }
    done = MaintenanceOrder.completed_at
    rows = session.execute(
        select(MaintenanceOrder).where(done >= start, done < end, ~MaintenanceOrder.deleted).limit(MOST)
    ).scalars()
    return [
        ChartEvent(
            EventKind.MAINTENANCE,
            row.completed_at,
            f"{row.number} {row.title} done",
            "maintenance",
            row.id,
            equipment=codes[row.equipment.casefold()],
        )
        for row in rows
        if row.equipment.casefold() in codes and row.completed_at is not None
    ]


def _writes(
    session: Session, plant: Plant, equipment: Collection[str], start: datetime, end: datetime
) -> list[ChartEvent]:
    tags = {tag.name for tag in plant.tags if tag.equipment in equipment}
    rows = session.execute(
        select(MachineWrite)
        .where(MachineWrite.at >= start, MachineWrite.at < end, ~MachineWrite.deleted)
        .order_by(MachineWrite.at)
        .limit(MOST)
    ).scalars()
    return [
        ChartEvent(
            EventKind.WRITE,
            row.at,
            f"{row.actor} set {row.tag} to {row.value}",
            "equipment",
            row.tag,
            row.tag,
        )
        for row in rows
        if row.tag in tags
    ]


def _corrections(
    session: Session, plant: Plant, equipment: Collection[str], start: datetime, end: datetime
) -> list[ChartEvent]:
    """Corrections that begin in the range; they are withdrawn where they are shown."""
    tags = {tag.name for tag in plant.tags if tag.equipment in equipment}
    found = []
    for row in correction_rows(session, None, start, end):
        if row.tag in tags and row.start >= start:
            amount = "" if row.amount is None else f" {row.amount:g}"
            text = f"{row.tag} {row.kind}{amount}: {row.reason} ({row.author})"
            found.append(ChartEvent(EventKind.CORRECTION, row.start, text, "", row.id, row.tag))
    return found
