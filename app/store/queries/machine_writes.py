"""Values that people sent to machines, in the order in which that was committed."""

from __future__ import annotations

from sqlalchemy import Integer, Label, literal_column, select
from sqlalchemy.orm import Session

from app.store.tables import MachineWrite


def writes_after(session: Session, number: int) -> list[tuple[int, MachineWrite]]:
    """Writes with a number above `number`, in order.

    The number is SQLite's own row number: it follows the order of the commits, whatever the clocks said.
    """
    rowid: Label[int] = literal_column("machine_write.rowid", Integer).label("number")
    found = select(MachineWrite, rowid).where(rowid > number, ~MachineWrite.deleted).order_by(rowid)
    return [(int(own), row) for row, own in session.execute(found)]
