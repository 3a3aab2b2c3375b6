"""Everything about one tag that has no column in the table: how it alarms, what it means, what its states are."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QScrollArea, QWidget

from app.domain.errors import Refused
from app.domain.plant import (
    COUNTERS,
    AlarmSettings,
    Counter,
    DeviationRule,
    DigitalRule,
    RateRule,
    SuppressionRule,
    Tag,
)
from app.domain.plant_file import check_tag
from ui.screens.machines.tag_cells import number_of, shown_number
from ui.widgets.dialog_card import DialogCard
from ui.widgets.fields import Value
from ui.widgets.form import Form

_DELAYS = (
    ("on_delay", "On delay, s"), ("off_delay", "Off delay, s"), ("hysteresis", "Hysteresis"),
    ("comm_delay", "Silent alarm after, s"), ("stale", "Stands still for, s (0: never)"),
    ("count", "Or this many times"), ("window", "… within, s"), ("re_alarm", "Ring again after, s (0: never)"),
)  # fmt: skip
_PRIORITIES = tuple(
    (str(n), f"{n} {words}") for n, words in enumerate(("critical", "high", "medium", "low"), 1)
)
_Discrete = bool | int | str


def build_tag_form(tag: Tag) -> Form:
    """The fields, filled from the tag."""
    form = Form(submit_text="Take over")
    form.add_text("label", "Shown as", hint="empty: its name")
    form.add_tick("discrete", "Discrete: drawn in steps, never averaged")
    form.add_text("states", "Names of its numbers", hint="0 = stopped, 1 = running")
    form.add_text("invalid", "Raw values of a broken sensor", hint="-1, 32767")
    form.add_choice("counter", "Counts", (("", "nothing"), *((c, c.replace("-", " ")) for c in COUNTERS)))
    form.add_decimal("freshness", "Old after, s (0: three scans)")
    form.add_choice("priority", "Priority of its alarm", _PRIORITIES)
    for key, label in _DELAYS:
        form.add_decimal(key, label)
    form.add_tick("latching", "Stays until it is reset")
    form.add_text("rate", "Changes faster than, a second", hint="warning; critical")
    form.add_text("target", "Should be", hint="a number or another tag")
    form.add_text("deviation", "… and alarms further away than", hint="warning; critical")
    form.add_text("digital", "Alarms while it is", hint="on, 3 or a word")
    form.add_text("when", "Silent while the tag", hint="another tag")
    form.add_text("values", "… is", hint="off, 0, stopped")
    form.add_long_text("consequence", "What it means", rows=2)
    form.add_long_text("response", "What to do", rows=3)
    form.add_text("link", "Where to read more")
    form.set_values(_shown(tag))
    return form


def _shown(tag: Tag) -> dict[str, Value]:
    alarm = tag.alarm
    rate, deviation, digital, suppress = alarm.rate, alarm.deviation, alarm.digital, alarm.suppress
    shown: dict[str, Value] = {key: shown_number(getattr(alarm, key)) for key, _ in _DELAYS}
    return shown | {
        "label": tag.label,
        "discrete": tag.discrete,
        "states": ", ".join(f"{number} = {name}" for number, name in tag.states),
        "invalid": "; ".join(map(shown_number, tag.invalid)),
        "counter": tag.counter.kind if tag.counter else "",
        "freshness": shown_number(tag.freshness),
        "priority": str(alarm.priority),
        "latching": alarm.latching,
        "rate": _steps(rate.warning, rate.critical) if rate else "",
        "target": _target(deviation) if deviation else "",
        "deviation": _steps(deviation.warning, deviation.critical) if deviation else "",
        "digital": _words(digital.values) if digital else "",
        "when": suppress.when if suppress else "",
        "values": _words(suppress.values) if suppress else "",
        "consequence": alarm.consequence,
        "response": alarm.response,
        "link": alarm.link,
    }


def _target(rule: DeviationRule) -> str:
    return rule.target if isinstance(rule.target, str) else shown_number(rule.target)


def _steps(warning: float | None, critical: float | None) -> str:
    return f"{shown_number(warning)}; {shown_number(critical)}" if critical else shown_number(warning)


def _words(values: tuple[_Discrete, ...]) -> str:
    return ", ".join(("on" if v else "off") if isinstance(v, bool) else str(v) for v in values)


def read_tag_form(form: Form, tag: Tag) -> Tag:
    """The tag with what the fields say; raises Refused with the field that is wrong."""
    values = form.values()
    changed = replace(
        tag,
        label=str(values["label"]),
        discrete=bool(values["discrete"]),
        states=_states(str(values["states"])),
        invalid=tuple(
            _numbers(str(values["invalid"]), "invalid", ";" if ";" in str(values["invalid"]) else ",")
        ),
        counter=_counter(tag, str(values["counter"] or "")),
        freshness=_number(values, "freshness"),
        alarm=_alarm(tag.alarm, values),
    )
    return check_tag(changed)


def _alarm(present: AlarmSettings, values: dict[str, Value]) -> AlarmSettings:
    rate = _two(str(values["rate"]), "rate")
    numbers = {key: _number(values, key) for key, _ in _DELAYS}
    window = present.rate.window if present.rate else RateRule().window
    return replace(
        present,
        **{key: number for key, number in numbers.items() if key != "count"},
        count=int(numbers["count"]),
        priority=int(str(values["priority"])),
        latching=bool(values["latching"]),
        rate=RateRule(*rate, window) if any(rate) else None,
        deviation=_deviation(values),
        digital=_digital(present, str(values["digital"])),
        suppress=_suppress(values),
        consequence=str(values["consequence"]),
        response=str(values["response"]),
        link=str(values["link"]),
    )


def _number(values: dict[str, Value], key: str) -> float:
    value = values[key]
    if value is None:
        return 0.0
    if not isinstance(value, Decimal):
        raise Refused(f"“{value}” is not a number.", field=key)
    return float(value)


def _numbers(text: str, field: str, between: str) -> list[float]:
    try:
        found = [number_of(part) for part in text.split(between) if part.strip()]
    except Refused as refusal:
        raise Refused(refusal.sentence, field=field) from None
    return [number for number in found if number is not None]


def _two(text: str, field: str) -> tuple[float | None, float | None]:
    warning, _, critical = text.partition(";")
    try:
        return number_of(warning), number_of(critical)
    except Refused as refusal:
        raise Refused(refusal.sentence, field=field) from None


def _states(text: str) -> tuple[tuple[int, str], ...]:
    states: dict[int, str] = {}
    for part in filter(str.strip, text.split(",")):
        number, equals, name = part.partition("=")
        if not equals or not number.strip().lstrip("-").isdigit() or not name.strip():
            raise Refused("Write each number with its name, like 0 = stopped, 1 = running.", field="states")
        states[int(number)] = name.strip()
    return tuple(states.items())


def _counter(tag: Tag, kind: str) -> Counter | None:
    return replace(tag.counter or Counter(), kind=kind) if kind else None


def _deviation(values: dict[str, Value]) -> DeviationRule | None:
    steps, target = _two(str(values["deviation"]), "deviation"), str(values["target"])
    if not any(steps):
        return None
    if not target:
        raise Refused("Say what the value should be: a number or another tag.", field="target")
    try:
        aim: float | str = number_of(target) or 0.0
    except Refused:
        aim = target
    return DeviationRule(aim, *steps)


def _digital(present: AlarmSettings, text: str) -> DigitalRule | None:
    values = _discrete(text)
    return DigitalRule(values, present.digital.critical if present.digital else False) if values else None


def _suppress(values: dict[str, Value]) -> SuppressionRule | None:
    when, states = str(values["when"]), _discrete(str(values["values"]))
    if bool(when) != bool(states):
        raise Refused("Say both: which tag, and what it is then.", field="values" if when else "when")
    return SuppressionRule(when, states) if when else None


def _discrete(text: str) -> tuple[_Discrete, ...]:
    known: dict[str, _Discrete] = {"on": True, "true": True, "off": False, "false": False}
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(int(p) if p.lstrip("-").isdigit() else known.get(p.lower(), p) for p in parts)


class TagCard(DialogCard):
    """The form in a card; `taken` carries the changed tag."""

    taken = Signal(object)

    def __init__(self, tag: Tag, parent: QWidget) -> None:
        self.form = build_tag_form(tag)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.form)
        super().__init__(tag.name, area, parent)
        self._tag = tag
        self.setObjectName("card-tag")
        self.resize(680, 600)
        self.form.submitted.connect(self._submit)
        self.form.cancelled.connect(self.close)

    def _submit(self) -> None:
        try:
            tag = read_tag_form(self.form, self._tag)
        except Refused as refusal:
            field = (refusal.field or "").split(".")[-1]
            self.form.set_error(field, refusal.sentence)
            return
        self.taken.emit(tag)
        self.close()
