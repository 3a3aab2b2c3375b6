"""Human numbers such as A-WO-000042: counted on each station by itself, never given twice."""

from __future__ import annotations

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.store.tables import Counter

_LONGEST_TAIL = 12
"""Digits behind the head that still count as a number; what is longer is somebody's own."""


def take_numbers(session: Session, table: Table, head: str, count: int) -> int:
    """The first of the next `count` numbers that open with `head`, counting from 1.

    A number that a person typed or imported is passed over, together with all below the highest such one.
    """
    counter = session.get(Counter, head)
    if counter is None:
        counter = Counter(kind=head, next=1)
        session.add(counter)
    first = counter.next
    number = table.c.number
    wanted = number.between(f"{head}{first:06d}", f"{head}{first + count - 1:06d}")
    if session.execute(select(number).where(wanted).limit(1)).first() is not None:
        known = session.execute(select(number).where(number.between(f"{head}0", f"{head}9~"))).scalars()
        tails = [text.removeprefix(head) for text in known]
        first = max(
            [first, *(int(tail) + 1 for tail in tails if tail.isdecimal() and len(tail) < _LONGEST_TAIL)]
        )
    counter.next = first + count
    return first
