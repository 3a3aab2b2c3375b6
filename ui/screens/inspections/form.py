"""The form that logs an inspection: which stage, its checklist and measured values, a note; kept safe while typed."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from uuid import UUID

from PySide6.QtCore import QStringListModel, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCompleter,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.domain.inspections import InspectionItem, ItemKind
from app.operations.change import Outcome
from app.operations.inspections import log_inspection
from app.store.queries.inspections import StageOption, checklist_for, find_stages, stage_option
from ui.bridge.desk import Desk
from ui.models.inspection_draft import DraftItem, InspectionDraft, as_number, draft_from, draft_item
from ui.models.preferences import remember, remembered
from ui.screens.inspections.items import ItemLine
from ui.widgets.buttons import ActionButton
from ui.widgets.themed import RoleLabel, ThemedWidget

_KEPT = "inspection-draft"
Found = tuple[StageOption | None, tuple[InspectionItem, ...]]


class InspectionForm(ThemedWidget):
    """`logged` carries the id of the new inspection, `left` says that the person put it aside (the draft stays)."""

    logged = Signal(object)
    left = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._options: dict[str, StageOption] = {}
        self.draft = InspectionDraft()
        self.lines: list[ItemLine] = []
        self.stage = QLineEdit()
        self.new_name, self.new_unit = QLineEdit(), QLineEdit()
        self.new_lower, self.new_upper = QLineEdit(), QLineEdit()
        self.note = QPlainTextEdit()
        self.error = RoleLabel("", "body")
        self.save = ActionButton("Log inspection", primary=True)
        self.later = ActionButton("Later")
        self.discard = ActionButton("Discard")
        self._titles = QStringListModel(self)
        self._search_soon = QTimer(self, singleShot=True, interval=120)
        self._build()
        self._connect()

    def _build(self) -> None:
        completer = QCompleter(self._titles, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.activated.connect(self._pick_title)
        self.stage.setCompleter(completer)
        self.stage.setObjectName("inspection-stage")
        self.stage.setPlaceholderText("Order and stage: type a part of the number, product or stage")
        self.stage.setAccessibleName("Order and stage")
        self.note.setPlaceholderText("Note (may stay empty)")
        self.note.setAccessibleName("Note")
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(64)
        self.error.setWordWrap(True)
        self._holder = QWidget()
        self._rows = QVBoxLayout(self._holder)
        self._rows.setContentsMargins(0, 0, 8, 0)
        self._rows.setSpacing(8)
        self._rows.setAlignment(Qt.AlignmentFlag.AlignTop)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(self._holder)
        buttons = QHBoxLayout()
        for button in (self.discard, self.later):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(RoleLabel("Log inspection", "section"))
        layout.addWidget(self.stage)
        layout.addWidget(area, 1)
        layout.addLayout(self._adding())
        layout.addWidget(self.note)
        layout.addWidget(self.error)
        layout.addLayout(buttons)
        for before, after in pairwise((*self._adders, self.note)):
            QWidget.setTabOrder(before, after)
        self.error.hide()
        self.restyle()

    def _adding(self) -> QGridLayout:
        """A check needs a name; a value may have limits and a unit too."""
        grid = QGridLayout()
        grid.setSpacing(4)
        for column, (field, hint) in enumerate(
            ((self.new_lower, "from"), (self.new_upper, "to"), (self.new_unit, "unit"))
        ):
            grid.addWidget(field, 1, column)
            grid.setColumnStretch(column, 1)
            field.setPlaceholderText(hint)
            field.setAccessibleName(f"New item: {hint}")
        self.new_name.setPlaceholderText("Another item")
        self.new_name.setAccessibleName("New item: name")
        grid.addWidget(self.new_name, 0, 0, 1, 3)
        add_check, add_value = ActionButton("+ Check"), ActionButton("+ Value")
        add_check.clicked.connect(self._add_check)
        add_value.clicked.connect(self._add_value)
        grid.addWidget(add_check, 0, 3)
        grid.addWidget(add_value, 1, 3)
        self._adders = (
            self.new_name, add_check, self.new_lower, self.new_upper, self.new_unit, add_value,
        )  # fmt: skip
        return grid

    def _connect(self) -> None:
        self.stage.textEdited.connect(self._on_typed)
        self._search_soon.timeout.connect(self._search)
        self.note.textChanged.connect(self._on_note)
        self.save.clicked.connect(self.submit)
        self.later.clicked.connect(self.left)
        self.discard.clicked.connect(self._discard)

    def restyle(self) -> None:
        for field in (self.stage, self.new_name, self.new_unit, self.new_lower, self.new_upper):
            field.setMinimumHeight(self.theme.density.control_height)

    # -- the draft

    def _person(self) -> str:
        actor = self._desk.actor
        return str(actor.user_id) if actor is not None else ""

    def begin(self, stage_id: UUID | None = None) -> None:
        """Go on with the person's draft, or start one on `stage_id`; a touched draft on another stage is kept."""
        kept = draft_from(remembered(self._person(), _KEPT))
        if kept is not None and (stage_id is None or kept.stage == stage_id or kept.is_touched):
            self._show(kept)
            if stage_id is not None and kept.stage != stage_id:
                self._say(f"This inspection of {kept.title} is not finished; log or discard it first.")
            return
        self._show(InspectionDraft())
        if stage_id is not None:
            self._take_stage(stage_id)
        else:
            self.stage.setFocus()
            self._search()

    def _show(self, draft: InspectionDraft) -> None:
        self.draft = draft
        self._say("")
        self.stage.setText(draft.title)
        self.note.blockSignals(True)
        self.note.setPlainText(draft.note)
        self.note.blockSignals(False)
        self._show_items()

    def _show_items(self) -> None:
        for line in self.lines:
            self._rows.removeWidget(line)
            line.hide()
            line.deleteLater()
        self.lines = []
        for item in self.draft.items:
            line = ItemLine(item)
            line.changed.connect(self._keep)
            line.done.connect(partial(self._next, line))
            line.removed.connect(partial(self._remove, line))
            self.lines.append(line)
            self._rows.addWidget(line)

    def _keep(self) -> None:
        remember(self._person(), _KEPT, self.draft.as_text())

    def _discard(self) -> None:
        remember(self._person(), _KEPT, "")
        self._show(InspectionDraft())
        self.left.emit()

    # -- the stage

    def _on_typed(self, _text: str) -> None:
        self._search_soon.start()

    def _search(self) -> None:
        words = self.stage.text().replace("·", " ")

        def query(session: Session) -> tuple[StageOption, ...]:
            return find_stages(session, words)

        self._desk.read(query, self._on_found, owner=self, key="stages")

    def _on_found(self, found: tuple[StageOption, ...]) -> None:
        self._options = {option.title: option for option in found}
        self._titles.setStringList(list(self._options))
        if self.stage.hasFocus() and found and self.stage.text() not in self._options:
            self.stage.completer().complete()

    def _pick_title(self, title: str) -> None:
        if title in self._options:
            self._take_stage(self._options[title].id)

    def _take_stage(self, stage_id: UUID) -> None:
        def query(session: Session) -> Found:
            return stage_option(session, stage_id), checklist_for(session, stage_id)

        self._desk.read(query, self._on_stage, owner=self, key="stage")

    def _on_stage(self, found: Found) -> None:
        option, items = found
        if option is None:
            self._say("This stage does not exist any more; choose another.")
            return
        self._say("")
        self.draft.stage_id, self.draft.title = str(option.id), option.title
        self.stage.setText(option.title)
        if not any(item.answer for item in self.draft.items):
            self.draft.items = [draft_item(item) for item in items]
            self._show_items()
        self._keep()
        if self.lines:
            self.lines[0].focus()

    # -- the items

    def _next(self, line: ItemLine) -> None:
        place = self.lines.index(line) + 1
        if place < len(self.lines):
            self.lines[place].focus()
        else:
            self.save.setFocus()

    def _remove(self, line: ItemLine) -> None:
        self.draft.items.remove(line.item)
        self._show_items()
        self._keep()

    def _add_check(self) -> None:
        self._add(ItemKind.CHECK)

    def _add_value(self) -> None:
        self._add(ItemKind.MEASURE)

    def _add(self, kind: ItemKind) -> None:
        name = " ".join(self.new_name.text().split())
        if not name or any(item.name == name for item in self.draft.items):
            self._say("Give the new item a name that is not in the list yet.")
            self.new_name.setFocus()
            return
        item = DraftItem(kind.value, name)
        if kind is ItemKind.MEASURE:
            try:
                item.lower, item.upper = as_number(self.new_lower.text()), as_number(self.new_upper.text())
            except ValueError:
                self._say("The limits must be numbers, or stay empty.")
                return
            item.unit = self.new_unit.text().strip()
        self._say("")
        self.draft.items.append(item)
        for field in (self.new_name, self.new_lower, self.new_upper, self.new_unit):
            field.clear()
        self._show_items()
        self._keep()
        self.lines[-1].focus()

    def _on_note(self) -> None:
        self.draft.note = self.note.toPlainText()
        self._keep()

    # -- saving

    def submit(self) -> None:
        """Log it; what is missing is said beside its line."""
        stage_id = self.draft.stage
        if stage_id is None:
            self._say("Choose the order and stage that was inspected.")
            self.stage.setFocus()
            return
        try:
            items = self.draft.inspection_items()
        except Refused as refusal:
            self._refused(refusal)
            return
        self.save.setEnabled(False)
        self._desk.perform(
            log_inspection(stage_id=stage_id, items=items, note=self.draft.note),
            owner=self,
            done=self._on_logged,
            failed=self._refused,
        )

    def _on_logged(self, outcome: Outcome[UUID]) -> None:
        self.save.setEnabled(True)
        remember(self._person(), _KEPT, "")
        self._show(InspectionDraft())
        self.logged.emit(outcome.result)

    def _refused(self, refusal: Refused) -> None:
        self.save.setEnabled(True)
        for line in self.lines:
            if line.item.name == refusal.field:
                line.show_error(refusal.sentence)
                return
        self._say(refusal.sentence)

    def _say(self, sentence: str) -> None:
        self.error.setText(f"▲ {sentence}" if sentence else "")
        self.error.setVisible(bool(sentence))
