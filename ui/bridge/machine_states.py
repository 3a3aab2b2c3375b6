"""How each machine is now: its state with the moment it began, its health, and why nothing is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from app.domain.equipment import EquipmentState, Health, TagView, equipment_state, health
from app.domain.plant import Equipment, Plant, Tag
from app.domain.trend import Forecast
from app.store.history import AlarmRecord
from ui.bridge.machines import MachineNow, SignalNow, tag_view
from ui.bridge.values_now import ValuesNow

_NO_DATA = (EquipmentState.OFFLINE, EquipmentState.UNKNOWN)


class MachineStates:
    """Judges machines by their values; remembers since when each has been in its state."""

    def __init__(
        self,
        values: ValuesNow,
        *,
        clock: Callable[[], datetime],
        alarms: Callable[[], Mapping[str, AlarmRecord]],
        forecast: Callable[[str], Forecast | None],
    ) -> None:
        self._values, self._clock, self._alarms, self._forecast = values, clock, alarms, forecast
        self._maintenance: frozenset[str] = frozenset()
        self._equipment: dict[str, Equipment] = {}
        self._tags_of: dict[str, list[Tag]] = {}
        self._states: dict[str, tuple[EquipmentState, datetime, bool]] = {}

    def follow(self, plant: Plant, maintenance: frozenset[str]) -> None:
        """The machines that there are, and those that are out for maintenance."""
        self._maintenance = maintenance
        self._equipment = {e.code: e for e in plant.equipment}
        self._tags_of = {e.code: [] for e in plant.equipment}
        for tag in plant.tags:
            self._tags_of.setdefault(tag.equipment, []).append(tag)

    def machine(self, code: str) -> MachineNow | None:
        """A machine as it is to be shown now; None when the plant does not know it."""
        equipment = self._equipment.get(code)
        if equipment is None:
            return None
        tags = self._tags_of.get(code, [])
        alarms = self._alarms()
        views = [self._view(tag, alarms.get(tag.name)) for tag in tags]
        state = equipment_state(views, in_maintenance=code in self._maintenance)
        found = health(views, self._clock()) if any(view.holds for view in views) else Health(None)
        since, since_start = self._in_state(code, state)
        signals = tuple(self._values.signal(tag) for tag in tags)
        silent = next((s.reason for s in signals if s.reason), "") if state in _NO_DATA else ""
        return MachineNow(
            equipment, state, since, since_start, found, signals, silent, self._known_until(signals)
        )

    def machines(self) -> list[MachineNow]:
        """All machines in the order of the plant."""
        found = (self.machine(code) for code in self._equipment)
        return [m for m in found if m is not None]

    def _view(self, tag: Tag, alarm: AlarmRecord | None) -> TagView:
        return tag_view(
            tag,
            self._values.latest(tag.name),
            self._values.quality(tag),
            self._values.confirmed(tag),
            alarm,
            self._forecast(tag.name),
            vouched=self._values.vouches(tag),
        )

    def _known_until(self, signals: tuple[SignalNow, ...]) -> datetime | None:
        """Until when anything was known of the machine; None when nothing ever was."""
        ages = [s.age for s in signals if s.age is not None and s.usable is not None]
        return self._clock() - timedelta(seconds=min(ages)) if ages else None

    def _in_state(self, code: str, state: EquipmentState) -> tuple[datetime, bool]:
        known = self._states.get(code)
        if known is None or known[0] is not state:
            first = known is None or (known[2] and known[0] is EquipmentState.UNKNOWN)
            known = self._states[code] = (state, self._clock(), first)
        return known[1], known[2]
