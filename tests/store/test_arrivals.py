"""Rows are handed out once, in the order of their coming, whatever becomes of the file's row numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app.store.queries.arrivals import Arrivals, ids_until
from app.store.tables import AlarmAction

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    engine = create_engine(f"sqlite:///{tmp_path / 'acts.sqlite'}")
    AlarmAction.metadata.create_all(engine, tables=[AlarmAction.__table__])  # type: ignore[list-item]  # a Table
    with Session(engine) as opened:
        yield opened
    engine.dispose()


def add(session: Session, *ids: UUID, deleted: bool = False) -> None:
    for id in ids:
        session.add(
            AlarmAction(
                id=id, version=1, deleted=deleted, alarm="M/t", action="acknowledge", comment="", permit="", at=NOON,
                actor="anna",
            )
        )  # fmt: skip
        session.flush()


def test_rows_come_once_and_those_that_are_known_do_not(session: Session) -> None:
    old, new, late = uuid4(), uuid4(), uuid4()
    arrivals = Arrivals(AlarmAction)
    add(session, old, new)
    assert [row.id for _, row in arrivals.news(session, {str(old)})] == [new]
    assert arrivals.news(session, ()) == []
    add(session, late)
    assert [row.id for _, row in arrivals.news(session, ())] == [late]
    assert ids_until(session, AlarmAction, 2) == [str(old), str(new)]


def test_a_row_that_takes_the_number_of_one_that_was_removed_is_found(session: Session) -> None:
    ghost, after, next_one = uuid4(), uuid4(), uuid4()
    arrivals = Arrivals(AlarmAction)
    add(session, ghost)
    arrivals.news(session, ())
    session.execute(text("DELETE FROM alarm_action"))
    add(session, after, next_one)
    assert [row.id for _, row in arrivals.news(session, ())] == [after, next_one]


def test_a_table_that_was_filled_anew_in_another_order_tells_only_what_is_new(session: Session) -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    arrivals = Arrivals(AlarmAction)
    add(session, first, second)
    arrivals.news(session, ())
    session.expunge_all()
    session.execute(text("DELETE FROM alarm_action"))
    add(session, third, second, first)
    assert [row.id for _, row in arrivals.news(session, ())] == [third]


def test_rows_that_are_taken_away_are_not_told(session: Session) -> None:
    add(session, uuid4(), deleted=True)
    assert Arrivals(AlarmAction).news(session, ()) == []
