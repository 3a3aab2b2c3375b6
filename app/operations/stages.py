"""Stages on the board: moving, blocking with a reason, assigning to people."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import Denied, Refused, Stale
from app.domain.orders import OrderStatus, status_from_stages
from app.domain.people import Permission, require
from app.domain.stages import (
    StagePlace,
    StageStatus,
    check_blocked_reason,
    illegal_drop,
    illegal_move,
    not_yours,
    out_of_order,
)
from app.operations.change import Change, operation
from app.store.tables import Stage, UserAccount, WorkOrder


def stages_of(change: Change, order_id: UUID) -> list[Stage]:
    found = select(Stage).where(Stage.work_order_id == order_id, ~Stage.deleted).order_by(Stage.position)
    return list(change.session.execute(found).scalars())


def require_move(change: Change, stage: Stage) -> None:
    if change.actor.may(Permission.MOVE_STAGES):
        return
    require(change.actor, Permission.MOVE_OWN_STAGES)
    if stage.assignee_id != change.actor.user_id:
        raise Denied(not_yours(stage.name))


@operation(Permission.MOVE_OWN_STAGES)
def move_stage(change: Change, /, *, stage_id: UUID, to: StageStatus, reason: str = "") -> None:
    """Move a stage along planned → in progress → done, or into and out of blocked (which needs a reason).

    Raises `Refused` with the words of `illegal_move`; the order's status follows.
    """
    stage = change.get(Stage, stage_id, "stage")
    require_move(change, stage)
    order = change.get(WorkOrder, stage.work_order_id, "work order")
    if order.status is OrderStatus.CANCELLED:
        raise Refused(f"Work order {order.number} is cancelled, so its stages stay where they are.")
    stages = stages_of(change, order.id)
    earlier_open = [
        s.name for s in stages if s.position < stage.position and s.status is not StageStatus.DONE
    ]
    refusal = illegal_move(stage.status, to, started=stage.started_at is not None, earlier_open=earlier_open)
    if refusal is not None:
        raise Refused(refusal, field="to")
    stage.blocked_reason = check_blocked_reason(reason) if to is StageStatus.BLOCKED else ""
    if to is StageStatus.IN_PROGRESS and stage.started_at is None:
        stage.started_at = change.now
    if to is StageStatus.DONE:
        stage.finished_at = change.now
    stage.status = to
    stage.changed_at = change.now
    follow_stages(change, order, stages)
    change.label = f"Moved {order.number} {stage.name} to {to.words}"


def refuse_broken_routes(change: Change, stage_ids: Sequence[UUID]) -> list[tuple[WorkOrder, list[Stage]]]:
    """The orders of moved stages with all their stages.

    Raises `Denied` when the actor may not move one, `Refused` for a cancelled order, and `Stale` when no moves could
    have brought the stages where they stand.
    """
    order_ids: dict[UUID, None] = {}
    for stage_id in stage_ids:
        stage = change.get(Stage, stage_id, "stage")
        require_move(change, stage)
        order_ids[stage.work_order_id] = None
    found = []
    for order_id in order_ids:
        order = change.get(WorkOrder, order_id, "work order")
        if order.status is OrderStatus.CANCELLED:
            raise Refused(f"Work order {order.number} is cancelled, so its stages stay where they are.")
        stages = stages_of(change, order_id)
        reason = out_of_order([(stage.name, stage.status) for stage in stages])
        if reason is not None:
            raise Stale(f"{order.number}: {reason}")
        found.append((order, stages))
    return found


def follow_stages(change: Change, order: WorkOrder, stages: Sequence[Stage]) -> None:
    """Bring the order's status, start and finish in line with its stages."""
    status = status_from_stages([stage.status for stage in stages])
    order.status = status
    if order.started_at is None and any(stage.started_at for stage in stages):
        order.started_at = change.now
    order.finished_at = change.now if status is OrderStatus.DONE else None
    if status is OrderStatus.DONE:
        order.quantity_done = max(order.quantity_done, order.quantity)


@operation(Permission.MOVE_OWN_STAGES)
def advance_work_order(change: Change, /, *, order_id: UUID) -> str:
    """Take the order's next step: begin its first open stage, or finish the one in progress. Returns its words."""
    order = change.get(WorkOrder, order_id, "work order")
    for stage in stages_of(change, order_id):
        if stage.status is StageStatus.DONE:
            continue
        if stage.status is StageStatus.BLOCKED:
            raise Refused(f"{stage.name} is blocked: {stage.blocked_reason}")
        to = StageStatus.DONE if stage.status is StageStatus.IN_PROGRESS else StageStatus.IN_PROGRESS
        move_stage.function(change, stage_id=stage.id, to=to)
        return f"{stage.name} {to.words}"
    raise Refused(f"All stages of {order.number} are done.")


@operation(Permission.MOVE_OWN_STAGES)
def move_order_to_stage(change: Change, /, *, order_id: UUID, stage_name: str) -> None:
    """What dropping a card on another column means: finish the present stage and begin the next one.

    An empty `stage_name` finishes the last stage. Raises `Refused` with the words of `illegal_drop`.
    """
    order = change.get(WorkOrder, order_id, "work order")
    stages = stages_of(change, order_id)
    places = [StagePlace(s.name, s.status, s.started_at is not None, s.blocked_reason) for s in stages]
    refusal = illegal_drop(order.number, places, stage_name)
    if refusal is not None:
        raise Refused(refusal, field="stage_name")
    current = next(stage for stage in stages if stage.status is not StageStatus.DONE)
    if stage_name == current.name:
        move_stage.function(change, stage_id=current.id, to=StageStatus.IN_PROGRESS)
    else:
        move_stage.function(change, stage_id=current.id, to=StageStatus.DONE)
        for following in stages[stages.index(current) + 1 :][:1]:
            move_stage.function(change, stage_id=following.id, to=StageStatus.IN_PROGRESS)
    change.label = f"Moved {order.number} to {stage_name}" if stage_name else f"Finished {order.number}"


@operation(Permission.ASSIGN_STAGES)
def assign_stages(change: Change, /, *, ids: Sequence[UUID], assignee_id: UUID | None) -> None:
    """Give stages to a person, or to nobody, all or none."""
    if not ids:
        raise Refused("Select at least one stage.")
    name = "nobody"
    if assignee_id is not None:
        account = change.get(UserAccount, assignee_id, "user")
        if account.disabled:
            raise Refused(
                f"The account {account.name} is disabled; choose someone else.", field="assignee_id"
            )
        name = account.name
    for stage_id in ids:
        stage = change.get(Stage, stage_id, "stage")
        if stage.status is StageStatus.DONE:
            raise Refused(f"{stage.name} is done; a done stage is not assigned any more.")
        stage.assignee_id = assignee_id
    change.label = f"Assigned {'a stage' if len(ids) == 1 else f'{len(ids)} stages'} to {name}"
