"""Where the collector learns what to collect and which alarms people have acted on."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from app.domain.alarms.verbs import Verb
from app.domain.errors import WorldFault
from app.domain.plant import Plant
from app.domain.plant_file import parse_plant


@dataclass(frozen=True, slots=True)
class AlarmAction:
    """A person's act: `id` is that of its row, `target` is an alarm record's id or an alarm's key."""

    id: str
    verb: Verb
    target: str
    actor: str
    at: datetime
    until: datetime | None = None
    reason: str = ""
    permit: str = ""


class PlantSource(Protocol):
    """The plant as configured now. Methods may block and are called from a thread, never two at a time."""

    def version(self) -> int:
        """A number that differs after every change of the configuration."""
        ...

    def load(self) -> Plant:
        """The plant; raises Refused when it makes no sense and WorldFault when it cannot be read."""
        ...

    def alarm_actions(self, known: Container[str]) -> Sequence[AlarmAction]:
        """Acts that were not handed out yet and whose ids are not `known`, in the order in which they came here."""
        ...

    def acts_until(self, number: int) -> Sequence[str]:
        """Ids of the acts up to a row number, which is what a Lineside before this one remembered of them."""
        ...

    def password(self, connection: str) -> str:
        """The password of a connection's user; empty when there is none."""
        ...


class FilePlantSource:
    """A plant.yaml that is read again whenever it changes; nobody acts on alarms here."""

    def __init__(self, path: Path, passwords: Mapping[str, str] | None = None) -> None:
        self._path = path
        self._passwords = dict(passwords or {})
        self._actions: tuple[AlarmAction, ...] = ()

    def version(self) -> int:
        """Time of the last change of the file."""
        try:
            return self._path.stat().st_mtime_ns
        except OSError as error:
            raise WorldFault(f"{self._path} cannot be read: {error.strerror}.") from error

    def load(self) -> Plant:
        """The plant that the file describes."""
        try:
            return parse_plant(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            raise WorldFault(f"{self._path} cannot be read: {error.strerror}.") from error

    def alarm_actions(self, known: Container[str]) -> Sequence[AlarmAction]:
        """None: a file has no people."""
        return [action for action in self._actions if action.id not in known]

    def acts_until(self, number: int) -> Sequence[str]:
        """None: a file has no people."""
        return []

    def password(self, connection: str) -> str:
        """The password handed in for a connection; a file that people pass around is no place for one."""
        return self._passwords.get(connection, "")


@dataclass
class MemoryPlantSource:
    """A plant held in memory, for the demo and for trying things out."""

    plant: Plant
    actions: list[AlarmAction] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)
    changes: int = 1
    handed: int = 0

    def change(self, plant: Plant) -> None:
        """Put another plant in place."""
        self.plant, self.changes = plant, self.changes + 1

    def act(
        self,
        verb: Verb,
        target: str,
        actor: str,
        at: datetime,
        until: datetime | None = None,
        reason: str = "",
        permit: str = "",
    ) -> AlarmAction:
        """Do something to an alarm."""
        action = AlarmAction(str(len(self.actions) + 1), verb, target, actor, at, until, reason, permit)
        self.actions.append(action)
        return action

    def version(self) -> int:
        """How often the plant was changed."""
        return self.changes

    def load(self) -> Plant:
        """The plant."""
        return self.plant

    def alarm_actions(self, known: Container[str]) -> Sequence[AlarmAction]:
        """Acts that are not known."""
        found, self.handed = self.actions[self.handed :], len(self.actions)
        return [action for action in found if action.id not in known]

    def acts_until(self, number: int) -> Sequence[str]:
        """None: nothing of this was remembered before."""
        return []

    def password(self, connection: str) -> str:
        """The password kept for a connection."""
        return self.passwords.get(connection, "")
