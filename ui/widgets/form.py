"""Builds a form: labelled fields, a sentence beside a field that is wrong, one primary button."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.theme import current_theme
from ui.widgets.buttons import ActionButton
from ui.widgets.dialog_card import DialogCard
from ui.widgets.fields import (
    ChoiceField,
    DecimalField,
    Field,
    LongTextField,
    MomentField,
    TextField,
    TickField,
    Value,
    WholeField,
)
from ui.widgets.glyphs import paint_priority
from ui.widgets.themed import LEFT, RoleLabel, ThemedWidget

__all__ = ["DialogCard", "Form"]


class _FieldError(ThemedWidget):
    """Alarm-red shape and a sentence; takes no room while there is no error."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = RoleLabel("", "meta")
        self._label.setWordWrap(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(26, 0, 0, 0)
        self.setMinimumHeight(24)
        layout.addWidget(self._label)
        self.hide()

    def show_sentence(self, sentence: str | None) -> None:
        self._label.setText(sentence or "")
        self.setVisible(bool(sentence))

    def sentence(self) -> str | None:
        return self._label.text() or None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            paint_priority(painter, QRectF(0, 0, 20, self.height()), 1, False, text="!")
        finally:
            painter.end()


class Form(ThemedWidget):
    """Add fields in order, read `values()`; Enter emits `submitted`, Esc `cancelled`.

    The form does not check anything: whoever performs the change answers with `set_error`.
    """

    submitted = Signal()
    cancelled = Signal()
    changed = Signal()

    def __init__(
        self, submit_text: str = "Save", cancel_text: str = "Cancel", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.standing: dict[str, object] = {}
        self._fields: dict[str, Field] = {}
        self._errors: dict[str, _FieldError] = {}
        self._general = _FieldError()
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(1, 1)
        self.submit_button = ActionButton(submit_text, primary=True)
        self.cancel_button = ActionButton(cancel_text)
        self.submit_button.clicked.connect(self.submit)
        self.cancel_button.clicked.connect(self._cancel)
        self.cancel_button.setVisible(bool(cancel_text))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.submit_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addLayout(self._grid)
        layout.addWidget(self._general)
        layout.addStretch(1)
        layout.addLayout(buttons)

    # -- building ------------------------------------------------------------------------------------

    def add_text(self, key: str, label: str, *, hint: str = "", secret: bool = False) -> TextField:
        field = TextField(hint, secret=secret)
        field.textEdited.connect(self._edited)
        self.add_field(key, label, field)
        return field

    def add_decimal(self, key: str, label: str, *, hint: str = "") -> DecimalField:
        field = DecimalField(hint)
        field.textEdited.connect(self._edited)
        self.add_field(key, label, field)
        return field

    def add_whole(
        self, key: str, label: str, *, low: int = 0, high: int = 1_000_000, unit: str = ""
    ) -> WholeField:
        field = WholeField(low, high, unit)
        field.valueChanged.connect(self._edited)
        self.add_field(key, label, field)
        return field

    def add_choice(self, key: str, label: str, choices: Sequence[tuple[str, str]]) -> ChoiceField:
        """`choices` are (value, shown label); nothing is chosen at first."""
        field = ChoiceField(choices)
        field.activated.connect(self._edited)
        self.add_field(key, label, field)
        return field

    def add_moment(self, key: str, label: str) -> MomentField:
        field = MomentField()
        field.set_value(None)
        field.dateTimeChanged.connect(self._edited)
        self.add_field(key, label, field)
        return field

    def add_long_text(self, key: str, label: str, *, hint: str = "", rows: int = 3) -> LongTextField:
        field = LongTextField(hint, rows)
        field.textChanged.connect(self._edited)
        field.submitted.connect(self.submit)
        self.add_field(key, label, field)
        return field

    def add_tick(self, key: str, label: str) -> TickField:
        field = TickField(label)
        field.toggled.connect(self._edited)
        self.add_field(key, "", field)
        return field

    def add_field(self, key: str, label: str, field: Field) -> None:
        """Add any field with a label buddy and a place for its error."""
        row = 2 * len(self._fields)
        widget = field.widget()
        widget.setObjectName(f"field_{key}")
        widget.setAccessibleName(label or key)
        if not isinstance(field, LongTextField):
            widget.setMinimumHeight(self.theme.density.control_height)
        if label:
            caption = RoleLabel(label, "body", "text2")
            caption.setBuddy(widget)
            top = isinstance(field, LongTextField)
            self._grid.addWidget(caption, row, 0, Qt.AlignmentFlag.AlignTop if top else LEFT)
        self._grid.addWidget(widget, row, 1)
        error = _FieldError()
        self._grid.addWidget(error, row + 1, 1)
        self._fields[key] = field
        self._errors[key] = error

    # -- use -----------------------------------------------------------------------------------------

    def field(self, key: str) -> QWidget:
        """Widget of a field; an unknown key is a KeyError."""
        return self._fields[key].widget()

    def values(self) -> dict[str, Value]:
        """Every field's value by key, in the order of the form."""
        return {key: field.value() for key, field in self._fields.items()}

    def set_values(self, values: Mapping[str, Value]) -> None:
        """Fill the named fields; an unknown key is a KeyError."""
        for key, value in values.items():
            self._fields[key].set_value(value)

    def set_error(self, field: str | None, sentence: str | None) -> None:
        """Put a sentence beside a field and the cursor into it; None clears it.

        A field that the form does not have, or None, shows the sentence above the buttons.
        """
        error = self._errors.get(field or "", self._general)
        error.show_sentence(sentence)
        if field is not None and field in self._fields:
            widget = self._fields[field].widget()
            widget.setAccessibleDescription(sentence or "")
            if sentence:
                widget.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_standing(self, field: str, value: object) -> None:
        """The person was told that `value` stands there now, not what the form began with."""
        self.standing[field] = value

    def error(self, field: str | None) -> str | None:
        """Sentence shown for a field, or the general one for None."""
        return self._errors.get(field or "", self._general).sentence()

    def clear_errors(self) -> None:
        self._general.show_sentence(None)
        for key in self._fields:
            self.set_error(key, None)

    def submit(self) -> None:
        if self.submit_button.isEnabled():
            self.clear_errors()
            self.submitted.emit()

    def focus_first(self) -> None:
        for field in self._fields.values():
            field.widget().setFocus(Qt.FocusReason.OtherFocusReason)
            return

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.submit()
        elif event.key() == Qt.Key.Key_Escape:
            self._cancel()
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        return super().sizeHint().expandedTo(QSize(420, 120))

    def restyle(self) -> None:
        for field in self._fields.values():
            widget = field.widget()
            widget.setFont(current_theme().font("body"))
            if not isinstance(widget, QPlainTextEdit):
                widget.setMinimumHeight(self.theme.density.control_height)
            if isinstance(widget, QLineEdit):
                widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _cancel(self) -> None:
        self.cancelled.emit()

    def _edited(self) -> None:
        self.changed.emit()
