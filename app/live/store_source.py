"""The main store as the collector's source: the configured plant, and people's acts on alarms."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from app.domain.alarms.verbs import Verb
from app.domain.machine_news import MachineFacts, Takeover
from app.domain.plant import Plant
from app.domain.samples import Value
from app.live.commands import Command
from app.live.source import AlarmAction
from app.store.machine_secrets import SecretsPlace
from app.store.queries.arrivals import Arrivals, ids_until
from app.store.queries.machine_facts import connection_ids, made_here, takeovers_since
from app.store.queries.plant import plant_stamp, read_plant
from app.store.queries.secrets_place import secrets_place
from app.store.read_only import ReadOnlyStore
from app.store.sharing import joined_station
from app.store.tables import AlarmAction as AlarmActionRow
from app.store.tables import MachineWrite

_ORDER_HOLDS = timedelta(
    minutes=10
)  # an older order to take a machine over may not be what anybody wants now


class StorePlantSource:
    """A `PlantSource` over a store that other processes write to; it never writes."""

    def __init__(self, store: ReadOnlyStore) -> None:
        self._store = store
        self._secrets: SecretsPlace | None = None
        self._known: tuple[object, Plant] | None = None
        self._acts_at: int | None = None
        self._writes_at: int | None = None
        self._acts = Arrivals(AlarmActionRow)
        self._writes = Arrivals(MachineWrite)

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

    def alarm_actions(self, known: Container[str]) -> Sequence[AlarmAction]:
        """Acts that were not handed out yet and whose ids are not `known`, in the order in which they came here."""
        if self._store.version() == self._acts_at:
            return []
        with self._store.reader() as session:
            self._acts_at = self._store.version()
            return [
                AlarmAction(
                    id=str(row.id),
                    verb=Verb(row.action),
                    target=row.alarm,
                    actor=row.actor,
                    at=row.at,
                    until=row.until,
                    reason=row.comment,
                    permit=row.permit,
                )
                for _, row in self._acts.news(session, known)
            ]

    def machine_facts(self) -> MachineFacts:
        """Connections with their ids, and the takeovers of the last minutes."""
        with self._store.reader() as session:
            ids = connection_ids(session)
            named = {id: name for name, id in ids.items()}
            orders = tuple(
                Takeover(row.id, named[row.connection_id], row.station, row.at)
                for row in takeovers_since(session, datetime.now(UTC) - _ORDER_HOLDS)
                if row.connection_id in named
            )
            unsent = frozenset(named[id] for id in made_here(session) if id in named)
            return MachineFacts(ids, unsent, orders, joined_station(session) or "")

    def acts_until(self, number: int) -> list[str]:
        """Ids of the acts with a row number up to `number`, which is what an earlier Lineside remembered."""
        with self._store.reader() as session:
            return ids_until(session, AlarmActionRow, number)

    def commands(self, known: Container[str]) -> Sequence[Command]:
        """Values sent to machines that were not handed out yet and are not `known`, in the order of their coming."""
        if self._store.version() == self._writes_at:
            return []
        with self._store.reader() as session:
            self._writes_at = self._store.version()
            return [
                Command(own, str(row.id), row.tag, cast("Value", row.value), row.actor, row.at)
                for own, row in self._writes.news(session, known)
            ]

    def password(self, connection: str) -> str:
        """The password of a connection's user; empty when there is none."""
        if self._secrets is None:
            with self._store.reader() as session:
                self._secrets = secrets_place(self._store.path.parent, session)
        return self._secrets.password(connection)
