"""The main store as the collector's source: the configured plant, and people's acts on alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from app.domain.alarms.verbs import Verb
from app.domain.plant import Plant
from app.domain.samples import Value
from app.live.commands import Command
from app.live.source import AlarmAction
from app.store.machine_secrets import SecretsPlace
from app.store.queries.alarms import acts_after
from app.store.queries.machine_writes import writes_after
from app.store.queries.plant import plant_stamp, read_plant
from app.store.queries.secrets_place import secrets_place
from app.store.read_only import ReadOnlyStore


class StorePlantSource:
    """A `PlantSource` over a store that other processes write to; it never writes."""

    def __init__(self, store: ReadOnlyStore) -> None:
        self._store = store
        self._secrets: SecretsPlace | None = None
        self._known: tuple[object, Plant] | None = None

    def version(self) -> int:
        """A number that differs after every commit to the store."""
        return self._store.version()

    def load(self) -> Plant:
        """The plant as configured; raises `WorldFault` when the store cannot be read.

        Read again only after a change to it: most commits are about something else, and thousands of tags take a while.
        """
        with self._store.reader() as session:
            stamp = plant_stamp(session)
            if self._known is None or self._known[0] != stamp:
                self._known = stamp, read_plant(session)
            return self._known[1]

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
                    permit=row.permit,
                )
                for number, row in acts_after(session, after)
            ]

    def commands_after(self, number: int) -> Sequence[Command]:
        """Values sent to machines with a number above `number`, in order."""
        with self._store.reader() as session:
            return [
                Command(own, str(row.id), row.tag, cast("Value", row.value), row.actor, row.at)
                for own, row in writes_after(session, number)
            ]

    def password(self, connection: str) -> str:
        """The password of a connection's user; empty when there is none."""
        if self._secrets is None:
            with self._store.reader() as session:
                self._secrets = secrets_place(self._store.path.parent, session)
        return self._secrets.password(connection)
