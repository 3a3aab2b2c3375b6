"""The list of issues: filter by status, kind and stage; who raised, took and closed each one, and when."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from app.domain.issues import IssueStatus, IssueType
from app.operations.change import Intent
from app.operations.issues import acknowledge_issue, reopen_issue, resolve_issue
from app.store.queries.lists import ISSUES
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.models.attachments import AttachmentPanel
from ui.models.filtered_list import FilteredList
from ui.models.form_card import FormCard
from ui.models.paged import ColumnLook, PagedModel
from ui.models.sharing_line import SharingLine
from ui.models.wording import NONE, age, moment
from ui.widgets.form import Form
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane
from ui.widgets.themed import RoleLabel

_MARKS = {IssueStatus.OPEN: "◆", IssueStatus.ACKNOWLEDGED: "◇", IssueStatus.RESOLVED: "✔"}
_STATUS_LINES = (
    ("Open and acknowledged", "status!=resolved"),
    ("Open", "status:open"),
    ("Acknowledged", "status:acknowledged"),
    ("Resolved", "status:resolved"),
    ("All", ""),
)
_NO_ISSUE = "Choose an issue first."
_STEPS: dict[str, frozenset[IssueStatus]] = {
    "issues.acknowledge": frozenset({IssueStatus.OPEN}),
    "issues.resolve": frozenset({IssueStatus.OPEN, IssueStatus.ACKNOWLEDGED}),
    "issues.reopen": frozenset({IssueStatus.RESOLVED}),
}


def _status(values: Mapping[str, Any]) -> str:
    return f"{_MARKS[values['status']]} {values['status'].value}"


def _is_resolved(values: Mapping[str, Any]) -> bool:
    return values["status"] is IssueStatus.RESOLVED


LOOKS = (
    ColumnLook("number", "Issue", 110),
    ColumnLook("title", "Title", 260),
    ColumnLook("status", "Status", 130, words=_status),
    ColumnLook("type", "Kind", 90),
    ColumnLook("order", "Order", 120),
    ColumnLook("stage", "Stage", 90),
    ColumnLook("raised_by", "Raised by", 110),
    ColumnLook("raised_at", "Raised", 130),
)


class IssuesScreen(Pane):
    """All issues; the current one stands in full beside the list."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("issues", "Issues", parent)
        self._desk = desk
        self.forms = FormCard(desk, self)
        self.model = PagedModel(
            desk,
            ISSUES,
            LOOKS,
            frozenset({"issue", "stage", "work_order"}),
            muted=_is_resolved,
            marked="issue",
            parent=self,
        )
        self.list = ListView()
        self.status, self.kind = QComboBox(), QComboBox()
        self.details = QScrollArea()
        self.sharing = SharingLine(desk, "issue")
        self.files = AttachmentPanel(desk, "issue")
        self.actions_set = ActionSet(
            self,
            desk,
            {
                "issues.acknowledge": self.acknowledge,
                "issues.resolve": self.resolve,
                "issues.reopen": self.reopen,
                "refresh": self.refresh,
            },
        )
        self._build()
        self._connect()
        self._show_details()
        self._filtered.ask()

    def _build(self) -> None:
        field = self.add_filter("words, stage:paint, type:quality, raised_by:…", ("issue", "issues"))
        field.setToolTip(
            "Words find issues by any text.\nstatus:open   type:material   stage:weld   order:A-WO-000012"
        )
        for label, line in _STATUS_LINES:
            self.status.addItem(label, line)
        self.kind.addItem("All kinds", "")
        for kind in IssueType:
            self.kind.addItem(kind.value.capitalize(), f"type:{kind.value}")
        for box, name in ((self.status, "Status"), (self.kind, "Kind")):
            box.setAccessibleName(name)
            box.setToolTip(name)
            self.add_tool(box)
        for key in ("issues.reopen", "issues.acknowledge", "issues.resolve"):
            self.add_tool(self.actions_set.button(key))
        self.list.setObjectName("issues-list")
        self.list.setAccessibleName("Issues")
        self._filtered = FilteredList(
            self._desk,
            self,
            self.list,
            self.model,
            sort=("raised_at", True),
            choices=(self.status, self.kind),
        )
        self.details.setWidgetResizable(True)
        self.details.setFrameShape(QFrame.Shape.NoFrame)
        self.details.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.details.setAccessibleName("Details of the issue")
        side = QWidget()
        side.setMinimumWidth(300)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.sharing)
        column.addWidget(self.details, 1)
        column.addWidget(self.files)
        split = QSplitter()
        split.setObjectName("issues-split")
        split.addWidget(self.list)
        split.addWidget(side)
        split.setStretchFactor(0, 1)
        split.setSizes([880, 300])
        split.setChildrenCollapsible(False)
        self.body.addWidget(split, 1)
        self.setFocusProxy(self.list)

    def _connect(self) -> None:
        self._filtered.counted.connect(self._on_counted)
        self._filtered.current_changed.connect(self._show_details)
        self.list.empty_action_requested.connect(self._on_empty_action)
        self.sharing.conflict_requested.connect(partial(self.open_requested.emit, "sharing"))

    # -- what is shown

    def refresh(self) -> None:
        self.model.refresh()

    def open_with(self, argument: object) -> None:
        """A filter line, or the id of an issue to show."""
        self._filtered.show(argument)

    def _on_counted(self, _rows: int, filtered: bool) -> None:
        if filtered:
            self.list.set_empty(
                "No issue matches. Issues are raised on the board with Ctrl+I.", "Show all issues"
            )
        else:
            self.list.set_empty(
                "No issue was ever raised. Raise one on the board with Ctrl+I.", "Stage board"
            )
        self._filtered.choose_row()

    def _on_empty_action(self) -> None:
        if self.model.request.filter.strip():
            self.open_with("")
        else:
            self.open_requested.emit("board", None)

    # -- the current issue

    def current(self) -> Mapping[str, Any]:
        """Values of the current issue, empty when there is none."""
        return self._filtered.current()

    def _show_details(self) -> None:
        values = self.current()
        self.details.setWidget(_page_of(values))
        self.files.show_row(values["id"] if values else None)
        self.sharing.show_row(values["id"] if values else None)
        for key, statuses in _STEPS.items():
            reason = None if values else _NO_ISSUE
            if values and values["status"] not in statuses:
                reason = f"This issue is {values['status'].value}."
            self.actions_set.set_unavailable(key, reason)

    def acknowledge(self) -> None:
        """Say that somebody is on the current issue."""
        self._desk.perform(acknowledge_issue(issue_id=self.current()["id"]), owner=self)

    def resolve(self) -> None:
        """Close the current issue with what was done about it."""
        values = self.current()
        self.forms.open(
            f"resolve-{values['number']}",
            f"Resolve {values['number']}",
            _resolve_form,
            partial(_resolve_intent, values["id"]),
            keep_draft=True,
            row=("issue", values["id"]),
        )

    def reopen(self) -> None:
        """Open the current issue again."""
        self._desk.perform(reopen_issue(issue_id=self.current()["id"]), owner=self)


def _resolve_form() -> Form:
    form = Form("Resolve")
    form.add_long_text("resolution", "What was done")
    return form


def _resolve_intent(issue_id: UUID, form: Form) -> Intent[Any]:
    return resolve_issue(issue_id=issue_id, resolution=str(form.values()["resolution"]))


def _page_of(values: Mapping[str, Any]) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setAlignment(Qt.AlignmentFlag.AlignTop)
    for text, role, colour in (
        _lines(values) if values else [("Choose an issue to see it here.", "body", "text2")]
    ):
        label = RoleLabel(text, role, colour)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(label)
    return page


def _lines(values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(text, type role, colour) of each line: what it is, where, and who did what when."""
    lines = [
        (values["title"], "section", "text"),
        (
            f"{values['number']} · {values['type'].value} · {values['order']} {values['stage']}",
            "body",
            "text2",
        ),
        (
            values["description"] or "No details were written.",
            "body",
            "text" if values["description"] else "text2",
        ),
        (f"◆ Raised by {values['raised_by'] or NONE}, {moment(values['raised_at'])}", "body", "text"),
    ]
    if values["acknowledged_at"] is not None:
        by = values["acknowledged_by"] or NONE
        lines.append((f"◇ Acknowledged by {by}, {moment(values['acknowledged_at'])}", "body", "text"))
    if values["resolved_at"] is not None:
        took = age(values["raised_at"], values["resolved_at"])
        by = values["resolved_by"] or NONE
        lines.append((f"✔ Resolved by {by}, {moment(values['resolved_at'])}, after {took}", "body", "text"))
        lines.append((values["resolution"], "body", "text"))
    return lines
