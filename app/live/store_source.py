"""The main store as the collector's source: the configured plant, and people's acts on alarms."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from app.domain.plant import Plant
from app.live.source import AlarmAction, Verb
from app.store.queries.alarms import acts_after
from app.store.queries.plant import read_plant
from app.store.read_only import ReadOnlyStore

PASSWORD_VARIABLE = "LINESIDE_MACHINE_PASSWORD"


def password_of(connection: str) -> str:
    """LINESIDE_MACHINE_PASSWORD_<NAME> (letters and digits, others as _), else LINESIDE_MACHINE_PASSWORD."""
    own = f"{PASSWORD_VARIABLE}_{re.sub('[^A-Z0-9]', '_', connection.upper())}"
    return os.environ.get(own) or os.environ.get(PASSWORD_VARIABLE, "")


class StorePlantSource:
    """A `PlantSource` over a store that other processes write to; it never writes."""

    def __init__(self, store: ReadOnlyStore) -> None:
        self._store = store

    def version(self) -> int:
        """A number that differs after every commit to the store."""
        return self._store.version()

    def load(self) -> Plant:
        """The plant as configured; raises `WorldFault` when the store cannot be read."""
        with self._store.reader() as session:
            return read_plant(session)

    def alarm_actions(self, after: int) -> Sequence[AlarmAction]:
        """Acts with a number above `after`, in order."""
        with self._store.reader() as session:
            return [
                AlarmAction(
                    number=number,
                    verb=Verb(row.action),
                    target=row.alarm,
                    actor=row.actor,
                    at=row.at,
                    until=row.until,
                    reason=row.comment,
                )
                for number, row in acts_after(session, after)
            ]

    def password(self, connection: str) -> str:
        """The password of a connection's user, from the environment; empty when there is none."""
        return password_of(connection)
