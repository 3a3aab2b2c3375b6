"""Step 2 of an import: what each column of the file becomes, and the questions that the file leaves open."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.domain.sheets.questions import Question
from app.operations.import_runs import FileColumn, ImportDraft
from ui.widgets.themed import ElidedLabel, RoleLabel

NOT_READ = "not read"
_SURE = 0.95


class MapPage(QScrollArea):
    """`mapped` carries (header, field key or empty), `answered` (question key, answer)."""

    mapped = Signal(str, str)
    answered = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.fields: dict[str, QComboBox] = {}
        self.questions: dict[str, QComboBox] = {}
        self._shown: object = None

    def show_draft(self, draft: ImportDraft) -> None:
        """Rebuild the rows when the columns or questions are others than before; keeps the place otherwise."""
        state = (draft.columns(), draft.plan.questions, draft.plan.warnings)
        if state == self._shown:
            return
        self._shown = state
        place = self.verticalScrollBar().value()
        focused = self._focused()
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(12)
        self.fields, self.questions = {}, {}
        if draft.plan.questions:
            column.addWidget(RoleLabel("Please decide", "section"))
            column.addLayout(self._question_rows(draft.plan.questions))
        column.addWidget(RoleLabel("Columns of the file", "section"))
        column.addLayout(self._column_rows(draft))
        for warning in draft.plan.warnings:
            label = RoleLabel(f"▸ {warning}", "body", "text2")
            label.setWordWrap(True)
            column.addWidget(label)
        column.addStretch(1)
        self.setWidget(page)
        self.verticalScrollBar().setValue(place)
        if focused in self.fields:
            self.fields[focused].setFocus()
        elif focused in self.questions:
            self.questions[focused].setFocus()

    def _focused(self) -> str:
        for name, box in (*self.fields.items(), *self.questions.items()):
            if box.hasFocus():
                return name
        return ""

    def _question_rows(self, questions: tuple[Question, ...]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(2, 1)
        for row, question in enumerate(questions):
            words = f"{question.sentence}{f' ({question.reason})' if question.reason else ''}"
            label = RoleLabel(words)
            label.setWordWrap(True)
            label.setMinimumWidth(420)
            box = QComboBox()
            box.setAccessibleName(question.sentence)
            box.setObjectName(f"question-{question.key}")
            for option in question.options:
                box.addItem(option.title, option.key)
            if box.findData(question.answer) < 0:
                box.addItem(question.answer.partition(":")[2], question.answer)
            box.setCurrentIndex(box.findData(question.answer))
            box.activated.connect(partial(self._answer, question.key, box))
            label.setBuddy(box)
            grid.addWidget(label, row, 0)
            grid.addWidget(box, row, 1)
            self.questions[question.key] = box
        return grid

    def _column_rows(self, draft: ImportDraft) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(3, 1)
        for place, title in enumerate(("Header in the file", "becomes", "How sure", "First values")):
            grid.addWidget(RoleLabel(title, "meta", "text2"), 0, place)
        for row, column in enumerate(draft.columns(), start=1):
            grid.addWidget(RoleLabel(column.header, "body", "text" if column.field else "text2"), row, 0)
            grid.addWidget(self._field_box(draft, column), row, 1)
            sure = RoleLabel(_confidence(column), "body", "text2")
            sure.setToolTip(column.why)
            grid.addWidget(sure, row, 2)
            samples = ElidedLabel("body", "text2")
            samples.set_text(" · ".join(column.samples) or "no values")
            grid.addWidget(samples, row, 3)
        return grid

    def _field_box(self, draft: ImportDraft, column: FileColumn) -> QComboBox:
        box = QComboBox()
        box.setObjectName(f"column-{column.header}")
        box.setAccessibleName(f"Column {column.header} becomes")
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.addItem(NOT_READ, "")
        for spec in draft.target.fields:
            box.addItem(f"{spec.title}{' *' if spec.required else ''}", spec.key)
        box.setCurrentIndex(box.findData(column.field))
        box.activated.connect(partial(self._map, column.header, box))
        self.fields[column.header] = box
        return box

    def _map(self, header: str, box: QComboBox, _index: int) -> None:
        self.mapped.emit(header, str(box.currentData() or ""))

    def _answer(self, key: str, box: QComboBox, _index: int) -> None:
        self.answered.emit(key, str(box.currentData()))


def _confidence(column: FileColumn) -> str:
    if not column.field:
        return ""
    return f"{column.confidence:.0%}" + ("" if column.confidence >= _SURE else " ▸ please check")
