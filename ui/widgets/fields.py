"""The kinds of field that a form can hold, each read and set as one plain value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Protocol

from PySide6.QtCore import QDateTime, QLocale, Qt, QTimeZone, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDateTimeEdit,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

Value = str | int | bool | Decimal | datetime | None


class Field(Protocol):
    """What a form needs of a field."""

    def widget(self) -> QWidget: ...
    def value(self) -> Value: ...
    def set_value(self, value: Value) -> None: ...


class TextField(QLineEdit):
    """One line of text; value is str without spaces at its ends."""

    def __init__(self, hint: str = "", *, secret: bool = False) -> None:
        super().__init__()
        self.setPlaceholderText(hint)
        self.setTextMargins(4, 0, 4, 0)
        if secret:
            self.setEchoMode(QLineEdit.EchoMode.Password)
        self._secret = secret

    def widget(self) -> QWidget:
        return self

    def value(self) -> Value:
        return self.text() if self._secret else self.text().strip()

    def set_value(self, value: Value) -> None:
        self.setText("" if value is None else str(value))


class DecimalField(QLineEdit):
    """A number typed as people type it; value is Decimal, None when empty, or the text when it is no number."""

    def __init__(self, hint: str = "") -> None:
        super().__init__()
        self.setPlaceholderText(hint)
        self.setTextMargins(4, 0, 4, 0)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setInputMethodHints(Qt.InputMethodHint.ImhFormattedNumbersOnly)

    def widget(self) -> QWidget:
        return self

    def value(self) -> Value:
        text = self.text().strip().replace("−", "-")
        if not text:
            return None
        point = QLocale().decimalPoint()
        if point != "." and "." not in text:
            text = text.replace(point, ".")
        try:
            number = Decimal(text)
        except InvalidOperation:
            return text
        return number if number.is_finite() else text

    def set_value(self, value: Value) -> None:
        self.setText("" if value is None else str(value))


class WholeField(QSpinBox):
    """A whole number; the wheel does not change it while it has no focus."""

    def __init__(self, low: int = 0, high: int = 1_000_000, unit: str = "") -> None:
        super().__init__()
        self.setRange(low, high)
        self.setGroupSeparatorShown(True)
        self.setSuffix(f" {unit}" if unit else "")

    def widget(self) -> QWidget:
        return self

    def set_value(self, value: Value) -> None:
        self.setValue(int(value) if isinstance(value, (int, Decimal, str)) else self.minimum())

    # QSpinBox.value() is what a form asks for; it needs no other name.


class ChoiceField(QComboBox):
    """One of several (value, label) pairs; value is the chosen value or None."""

    def __init__(self, choices: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.set_choices(choices)

    def set_choices(self, choices: Sequence[tuple[str, str]]) -> None:
        """Replace the choices; a chosen value that is still there stays chosen."""
        chosen = self.currentData()
        self.clear()
        for value, label in choices:
            self.addItem(label, value)
        self.setCurrentIndex(self.findData(chosen) if chosen is not None else -1)

    def widget(self) -> QWidget:
        return self

    def value(self) -> Value:
        data = self.currentData()
        return None if data is None else str(data)

    def set_value(self, value: Value) -> None:
        self.setCurrentIndex(-1 if value is None else self.findData(value))


class MomentField(QDateTimeEdit):
    """A moment shown in local time, 24 h; value is an aware datetime in UTC."""

    def __init__(self) -> None:
        super().__init__()
        self.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.setCalendarPopup(True)

    def widget(self) -> QWidget:
        return self

    def value(self) -> Value:
        return datetime.fromtimestamp(self.dateTime().toMSecsSinceEpoch() / 1000, UTC)

    def set_value(self, value: Value) -> None:
        moment = value if isinstance(value, datetime) else datetime.now(UTC)
        stamp = QDateTime.fromMSecsSinceEpoch(round(moment.timestamp() * 1000), QTimeZone.systemTimeZone())
        self.setDateTime(stamp)


class LongTextField(QPlainTextEdit):
    """Several lines of text; Tab leaves the field, Ctrl+Enter submits the form."""

    submitted = Signal()

    def __init__(self, hint: str = "", rows: int = 3) -> None:
        super().__init__()
        self.setPlaceholderText(hint)
        self.setTabChangesFocus(True)
        self._rows = rows

    def widget(self) -> QWidget:
        self.setFixedHeight(self.fontMetrics().lineSpacing() * self._rows + 14)
        return self

    def value(self) -> Value:
        return self.toPlainText().strip()

    def set_value(self, value: Value) -> None:
        self.setPlainText("" if value is None else str(value))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        entered = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if entered and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.submitted.emit()
        else:
            super().keyPressEvent(event)


class TickField(QCheckBox):
    """Yes or no; value is bool."""

    def widget(self) -> QWidget:
        return self

    def value(self) -> Value:
        return self.isChecked()

    def set_value(self, value: Value) -> None:
        self.setChecked(bool(value))
