"""One value of a refused change: before, wanted, what stands there, another one; and which of them to take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QRadioButton, QWidget

from app.domain.conflicts import Take
from app.store.queries.conflicts import ShownPoint, as_written
from ui.models.wording import NONE, moment, number
from ui.theme import current_theme
from ui.widgets.fields import ChoiceField, Field, MomentField, TextField, TickField, Value, WholeField
from ui.widgets.themed import RoleLabel

_FAR = 2_000_000_000
_SHORT = 30


def value_words(shown: ShownPoint, value: Any, names: Mapping[str, str]) -> str:
    """A value as a person reads it; a dash for none, "(empty)" for an empty text."""
    if value is None:
        return NONE
    if shown.kind == "row":
        return names.get(str(value), str(value))
    if shown.kind == "time":
        at = _time_of(value)
        return str(value) if at is None else moment(at)
    if shown.point.field == "deleted":
        return "deleted" if value else "kept"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if shown.kind == "choice":
        return str(value).replace("_", " ")
    return str(value) or "(empty)"


def _field_for(shown: ShownPoint) -> Field | None:
    """What a person writes another value into; None for values that nobody types."""
    if shown.kind == "choice":
        return ChoiceField([(choice, choice.replace("_", " ")) for choice in shown.choices])
    if shown.kind == "time":
        return MomentField()
    if shown.kind == "integer":
        return WholeField(-_FAR, _FAR)
    if shown.kind == "flag":
        return None if shown.point.field == "deleted" else TickField("yes")  # kept or deleted: no third way
    return TextField("another value") if shown.kind in ("text", "decimal") else None


def _as_field(shown: ShownPoint, value: Any) -> Value:
    return _time_of(value) if shown.kind == "time" and value else value


def _time_of(value: Any) -> datetime | None:
    """The moment; None for what a station wrote there that is none."""
    try:
        at = datetime.fromisoformat(str(value))
        at.astimezone()
    except (ValueError, OverflowError):
        return None
    return at


class PointRow(QObject):
    """One line of a grid. `take` is which one is chosen, None as long as nobody chose."""

    changed = Signal()

    def __init__(self, shown: ShownPoint, names: Mapping[str, str], owner: QWidget) -> None:
        super().__init__(owner)
        self.shown = shown
        point = shown.point
        self.title = RoleLabel(shown.title, "strong" if point.clash else "body")
        self.base = RoleLabel(value_words(shown, point.base, names), "body", "text2")
        self.mine = _radio(value_words(shown, point.mine, names))
        self.theirs = _radio(NONE if point.created else value_words(shown, point.theirs, names))
        self.other = QRadioButton()
        self.field = _field_for(shown)
        self._group = QButtonGroup(self)
        for button, words in ((self.mine, "wanted"), (self.theirs, "is there"), (self.other, "other")):
            button.setAccessibleName(f"{shown.row} {shown.title}, {words}: {button.text()}")
            self._group.addButton(button)
        self._group.buttonClicked.connect(self._on_chosen)
        for label in (self.title, self.base):
            label.setWordWrap(True)
        if self.field is not None:
            self.field.set_value(_as_field(shown, point.mine))
            self._listen(self.field.widget())

    def place(self, grid: QGridLayout, line: int) -> None:
        """Put the cells into a line of the grid, in the order in which they are read."""
        for column, widget in enumerate((self.title, self.base, self.mine, self.theirs)):
            grid.addWidget(widget, line, column)
        cell = QWidget()
        inside = QHBoxLayout(cell)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.other)
        if self.field is not None:
            widget = self.field.widget()
            widget.setAccessibleName(f"{self.shown.row} {self.shown.title}, another value")
            inside.addWidget(widget, 1)
        else:
            self.other.hide()
        grid.addWidget(cell, line, 4)
        self.restyle()

    def restyle(self) -> None:
        """Take height and font from the theme."""
        theme = current_theme()
        controls: list[QWidget] = [self.mine, self.theirs, self.other]
        if self.field is not None:
            controls.append(self.field.widget())
        for widget in controls:
            widget.setMinimumHeight(theme.density.control_height)
            widget.setFont(theme.font("body"))

    @property
    def take(self) -> Take | None:
        buttons = ((self.mine, Take.MINE), (self.theirs, Take.THEIRS), (self.other, Take.OTHER))
        return next((take for button, take in buttons if button.isChecked()), None)

    def choose(self, take: Take) -> None:
        """Take this one; without a field for another value the wanted one stands for it."""
        button = {Take.MINE: self.mine, Take.THEIRS: self.theirs, Take.OTHER: self.other}[take]
        if take is Take.OTHER and self.field is None:
            button = self.mine
        if not button.isChecked():
            button.setChecked(True)
            self.changed.emit()

    def set_enabled(self, enabled: bool) -> None:
        for button in (self.mine, self.theirs, self.other):
            button.setEnabled(enabled)
        if self.field is not None:
            self.field.widget().setEnabled(enabled)

    def chosen_value(self) -> Any:
        """What the value shall become, as JSON."""
        if self.take is Take.THEIRS and not self.shown.point.created:
            return self.shown.point.now
        if self.take is Take.OTHER and self.field is not None:
            return self._typed(self.field.value())
        return self.shown.point.mine

    def _typed(self, value: Value) -> Any:
        if self.shown.kind == "decimal":
            text = str(value or "").strip().replace(",", ".").replace("−", "-")
            try:
                return float(Decimal(text)) if text else None
            except ArithmeticError:
                return value
        if isinstance(value, datetime):
            return as_written(value.astimezone(UTC))
        return value

    def draft(self) -> tuple[Take | None, Value]:
        """What was chosen and typed, to be put back by `set_draft`."""
        return self.take, self.field.value() if self.field is not None else None

    def set_draft(self, draft: tuple[Take | None, Value]) -> None:
        take, value = draft
        if self.field is not None:
            self.field.set_value(value)
        if take is not None:
            self.choose(take)

    def focus_field(self) -> None:
        if self.field is not None:
            self.field.widget().setFocus(Qt.FocusReason.OtherFocusReason)

    def _listen(self, widget: QWidget) -> None:
        for name in ("textEdited", "activated", "dateTimeChanged", "toggled", "valueChanged"):
            signal = getattr(widget, name, None)
            if signal is not None:
                signal.connect(self._on_typed)
                return

    def _on_typed(self, _value: object = None) -> None:
        """Who writes another value means it."""
        self.other.setChecked(True)
        self.changed.emit()

    def _on_chosen(self, _button: object) -> None:
        if self.take is Take.OTHER:
            self.focus_field()
        self.changed.emit()


def _radio(words: str) -> QRadioButton:
    line = words.replace("\n", " ")
    button = QRadioButton(line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…")
    button.setToolTip(words if len(line) > _SHORT else "")
    return button
