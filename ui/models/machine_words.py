"""Machines and their values in words and glyphs, the same on every screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.domain.equipment import EquipmentState
from app.domain.plant import Limits, Tag
from app.domain.samples import Value
from app.store.queries.outlook import Outlook
from ui.bridge.machines import MachineNow, SignalNow
from ui.models.wording import MINUS, NONE
from ui.widgets import analog_bar

KEY_SIGNALS = 4
STATE_ORDER = (
    EquipmentState.CRITICAL,
    EquipmentState.WARNING,
    EquipmentState.OPERATIONAL,
    EquipmentState.MAINTENANCE,
    EquipmentState.OFFLINE,
    EquipmentState.UNKNOWN,
)
STATE_GLYPHS = {
    EquipmentState.CRITICAL: "critical",
    EquipmentState.WARNING: "warning",
    EquipmentState.OPERATIONAL: "running",
    EquipmentState.MAINTENANCE: "maintenance",
    EquipmentState.OFFLINE: "unknown",
    EquipmentState.UNKNOWN: "unknown",
}
STATE_WORDS = {
    EquipmentState.CRITICAL: "Critical",
    EquipmentState.WARNING: "Warning",
    EquipmentState.OPERATIONAL: "Operational",
    EquipmentState.MAINTENANCE: "Maintenance",
    EquipmentState.OFFLINE: "Offline",
    EquipmentState.UNKNOWN: "No data",
}


def value_words(value: Value) -> str:
    """A measured value with as many digits as one can read: `1,502`, `86.2`, `2.05`, `on`."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return value
    if value != value:
        return NONE
    if isinstance(value, int) or abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"
    return text.replace("-", MINUS)


def age_words(seconds: float | None) -> str:
    """How old a value is, in its largest unit only: `1 s`, `4 min`, `3 h`."""
    if seconds is None:
        return NONE
    whole = int(seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if whole >= size:
            return f"{whole // size:,} {unit}"
    return f"{max(whole, 1)} s"


def signal_words(signal: SignalNow) -> str:
    """Value with unit, for a list or a screen reader."""
    value = None if signal.sample is None else signal.sample.value
    if signal.tag.states and isinstance(value, int):
        return dict(signal.tag.states).get(int(value), value_words(value))
    return f"{value_words(value)} {signal.tag.unit}".strip()


def is_number(tag_value: Value) -> bool:
    return isinstance(tag_value, int | float) and not isinstance(tag_value, bool)


def key_signals(machine: MachineNow) -> list[SignalNow]:
    """The few signals that a tile has room for: those with limits first, then numbers, then the rest."""

    def rank(signal: SignalNow) -> int:
        if signal.tag.limits:
            return 0
        return 1 if signal.sample is None or is_number(signal.sample.value) else 2

    return sorted(machine.signals, key=rank)[:KEY_SIGNALS]


def bar_limits(limits: Limits) -> analog_bar.Limits:
    """Limits as the analog bar wants them."""
    return analog_bar.Limits(lolo=limits.lolo, lo=limits.lo, hi=limits.hi, hihi=limits.hihi)


def bar_range(tag: Tag, seen: Sequence[float]) -> tuple[float, float]:
    """Ends of a bar: a little beyond the limits, and always around what was seen lately."""
    limits = tag.limits
    known = [x for x in (limits.lolo, limits.lo, limits.hi, limits.hihi) if x is not None]
    if not known and tag.scale is not None:
        known = [tag.scale.eu_lo, tag.scale.eu_hi]
    if known and len(seen):
        one_sided = limits.lo is None and limits.lolo is None and tag.scale is None
        known = [*known, min(seen)] if one_sided else known
    reach = [*known, *seen]
    if not reach:
        return 0.0, 1.0
    low, high = min(reach), max(reach)
    margin = (high - low) * 0.12 or max(abs(high) * 0.1, 0.5)
    return low - margin, high + margin


def normal_band(limits: Limits) -> tuple[float, float] | None:
    """The band between the warning limits, where there are two."""
    return (limits.lo, limits.hi) if limits.lo is not None and limits.hi is not None else None


def state_words(machine: MachineNow, held: str, now: datetime) -> str:
    """The state with how long it lasts; of a machine that nobody hears only until when anything was known of it."""
    if machine.state is not EquipmentState.UNKNOWN:
        return f"{STATE_WORDS[machine.state]} {held}".rstrip()
    until = machine.known_until
    return "No data yet" if until is None else f"No data since {_clock(until, now)}"


def _clock(moment: datetime, now: datetime) -> str:
    """A local time, with its day when that is not today."""
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else f"{local:%a %d %b %H:%M}"


def summary(machine: MachineNow, state: str) -> str:
    """One sentence on a machine, for tooltips and screen readers; `state` as `state_words` says it."""
    score = "" if machine.health.score is None else f", health {machine.health.score}"
    return f"{machine.equipment.name}: {state[:1].lower()}{state[1:]}{score}. {why(machine)}"


def why(machine: MachineNow) -> str:
    """The most important thing to say about a machine now."""
    if machine.state is EquipmentState.MAINTENANCE:
        return "Taken out for maintenance."
    if machine.silent and not machine.heard:
        return f"{machine.silent[:1].upper()}{machine.silent[1:]}".rstrip(".") + "."
    if machine.health.score is not None and not machine.health.losses:
        return "All values within limits."  # as short as a tile needs it
    return machine.health.sentence


def counter_words(tag: Tag, outlook: Outlook) -> str:
    """What a tag counted today: `1,204`, `5.2 h (80% known)`; empty when it counts nothing."""
    if outlook.count is not None:
        return f"{outlook.count.total:,.0f} {tag.unit}".rstrip()
    if outlook.run is None:
        return ""
    hours = outlook.run.running / 3600
    passed = outlook.passed
    known = (
        f" ({outlook.run.known / passed:.0%} known)" if passed and outlook.run.known < 0.98 * passed else ""
    )
    return f"{hours:,.1f} h{known}"


def short_name(tag: Tag) -> str:
    """A signal's name with a capital."""
    words = tag.label or tag.name.rsplit("/", 1)[-1].replace("_", " ")
    return words[:1].upper() + words[1:]
