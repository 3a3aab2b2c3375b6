"""Work orders: creating with their routing stages, editing one or many, cancelling, deleting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Refused, Stale
from app.domain.orders import (
    CANCELLATIONS,
    DEFAULT_PRIORITY,
    LARGEST_QUANTITY,
    OrderStatus,
    check_dates,
    check_note,
    check_priority,
    check_quantity,
    check_text,
    check_year,
)
from app.domain.people import Permission
from app.domain.stages import DEFAULT_ROUTE, RouteStep, StageStatus, schedule
from app.operations.change import Change, operation
from app.store.entries import plain
from app.store.tables import RouteStage, Stage, WorkOrder

_DEFAULT_DURATION = timedelta(days=5)
_LONGEST_STAGE_MINUTES = 366 * 24 * 60


def route_for(session: Session, product: str) -> list[RouteStep]:
    """The route of `product`; the default route when it has none of its own."""
    for key in (product, ""):
        steps = session.execute(
            select(RouteStage.name, RouteStage.planned_minutes)
            .where(RouteStage.product == key, ~RouteStage.deleted)
            .order_by(RouteStage.position)
        ).all()
        if steps:
            return [RouteStep(step.name, step.planned_minutes) for step in steps]
    return list(DEFAULT_ROUTE)


# Orders of one plan share their windows; an import of 50,000 would compute the same spans again and again.
_spans = lru_cache(maxsize=10_000)(schedule)


def stage_rows(
    change: Change, order_id: UUID, route: Sequence[RouteStep], start: datetime, end: datetime
) -> list[dict[str, Any]]:
    """The rows of the stages that a new order gets: `route` spread over the order's planned window."""
    spans = _spans(tuple(route), start, end)
    return [
        {
            "id": change.new_id(),
            "work_order_id": order_id,
            "position": position,
            "name": step.name,
            "status": StageStatus.PLANNED,
            "planned_minutes": step.planned_minutes,
            "planned_start": begin,
            "planned_end": finish,
            "started_at": None,
            "finished_at": None,
            "changed_at": change.now,
            "assignee_id": None,
        }
        for position, (step, (begin, finish)) in enumerate(zip(route, spans, strict=True), start=1)
    ]


def refuse_taken_number(session: Session, number: str) -> None:
    taken = select(WorkOrder.id).where(WorkOrder.number == number, ~WorkOrder.deleted)
    if session.execute(taken).first() is not None:
        raise Refused(f"There is already a work order {number}; choose another number.", field="number")


@operation(Permission.PLAN_ORDERS)
def create_work_order(
    change: Change,
    /,
    *,
    product: str,
    quantity: int,
    number: str = "",
    product_name: str = "",
    lot: str = "",
    planned_start: datetime | None = None,
    planned_end: datetime | None = None,
    priority: int = DEFAULT_PRIORITY,
    customer: str = "",
    line: str = "",
    note: str = "",
) -> UUID:
    """Make an order and, at once, the stages of its product's route; a number is taken when none is given."""
    product = check_text(product, "product", "product", longest=120)
    this_minute = change.now.replace(second=0, microsecond=0)
    check_year(planned_start, "planned_start")
    check_year(planned_end, "planned_end")
    start = planned_start or (planned_end - _DEFAULT_DURATION if planned_end else this_minute)
    end = planned_end or start + _DEFAULT_DURATION
    check_dates(start, end)
    number = check_text(number, "number", "number", longest=60, required=False) or change.next_number(
        WorkOrder, "WO"
    )
    refuse_taken_number(change.session, number)
    order = WorkOrder(
        id=change.new_id(),
        number=number,
        product=product,
        product_name=check_text(product_name, "product name", "product_name", longest=200, required=False),
        lot=check_text(lot, "lot number", "lot", longest=60, required=False),
        quantity=check_quantity(quantity),
        quantity_done=0,
        priority=check_priority(priority),
        customer=check_text(customer, "customer", "customer", longest=120, required=False),
        line=check_text(line, "line", "line", longest=60, required=False),
        note=check_note(note, "note", "note"),
        planned_start=start,
        planned_end=end,
        status=OrderStatus.PLANNED,
        created_at=change.now,
    )
    change.session.add(order)
    change.session.flush()
    change.insert(Stage, stage_rows(change, order.id, route_for(change.session, product), start, end))
    change.label = f"Created work order {number}"
    return order.id


_EDITABLE_TEXT = {
    "product": ("product", 120, True),
    "product_name": ("product name", 200, False),
    "lot": ("lot number", 60, False),
    "customer": ("customer", 120, False),
    "line": ("line", 60, False),
}


@operation(Permission.PLAN_ORDERS)
def edit_work_orders(
    change: Change,
    /,
    *,
    ids: Sequence[UUID],
    product: str | None = None,
    product_name: str | None = None,
    lot: str | None = None,
    quantity: int | None = None,
    quantity_done: int | None = None,
    priority: int | None = None,
    customer: str | None = None,
    line: str | None = None,
    note: str | None = None,
    planned_start: datetime | None = None,
    planned_end: datetime | None = None,
    seen: Mapping[str, Any] = {},
) -> int:
    """Set the given fields on every order of `ids`, all or none; what is None stays. Returns how many were set.

    `seen` maps fields to what stood there as the person looked; raises `Stale` where something else stands there now.
    """
    texts = {"product": product, "product_name": product_name, "lot": lot, "customer": customer, "line": line}
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if text is not None:
            title, longest, required = _EDITABLE_TEXT[name]
            values[name] = check_text(text, title, name, longest=longest, required=required)
    if note is not None:
        values["note"] = check_note(note, "note", "note")
    if quantity is not None:
        values["quantity"] = check_quantity(quantity)
    if quantity_done is not None:
        values["quantity_done"] = _check_done(quantity_done)
    if priority is not None:
        values["priority"] = check_priority(priority)
    dates = {"planned_start": planned_start, "planned_end": planned_end}
    values |= {name: value for name, value in dates.items() if value is not None}
    if not values:
        raise Refused("Say what to change.")
    orders = _selected(change, ids)
    for order in orders:
        _refuse_unseen(order, values, seen)
        _set(order, values)
        if "planned_start" in values or "planned_end" in values:
            _plan_anew(change.session, order)
    fields = " and ".join(name.replace("_", " ") for name in values)
    change.label = f"Changed {fields} of {orders[0].number if len(orders) == 1 else f'{len(orders)} orders'}"
    return len(orders)


def _refuse_unseen(order: WorkOrder, values: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
    """Nobody overwrites what they never saw: another person, or another station, may have been faster."""
    for name, value in values.items():
        now = getattr(order, name)
        if name in seen and plain(now) not in (plain(seen[name]), plain(value)):
            moment = f"{now.astimezone():%Y-%m-%d %H:%M}" if isinstance(now, datetime) else now
            shown = "nothing" if now in (None, "") else f"“{moment}”"
            raise Stale(
                f"Meanwhile this was set to {shown} in {order.number}. Save once more to put yours in its place.",
                field=name,
                now=now,
            )


def _check_done(quantity_done: int) -> int:
    if quantity_done < 0:
        raise Refused("The finished quantity cannot be less than zero.", field="quantity_done")
    if quantity_done > LARGEST_QUANTITY:
        raise Refused(f"The finished quantity may be at most {LARGEST_QUANTITY:,}.", field="quantity_done")
    return quantity_done


def _selected(change: Change, ids: Sequence[UUID]) -> list[WorkOrder]:
    if not ids:
        raise Refused("Select at least one work order.")
    return [change.get(WorkOrder, order_id, "work order") for order_id in ids]


def _plan_anew(session: Session, order: WorkOrder) -> None:
    """Spread the stages over the order's new window; what is done keeps the plan that it was measured against."""
    found = select(Stage).where(Stage.work_order_id == order.id, ~Stage.deleted).order_by(Stage.position)
    stages = session.execute(found).scalars().all()
    route = [RouteStep(stage.name, stage.planned_minutes) for stage in stages]
    spans = schedule(route, order.planned_start, order.planned_end)
    for stage, (begin, finish) in zip(stages, spans, strict=True):
        if stage.status is not StageStatus.DONE:
            stage.planned_start, stage.planned_end = begin, finish


def _set(order: WorkOrder, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(order, name, value)
    check_dates(order.planned_start, order.planned_end)


@operation(Permission.PLAN_ORDERS)
def cancel_work_orders(change: Change, /, *, ids: Sequence[UUID]) -> int:
    """Call off open orders; their stages stay as they are."""
    orders = _selected(change, ids)
    for order in orders:
        if order.status not in CANCELLATIONS:
            raise Refused(f"Work order {order.number} is {order.status.words}, so it cannot be cancelled.")
        order.status = OrderStatus.CANCELLED
        order.finished_at = change.now
    change.label = f"Cancelled {orders[0].number if len(orders) == 1 else f'{len(orders)} orders'}"
    return len(orders)


@operation(Permission.DELETE_ORDERS)
def delete_work_orders(change: Change, /, *, ids: Sequence[UUID]) -> int:
    """Remove orders with their stages from every list; an undo brings them back."""
    orders = _selected(change, ids)
    for order in orders:
        order.deleted = True
        for stage in change.session.execute(
            select(Stage).where(Stage.work_order_id == order.id, ~Stage.deleted)
        ).scalars():
            stage.deleted = True
    change.label = f"Deleted {orders[0].number if len(orders) == 1 else f'{len(orders)} orders'}"
    return len(orders)


@operation(Permission.PLAN_ORDERS)
def set_route(change: Change, /, *, product: str, steps: Sequence[RouteStep]) -> None:
    """Replace the route that new orders of `product` get; an empty product means the default route."""
    if not steps:
        raise Refused("A route needs at least one stage.", field="steps")
    product = check_text(product, "product", "product", longest=120, required=False)
    names = [check_text(step.name, "stage name", "steps", longest=60) for step in steps]
    if len(set(names)) < len(names):
        raise Refused("Two stages of a route need two names.", field="steps")
    for old in change.session.execute(
        select(RouteStage).where(RouteStage.product == product, ~RouteStage.deleted)
    ).scalars():
        old.deleted = True
    change.session.flush()  # the new ones take their places
    for position, (name, step) in enumerate(zip(names, steps, strict=True), start=1):
        if not 0 < step.planned_minutes <= _LONGEST_STAGE_MINUTES:
            raise Refused(f"Stage {name} needs a planned time between one minute and a year.", field="steps")
        change.session.add(
            RouteStage(
                id=change.new_id(),
                product=product,
                position=position,
                name=name,
                planned_minutes=step.planned_minutes,
            )
        )
    change.label = f"Set the route of {product or 'all other products'}"
