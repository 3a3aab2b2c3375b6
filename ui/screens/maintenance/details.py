"""The current maintenance order in full: what, how urgent, by when, by whom, photos and files, its history."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.domain.errors import LinesideError
from app.domain.maintenance import MaintenancePriority, MaintenanceStatus
from app.store.queries.maintenance import MaintenanceDetails, read_maintenance
from ui.bridge.desk import Desk
from ui.models.attachments import AttachmentPanel
from ui.models.detail_page import DetailPage
from ui.models.sharing_line import SharingLine
from ui.models.wording import NONE, duration, moment, number
from ui.widgets.themed import ThemedWidget

_STATUS_MARKS = {
    MaintenanceStatus.SCHEDULED: "○",
    MaintenanceStatus.IN_PROGRESS: "▶",
    MaintenanceStatus.ON_HOLD: "⊘",
    MaintenanceStatus.COMPLETED: "✔",
}
_URGENCY = {MaintenancePriority.CRITICAL: "!! ", MaintenancePriority.HIGH: "! "}


def status_words(status: MaintenanceStatus) -> str:
    """`▶ in progress`."""
    return f"{_STATUS_MARKS[status]} {status.value.replace('_', ' ')}"


def priority_words(priority: MaintenancePriority) -> str:
    """`!! critical`, `medium`."""
    return f"{_URGENCY.get(priority, '')}{priority.value}"


class MaintenancePanel(ThemedWidget):
    """Shows one order; `conflict_requested` carries the number of the conflict that it is in."""

    conflict_requested = Signal(int)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("maintenance-panel")
        self._desk = desk
        self._order_id: UUID | None = None
        self._shown: UUID | None = None
        self.sharing = SharingLine(desk, "maintenance_order")
        self.sharing.conflict_requested.connect(self.conflict_requested)
        self.files = AttachmentPanel(desk, "maintenance_order")
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName("Details of the maintenance order")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.sharing)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self.files)
        self.setMinimumWidth(320)
        self.show_order(None)

    def show_order(self, order_id: UUID | None) -> None:
        """Show this order, read anew; what is there stays until it has been read."""
        self._order_id = order_id
        self.sharing.show_row(order_id)
        self.files.show_row(order_id)
        if order_id is None:
            self._say("Choose a maintenance order to see it here.", "text2")
            return
        now = self._desk.house.door.clock()
        self._desk.read(
            lambda session: read_maintenance(session, order_id, now),
            self._take,
            owner=self,
            key="details",
            failed=self._failed,
        )

    def text(self) -> str:
        """Everything that is said of the order, line by line."""
        page = self._scroll.widget()
        return page.text() if isinstance(page, DetailPage) else ""

    def _take(self, details: MaintenanceDetails) -> None:
        if details.values["id"] != self._order_id:
            return
        at = self._scroll.verticalScrollBar().value() if self._shown == self._order_id else 0
        self._shown = self._order_id
        self._scroll.setWidget(_page_of(details, self._desk.house.door.clock()))
        self._scroll.verticalScrollBar().setValue(at)

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, LinesideError):
            self._desk.tasks.unhandled.emit(error)
            return
        self._say(error.sentence)

    def _say(self, words: str, colour: str = "text") -> None:
        self._shown = None
        page = DetailPage()
        page.line(words, colour)
        self._scroll.setWidget(page)


def _page_of(details: MaintenanceDetails, now: datetime) -> DetailPage:
    page, values = DetailPage(), details.values
    page.line(values["title"], role="section")
    page.line(f"{values['number']} · {values['kind'].value} maintenance", "text2")
    if details.late is not None:
        was = "was" if values["completed_at"] is not None else "is"
        page.line(f"⚠ It {was} {duration(details.late)} late.", role="strong")
    for name, value in _fields(values, now):
        page.pair(name, value)
    page.heading("Details")
    page.line(
        values["description"] or "No details were written.", "text" if values["description"] else "text2"
    )
    if values["feedback"]:
        page.heading("Feedback")
        page.line(values["feedback"])
    page.history(details.history, now)
    return page


def _fields(values: dict[str, Any], now: datetime) -> list[tuple[str, str]]:
    hours = values["estimated_hours"]
    fields = [
        ("Status", status_words(values["status"])),
        ("Priority", priority_words(values["priority"])),
        ("Machine", values["equipment"] or NONE),
        ("Due", moment(values["due_at"], now)),
        ("Assigned to", values["assignee"] or "nobody yet"),
        ("Takes", f"{number(hours)} h" if hours is not None else NONE),
        ("Planned", moment(values["created_at"], now)),
    ]
    if values["completed_at"] is not None:
        fields.append(("Completed", moment(values["completed_at"], now)))
    return fields
