"""Corrections of measured values, as charts, exports and lists ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.corrections import Correction, CorrectionKind
from app.store import tables


def correction_rows(
    session: Session, tag: str | None = None, start: datetime | None = None, end: datetime | None = None
) -> Sequence[tables.Correction]:
    """Rows of the corrections that stand, with author and reason, in the order in which they were made.

    Only those of `tag`, and those that touch start <= time < end, where these are given.
    """
    found = select(tables.Correction).where(~tables.Correction.deleted)
    if tag is not None:
        found = found.where(tables.Correction.tag == tag)
    if start is not None:
        found = found.where(tables.Correction.end > start)
    if end is not None:
        found = found.where(tables.Correction.start < end)
    return session.execute(found.order_by(tables.Correction.at, tables.Correction.id)).scalars().all()


def corrections_of(session: Session, tag: str, start: datetime, end: datetime) -> list[Correction]:
    """The corrections to lay over a tag between two times, as `HistoryReader` takes them."""
    return [
        Correction(row.tag, row.start, row.end, CorrectionKind(row.kind), row.amount)
        for row in correction_rows(session, tag, start, end)
    ]
