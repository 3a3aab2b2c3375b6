"""What people did about alarms, in the order in which it was committed."""

from __future__ import annotations

from sqlalchemy import Integer, Label, literal_column, select
from sqlalchemy.orm import Session

from app.store.tables import AlarmAction


def acts_after(session: Session, number: int) -> list[tuple[int, AlarmAction]]:
    """Acts on alarms with a number above `number`, in order.

    The number is SQLite's own row number: it follows the order of the commits, whatever the clocks said.
    """
    rowid: Label[int] = literal_column("alarm_action.rowid", Integer).label("number")
    found = select(AlarmAction, rowid).where(rowid > number, ~AlarmAction.deleted).order_by(rowid)
    return [(int(own), row) for row, own in session.execute(found)]
