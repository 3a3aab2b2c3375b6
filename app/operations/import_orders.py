"""Work orders from an import plan: new ones with their stages, and changed fields of those that are there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import Refused
from app.domain.orders import DEFAULT_PRIORITY, OrderStatus
from app.domain.sheets.plan import PlannedRow
from app.domain.sheets.values import Value
from app.domain.stages import RouteStep, StageStatus
from app.operations.change import Change
from app.operations.orders import route_for, stage_rows
from app.store.queries.imports import ORDER_COLUMNS, ExistingRow, split_assignee, with_assignee
from app.store.tables import Stage, UserAccount, WorkOrder
from app.store.wall_clock import instant

Progress = Callable[[int, int], None]
Row = dict[str, Any]

_DEFAULT_DURATION = timedelta(days=5)
_BATCH = 2000
_UNSAID_REASON = "Blocked in the imported file"


def create_orders(change: Change, rows: Sequence[PlannedRow], progress: Progress) -> None:
    """Make the orders and their stages, batch by batch; one without a number takes the next free one."""
    people = accounts(change)
    route = cache(partial(route_for, change.session))
    unnamed = iter(change.next_numbers(WorkOrder, "WO", sum(1 for row in rows if "number" not in row.values)))
    rest = iter(rows)
    done = 0
    while batch := list(islice(rest, _BATCH)):
        orders: list[Row] = []
        stages: list[Row] = []
        for row in batch:
            number = str(row.values["number"]) if "number" in row.values else next(unnamed)
            order, own = _new_order(change, row, number, people, route)
            orders.append(order)
            stages += own
        change.insert(WorkOrder, orders)
        change.insert(Stage, stages)
        done += len(batch)
        progress(done, len(rows))


def accounts(change: Change) -> dict[str, UUID]:
    """Case-folded name → account, so that `Assigned to` finds people who can log in here."""
    found = change.session.execute(
        select(UserAccount.name_key, UserAccount.id).where(~UserAccount.deleted, ~UserAccount.disabled)
    )
    return {row.name_key: row.id for row in found}


def _new_order(
    change: Change,
    row: PlannedRow,
    number: str,
    people: Mapping[str, UUID],
    route: Callable[[str], list[RouteStep]],
) -> tuple[Row, list[Row]]:
    values = row.values
    start, end = _window(row, change.now)
    product, person = str(values["product"]), str(values.get("assignee", ""))
    account = people.get(person.casefold()) if person else None
    note = str(values.get("description", ""))
    order: Row = {
        "id": change.new_id(),
        "number": number,
        "product": product,
        "product_name": str(values.get("product_name", "")),
        "lot": str(values.get("lot", "")),
        "quantity": values["quantity"],
        "quantity_done": 0,
        "priority": values.get("priority", DEFAULT_PRIORITY),
        "customer": str(values.get("customer", "")),
        "line": str(values.get("area", "")),
        "note": note if account or not person else with_assignee(note, person),
        "planned_start": start,
        "planned_end": end,
        "status": OrderStatus.PLANNED,
        "started_at": None,
        "finished_at": None,
        "created_at": change.now,
        "import_key": row.identity if row.identity.startswith("~") else "",
    }
    stages = stage_rows(change, order["id"], route(product), start, end)
    for stage in stages:
        stage["assignee_id"] = account
    _stand(order, stages, OrderStatus(str(values.get("status", OrderStatus.PLANNED))), note, change.now)
    return order, stages


def _window(row: PlannedRow, now: datetime) -> tuple[datetime, datetime]:
    """Planned start and end; what the file leaves out lies five days from the other, or begins now."""
    start, end = _moment(row.values.get("planned_start")), _moment(row.values.get("planned_end"))
    begin = start or (end - _DEFAULT_DURATION if end else now)
    finish = end or begin + _DEFAULT_DURATION
    if begin >= finish:
        raise Refused(f"Row {row.row}: the planned end must come after the planned start.")
    return begin, finish


def _moment(value: Value) -> datetime | None:
    return instant(value) if isinstance(value, datetime) else None


def _stand(order: Row, stages: Sequence[Row], status: OrderStatus, note: str, now: datetime) -> None:
    """Set a new order's stages so that its status follows from them; what has happened, happened as planned."""
    order["status"] = status
    first = stages[0]
    if status is OrderStatus.IN_PROGRESS:
        first["status"] = StageStatus.IN_PROGRESS
        first["started_at"] = order["started_at"] = min(order["planned_start"], now)
    elif status is OrderStatus.BLOCKED:
        first["status"] = StageStatus.BLOCKED
        first["blocked_reason"] = _reason(note)
    elif status is OrderStatus.DONE:
        for stage in stages:
            stage["status"] = StageStatus.DONE
            stage["started_at"] = min(stage["planned_start"], now)
            stage["finished_at"] = min(stage["planned_end"], now)
        order["started_at"], order["finished_at"] = first["started_at"], stages[-1]["finished_at"]
        order["quantity_done"] = order["quantity"]
    elif status is OrderStatus.CANCELLED:
        order["finished_at"] = min(order["planned_end"], now)


def _reason(note: str) -> str:
    return " ".join(note.split())[:500] or _UNSAID_REASON


def goes_back(before: Value, after: Value) -> bool:
    """Whether a file would take an order back to where the shop floor has already left; the board knows better."""
    closed = (OrderStatus.DONE.value, OrderStatus.CANCELLED.value)
    return after == OrderStatus.PLANNED.value or before in closed


def change_orders(change: Change, rows: Sequence[tuple[PlannedRow, ExistingRow]], progress: Progress) -> None:
    """Set the changed fields; a status brings the stages along, a person is put on the stages not yet done."""
    people = accounts(change)
    touching = [held.id for row, held in rows if row.changes.keys() & {"status", "assignee"}]
    stages = _stages(change, touching)
    orders: list[tuple[UUID, Row]] = []
    moved: list[tuple[UUID, Row]] = []
    for row, held in rows:
        fields = _changed_fields(row, held, people)
        own = [dict(stage) for stage in stages.get(held.id, ())]
        person = str(row.changes["assignee"][1]) if "assignee" in row.changes else ""
        for stage in own:
            if person and stage["status"] is not StageStatus.DONE:
                stage["assignee_id"] = people.get(person.casefold())
        if "status" in row.changes:
            note = str(row.values.get("description", "")) or split_assignee(held.columns["note"])[0]
            fields |= _advance(held, own, OrderStatus(str(row.changes["status"][1])), note, change.now)
            if "quantity_done" in fields:
                done_before, made = fields["quantity_done"]
                fields["quantity_done"] = (done_before, fields.get("quantity", (0, made))[1])
        if fields:
            orders.append((held.id, fields))
        for before, after in zip(stages.get(held.id, ()), own, strict=True):
            differing = {name: (before[name], after[name]) for name in after if before[name] != after[name]}
            if differing:
                moved.append((after["id"], differing))
    change.patch(WorkOrder, orders)
    change.patch(Stage, moved)
    progress(len(rows), len(rows))


def _stages(change: Change, order_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    names = ("id", "status", "started_at", "finished_at", "changed_at", "assignee_id", "blocked_reason")
    for begin in range(0, len(order_ids), 400):
        rows = change.session.execute(
            select(Stage.work_order_id, *(getattr(Stage, name) for name in names))
            .where(Stage.work_order_id.in_(order_ids[begin : begin + 400]), ~Stage.deleted)
            .order_by(Stage.work_order_id, Stage.position)
        )
        for order_id, *values in rows:
            found[order_id].append(dict(zip(names, values, strict=True)))
    return found


def _changed_fields(row: PlannedRow, held: ExistingRow, people: Mapping[str, UUID]) -> Row:
    fields: Row = {}
    for key, (_, new) in row.changes.items():
        if key in ("status", "assignee", "description"):
            continue
        column = ORDER_COLUMNS[key]
        fields[column] = (held.columns[column], instant(new) if isinstance(new, datetime) else new)
    start = fields.get("planned_start", (None, held.columns["planned_start"]))[1]
    end = fields.get("planned_end", (None, held.columns["planned_end"]))[1]
    if start >= end:
        raise Refused(
            f"Row {row.row}: the planned end of {held.columns['number']} must come after its planned start."
        )
    if row.changes.keys() & {"assignee", "description"}:
        before = held.columns["note"]
        note, person = split_assignee(before)
        note = str(row.changes["description"][1]) if "description" in row.changes else note
        person = str(row.changes["assignee"][1]) if "assignee" in row.changes else person
        after = with_assignee(note, "" if person.casefold() in people else person)
        if after != before:
            fields["note"] = (before, after)
    return fields


def _advance(held: ExistingRow, stages: Sequence[Row], status: OrderStatus, note: str, now: datetime) -> Row:
    """Fields of an order whose file says that it has gone on, and its stages (changed in place) to match."""
    before: OrderStatus = held.columns["status"]
    if goes_back(before.value, status.value):
        raise Refused(
            f"Work order {held.columns['number']} is {before.words}; a file cannot set it back to {status.words}."
        )
    still_open = [stage for stage in stages if stage["status"] is not StageStatus.DONE]
    fields: Row = {"status": (before, status)}
    if status is OrderStatus.IN_PROGRESS:
        blocked = [stage for stage in still_open if stage["status"] is StageStatus.BLOCKED]
        for stage in blocked or still_open[:1]:
            _move(stage, StageStatus.IN_PROGRESS, now)
    elif status is OrderStatus.BLOCKED:
        for stage in still_open[:1]:
            _move(stage, StageStatus.BLOCKED, now)
            stage["blocked_reason"] = _reason(note)
    elif status is OrderStatus.DONE:
        for stage in still_open:
            _move(stage, StageStatus.DONE, now)
        quantity = held.columns["quantity"]
        fields["quantity_done"] = (held.columns["quantity_done"], quantity)
    if status in (OrderStatus.DONE, OrderStatus.CANCELLED):
        fields["finished_at"] = (held.columns["finished_at"], now)
    if held.columns["started_at"] is None and any(stage["started_at"] for stage in stages):
        fields["started_at"] = (None, now)
    return fields


def _move(stage: Row, to: StageStatus, now: datetime) -> None:
    stage["status"], stage["changed_at"], stage["blocked_reason"] = to, now, ""
    if to in (StageStatus.IN_PROGRESS, StageStatus.DONE) and stage["started_at"] is None:
        stage["started_at"] = now
    if to is StageStatus.DONE:
        stage["finished_at"] = now
