"""This station's side of a round: its store, its unconfirmed changes, and the one way in which the engine writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.domain.identity import uuid7
from app.store.entries import SHARED_SCHEMA
from app.store.sessions import Store
from app.sync.failpoints import Reach, unhindered
from app.sync.unconfirmed import Unconfirmed

T = TypeVar("T")


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> UUID:
    return uuid7(_now())


class CancelledError(Refused):
    """The person who waited does not want to any more."""


def _silent(_what: str, _done: int, _total: int) -> None:
    return


def _never() -> bool:
    return False


@dataclass
class Station:
    """One open store that shares a server; used by one thread at a time.

    `schema` is what this program knows (`app.store.entries.SHARED_SCHEMA`). `progress` is told of long steps (words,
    done, total), `cancelled` is asked in them.
    """

    store: Store
    schema: int = SHARED_SCHEMA
    clock: Callable[[], datetime] = _now
    new_id: Callable[[], UUID] = _new_id
    reach: Reach = unhindered
    progress: Callable[[str, int, int], None] = _silent
    cancelled: Callable[[], bool] = _never
    unconfirmed: Unconfirmed = field(default_factory=Unconfirmed)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in one local transaction, whole or not at all."""

        def through(session: Session) -> T:
            return work(session.connection())

        return self.store.submit(through).result()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Look at one snapshot."""
        with self.store.reader() as session:
            return work(session.connection())

    def check_cancelled(self) -> None:
        """Raises `CancelledError` when nobody wants to wait any more."""
        if self.cancelled():
            raise CancelledError("It was cancelled; nothing was changed here.")
