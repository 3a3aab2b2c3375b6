"""Finds a row by what people call it: an order's number, `ORDER/STAGE`, an issue's number, a user's name."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.store.tables import Inspection, Issue, Outbox, Stage, UserAccount, WorkOrder


def find_id(session: Session, parameter: str, text: str) -> UUID:
    """The id that `text` means for an operation's `parameter`: an id itself, or the human name of such a row.

    Raises `NotFound` in words when there is none.
    """
    text = text.strip().strip('"')
    try:
        return UUID(text)
    except ValueError:
        pass
    for statement in _candidates(parameter, text):
        found = session.execute(statement).scalars().first()
        if found is not None:
            return found
    raise NotFound(f"There is nothing called {text} for {parameter}.", field=parameter)


def _candidates(parameter: str, text: str) -> list[Select[UUID]]:
    order = select(WorkOrder.id).where(WorkOrder.number == text, ~WorkOrder.deleted)
    number, _, stage_name = text.rpartition("/")
    stage = (
        select(Stage.id)
        .join(WorkOrder, WorkOrder.id == Stage.work_order_id)
        .where(WorkOrder.number == number, Stage.name == stage_name, ~Stage.deleted, ~WorkOrder.deleted)
    )
    issue = select(Issue.id).where(Issue.number == text, ~Issue.deleted)
    inspection = select(Inspection.id).where(Inspection.number == text, ~Inspection.deleted)
    user = select(UserAccount.id).where(UserAccount.name_key == text.casefold(), ~UserAccount.deleted)
    by_parameter: dict[str, list[Select[UUID]]] = {
        "order_id": [order],
        "stage_id": [stage],
        "issue_id": [issue],
        "user_id": [user],
        "assignee_id": [user],
        "change_id": [select(Outbox.change_id).where(Outbox.n == int(text))] if text.isdigit() else [],
    }
    return by_parameter.get(parameter, [order, stage, issue, inspection, user])
