"""The list of inspections with verdicts; beside it the current one in full, or the form that logs the next."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QStackedWidget, QVBoxLayout, QWidget
from sqlalchemy.orm import Session

from app.domain.inspections import InspectionItem, ItemKind, Verdict
from app.store.queries.inspections import InspectionSheet, inspection_sheet
from app.store.queries.lists import INSPECTIONS
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.models.attachments import AttachmentPanel
from ui.models.filtered_list import FilteredList
from ui.models.inspection_draft import draft_item
from ui.models.paged import ColumnLook, PagedModel
from ui.models.sharing_line import SharingLine
from ui.models.wording import NONE, moment, number
from ui.screens.inspections.form import InspectionForm
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane
from ui.widgets.themed import RoleLabel

_MARKS = {Verdict.PASS: "✔ pass", Verdict.FAIL: "✖ fail"}


def _verdict(values: Mapping[str, Any]) -> str:
    return _MARKS[values["verdict"]]


LOOKS = (
    ColumnLook("number", "Inspection", 120),
    ColumnLook("verdict", "Verdict", 90, words=_verdict),
    ColumnLook("order", "Order", 120),
    ColumnLook("product", "Product", 150),
    ColumnLook("stage", "Stage", 100),
    ColumnLook("inspector", "Inspector", 120),
    ColumnLook("inspected_at", "When", 140),
    ColumnLook("note", "Note", 200),
)


class InspectionsScreen(Pane):
    """All inspections, the newest first; opened with a stage's id it starts an inspection of that stage."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("inspections", "Inspections", parent)
        self._desk = desk
        self.model = PagedModel(
            desk, INSPECTIONS, LOOKS, frozenset({"inspection"}), marked="inspection", parent=self
        )
        self.list = ListView()
        self.form = InspectionForm(desk)
        self.details = QScrollArea()
        self.sharing = SharingLine(desk, "inspection")
        self.files = AttachmentPanel(desk, "inspection")
        self.page = QWidget()
        self.side = QStackedWidget()
        self.actions_set = ActionSet(self, desk, {"inspections.new": self.start, "refresh": self.refresh})
        self._build()
        self._connect()
        self._show_sheet(None)
        self._filtered.ask()

    def _build(self) -> None:
        field = self.add_filter("words, verdict:fail, stage:paint, order:…", ("inspection", "inspections"))
        field.setToolTip("verdict:fail   stage:weld   order:A-WO-000012   inspected_at>=2026-03-01")
        self.add_tool(self.actions_set.button("inspections.new"))
        self.list.setObjectName("inspections-list")
        self.list.setAccessibleName("Inspections")
        self._filtered = FilteredList(self._desk, self, self.list, self.model, sort=("inspected_at", True))
        self.details.setWidgetResizable(True)
        self.details.setFrameShape(QFrame.Shape.NoFrame)
        self.details.setAccessibleName("Results of the inspection")
        column = QVBoxLayout(self.page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.sharing)
        column.addWidget(self.details, 1)
        column.addWidget(self.files)
        self.side.addWidget(self.page)
        self.side.addWidget(self.form)
        self.side.setMinimumWidth(420)
        split = QSplitter()
        split.setObjectName("inspections-split")
        split.addWidget(self.list)
        split.addWidget(self.side)
        split.setStretchFactor(0, 1)
        split.setSizes([760, 440])
        split.setChildrenCollapsible(False)
        self.body.addWidget(split, 1)
        self.setFocusProxy(self.list)

    def _connect(self) -> None:
        self._filtered.counted.connect(self._on_counted)
        self._filtered.current_changed.connect(self._read_sheet)
        self.list.empty_action_requested.connect(self._on_empty_action)
        self.sharing.conflict_requested.connect(partial(self.open_requested.emit, "sharing"))
        self.form.logged.connect(self._on_logged)
        self.form.left.connect(self._on_left)
        self._desk.actor_changed.connect(self._on_actor)

    # -- the list

    def refresh(self) -> None:
        self.model.refresh()

    def open_with(self, argument: object) -> None:
        """A filter line, or the id of a stage to inspect."""
        if isinstance(argument, UUID):
            self._begin(argument)
        else:
            self._filtered.show(argument)

    def _on_counted(self, _rows: int, filtered: bool) -> None:
        if filtered:
            self.list.set_empty("No inspection matches.", "Show all inspections")
        else:
            self.list.set_empty("No inspection was logged yet.", "Log inspection")
        self._filtered.choose_row()

    def _on_empty_action(self) -> None:
        if self.model.request.filter.strip():
            self.open_with("")
        else:
            self.actions_set.trigger("inspections.new")

    # -- the current inspection

    def _read_sheet(self) -> None:
        values = self._filtered.current()
        self.files.show_row(values["id"] if values else None)
        self.sharing.show_row(values["id"] if values else None)
        if not values:
            self._show_sheet(None)
            return
        wanted: UUID = values["id"]

        def query(session: Session) -> InspectionSheet | None:
            return inspection_sheet(session, wanted)

        self._desk.read(query, self._show_sheet, owner=self, key="sheet")

    def _show_sheet(self, sheet: InspectionSheet | None) -> None:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(12, 0, 0, 0)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)
        lines = (
            [("Choose an inspection to see it here.", "body", "text2")] if sheet is None else _lines(sheet)
        )
        for text, role, colour in lines:
            label = RoleLabel(text, role, colour)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(label)
        self.details.setWidget(page)

    # -- logging one

    def start(self) -> None:
        """Start an inspection, or go on with the one that was put aside."""
        self._begin(None)

    def _begin(self, stage_id: UUID | None) -> None:
        reason = self.actions_set.reason("inspections.new")
        if reason is not None:
            self._desk.refused.emit(reason)
            return
        self.side.setCurrentWidget(self.form)
        self.actions_set.set_unavailable("inspections.new", "The form is open.")
        self.form.begin(stage_id)

    def _on_logged(self, inspection_id: UUID) -> None:
        self._filtered.awaited = inspection_id
        self._on_left()
        self.model.refresh()

    def _on_left(self) -> None:
        self.side.setCurrentWidget(self.page)
        self.actions_set.set_unavailable("inspections.new", None)

    def _on_actor(self, _actor: object) -> None:
        """Somebody else does not see a half-typed form; its owner finds it again under the button."""
        self._on_left()


def _lines(sheet: InspectionSheet) -> list[tuple[str, str, str]]:
    """(text, type role, colour) of each line."""
    lines = [
        (f"{sheet.number} {_MARKS[sheet.verdict]}", "section", "text"),
        (f"{sheet.order} · {sheet.product} · {sheet.stage}", "body", "text"),
        (f"{sheet.inspector or NONE}, {moment(sheet.at)}", "body", "text2"),
    ]
    for item, passed in zip(sheet.items, sheet.passed, strict=True):
        lines.append((_result(item, passed), "body", "text"))
    if sheet.note:
        lines.append((sheet.note, "body", "text"))
    return lines


def _result(item: InspectionItem, passed: bool) -> str:
    mark = "✔" if passed else "✖"
    if item.kind is ItemKind.CHECK:
        return f"{mark} {item.name}"
    limits = draft_item(item).limits()
    return f"{mark} {item.name}: {number(item.value, 4)} {item.unit}{f' ({limits})' if limits else ''}"
