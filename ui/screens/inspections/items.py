"""The lines of an inspection form: pick pass or fail, or type a value; each is judged as it is typed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.domain.inspections import ItemKind
from ui.models.inspection_draft import DraftItem
from ui.widgets.buttons import ActionButton, IconButton
from ui.widgets.themed import RoleLabel, ThemedWidget

_VERDICTS = {True: "✔ in", False: "✖ out", None: ""}


class ItemLine(ThemedWidget):
    """One line. `changed` follows each keystroke or pick, `done` asks for the next line, `removed` takes it away."""

    changed = Signal()
    done = Signal()
    removed = Signal()

    def __init__(self, item: DraftItem, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.item = item
        self.setObjectName(f"item-{item.name}")
        self.error = RoleLabel("", "meta")
        self.verdict = RoleLabel("", "strong")
        if item.kind == ItemKind.MEASURE:
            self.verdict.setMinimumWidth(64)
        self.value = QLineEdit(self)
        self.passes, self.fails = ActionButton("✔ Pass", self), ActionButton("✖ Fail", self)
        self.value.setVisible(item.kind == ItemKind.MEASURE)
        for button in (self.passes, self.fails):
            button.setVisible(item.kind == ItemKind.CHECK)
        row = QHBoxLayout()
        row.setSpacing(8)
        name = RoleLabel(item.name)
        name.setWordWrap(True)
        row.addWidget(name, 1)
        if item.kind == ItemKind.CHECK:
            self._build_check(row)
        else:
            self._build_measure(row)
        row.addWidget(self.verdict)
        remove = IconButton("x", f"Remove {item.name}")
        remove.clicked.connect(self.removed)
        row.addWidget(remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.error)
        self.error.hide()
        self._show_verdict()

    def _build_check(self, row: QHBoxLayout) -> None:
        group = QButtonGroup(self)
        for button, answer in ((self.passes, "pass"), (self.fails, "fail")):
            button.setCheckable(True)
            button.setChecked(self.item.answer == answer)
            button.setAccessibleName(f"{self.item.name}: {answer}")
            group.addButton(button)
            row.addWidget(button)
        self.passes.clicked.connect(self._pass)
        self.fails.clicked.connect(self._fail)

    def _build_measure(self, row: QHBoxLayout) -> None:
        self.value.setText(self.item.answer)
        self.value.setAccessibleName(f"{self.item.name} {self.item.limits()}")
        self.value.setPlaceholderText(self.item.unit or "value")
        self.value.setMinimumHeight(self.theme.density.control_height)
        self.value.setMaximumWidth(150)
        self.value.textEdited.connect(self._typed)
        self.value.returnPressed.connect(self.done)
        row.addWidget(self.value)
        limits = RoleLabel(self.item.limits(), "body", "text2")
        limits.setMinimumWidth(120)
        row.addWidget(limits)

    def focus(self) -> None:
        """Put the cursor where the answer goes."""
        (self.passes if self.item.kind == ItemKind.CHECK else self.value).setFocus()

    def show_error(self, sentence: str) -> None:
        """Say beside the line what is missing; an empty sentence takes it back."""
        self.error.setText(f"▲ {sentence}" if sentence else "")
        self.error.setVisible(bool(sentence))
        if sentence:
            self.focus()

    def _typed(self, text: str) -> None:
        self._answer(text)

    def _pass(self) -> None:
        self._answer("pass")
        self.done.emit()

    def _fail(self) -> None:
        self._answer("fail")
        self.done.emit()

    def _answer(self, answer: str) -> None:
        self.item.answer = answer
        self.show_error("")
        self._show_verdict()
        self.changed.emit()

    def _show_verdict(self) -> None:
        if self.item.kind == ItemKind.CHECK:
            return
        words = _VERDICTS[self.item.verdict()]
        self.verdict.setText("? no number" if not words and self.item.answer.strip() else words)
