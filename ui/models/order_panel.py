"""The detail panel of one work order: fields, stages with their figures, what hangs on it, its history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.domain.errors import LinesideError
from app.domain.orders import PRIORITY_TITLES
from app.domain.stages import StageStatus
from app.store.queries.orders import Note, OrderDetails, StageDetails, read_order
from ui.bridge.desk import EVERYTHING, Desk
from ui.models.attachments import AttachmentPanel
from ui.models.detail_page import DetailPage
from ui.models.sharing_line import SharingLine
from ui.models.wording import NONE, duration, moment, percent
from ui.widgets.buttons import IconButton
from ui.widgets.themed import RoleLabel, ThemedWidget

_TOUCHES = frozenset({"work_order", "stage", "issue", "inspection"})
STAGE_MARKS = {
    StageStatus.PLANNED: "○",
    StageStatus.IN_PROGRESS: "▶",
    StageStatus.BLOCKED: "⊘",
    StageStatus.DONE: "✔",
}


def late_or_early(span: timedelta | None) -> str:
    """A delay in words: `2 h late`, `3 h early`, `in time`."""
    if span is None:
        return NONE
    if abs(span) < timedelta(minutes=1):
        return "in time"
    return f"{duration(span)} {'late' if span > timedelta(0) else 'early'}"


class OrderPanel(ThemedWidget):
    """Shows one order and keeps it fresh; `pinned` means that it does not follow the list's current row."""

    closed = Signal()
    pin_changed = Signal(bool)
    loaded = Signal(object)
    conflict_requested = Signal(int)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("order-panel")
        self._desk = desk
        self._order_id: UUID | None = None
        self.pinned = False
        self.details: OrderDetails | None = None
        self.files = AttachmentPanel(desk, "work_order")
        self._title = RoleLabel("", "section")
        self._pin = IconButton("push-pin", "Pin this order", shortcut="Enter")
        self._pin.setCheckable(True)
        self._pin.toggled.connect(self.set_pinned)
        close = IconButton("x", "Close the details", shortcut="Space")
        close.clicked.connect(self.close_panel)
        head = QHBoxLayout()
        head.setContentsMargins(12, 4, 4, 0)
        head.addWidget(self._title, 1)
        head.addWidget(self._pin)
        head.addWidget(close)
        self.sharing = SharingLine(desk, "work_order")
        self.sharing.conflict_requested.connect(self.conflict_requested)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName("Details of the work order")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.sharing)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self.files)
        self.setMinimumWidth(300)
        desk.changed.connect(self._on_changed)

    @property
    def order_id(self) -> UUID | None:
        """The order on show."""
        return self._order_id

    def show_order(self, order_id: UUID) -> None:
        """Show this order; what is there stays until it has been read."""
        self._order_id = order_id
        self.sharing.show_row(order_id)
        self.show()
        self.files.show_row(order_id)
        self._read()

    def set_pinned(self, pinned: bool) -> None:
        """Keep this order on show, whatever row becomes current."""
        if pinned != self.pinned:
            self.pinned = pinned
            self._pin.setChecked(pinned)
            self.pin_changed.emit(pinned)

    def text(self) -> str:
        """Everything that the panel says, line by line."""
        page = self._scroll.widget()
        labels = page.findChildren(RoleLabel) if page is not None else []
        return "\n".join([self._title.text(), *(label.text() for label in labels)])

    def close_panel(self) -> None:
        self.set_pinned(False)
        self.hide()
        self.closed.emit()

    def _on_changed(self, entities: frozenset[str]) -> None:
        if (
            self.isVisible()
            and self._order_id is not None
            and (entities & _TOUCHES or entities == EVERYTHING)
        ):
            self._read()

    def _read(self) -> None:
        order_id, now = self._order_id, self._desk.house.door.clock()
        if order_id is not None:
            self._desk.read(
                lambda session: read_order(session, order_id, now),
                self._take,
                owner=self,
                key="details",
                failed=self._failed,
            )

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, LinesideError):
            self._desk.tasks.unhandled.emit(error)
            return
        page = DetailPage()
        page.line(error.sentence)
        self._scroll.setWidget(page)

    def _take(self, details: OrderDetails) -> None:
        self.details = details
        values = details.values
        self._title.setText(f"{values['number']} · {values['product_name'] or values['product']}")
        at = self._scroll.verticalScrollBar().value()
        self._scroll.setWidget(_page_of(details, self._desk.house.door.clock()))
        self._scroll.verticalScrollBar().setValue(at)
        self.loaded.emit(details)


def _page_of(details: OrderDetails, now: datetime) -> DetailPage:
    page, values = DetailPage(), details.values
    if details.why_late:
        page.line(f"⚠ Why late: {details.why_late}.", role="strong")
    for name, text in _fields(values, now):
        page.pair(name, text)
    page.pair("Delay", late_or_early(details.delay))
    page.pair("Efficiency", percent(details.efficiency))
    page.pair("On time", f"{percent(details.on_time_share)} of finished stages")
    page.heading("Stages")
    for stage in details.stages:
        page.line(f"{STAGE_MARKS[stage.status]}  {stage.name} · {stage.status.words}")
        page.line(_stage_words(stage, now), "text2", "meta")
    _notes(page, "Issues", details.issues, now)
    _notes(page, "Inspections", details.inspections, now)
    page.history(details.history, now)
    return page


def _fields(values: dict[str, Any], now: datetime) -> list[tuple[str, str]]:
    priority = values["priority"]
    return [
        ("Product", values["product"]),
        ("Quantity", f"{values['quantity_done']:,} of {values['quantity']:,}"),
        ("Status", values["status"].words),
        ("Priority", f"{priority} {PRIORITY_TITLES[priority]}"),
        ("Planned", f"{moment(values['planned_start'], now)} – {moment(values['planned_end'], now)}"),
        ("Started", moment(values["started_at"], now)),
        ("Finished", moment(values["finished_at"], now)),
        ("Lot", values["lot"] or NONE),
        ("Customer", values["customer"] or NONE),
        ("Line", values["line"] or NONE),
        ("Note", values["note"] or NONE),
    ]


def _stage_words(stage: StageDetails, now: datetime) -> str:
    parts = [
        f"planned {duration(timedelta(minutes=stage.planned_minutes))}, until {moment(stage.planned_end, now)}"
    ]
    if stage.blocked_reason:
        parts.insert(0, f"blocked: {stage.blocked_reason}")
    if stage.started_at is not None:
        end = stage.finished_at or now
        parts.append(
            f"took {duration(end - stage.started_at)}"
            if stage.finished_at
            else f"running {duration(end - stage.started_at)}"
        )
    if stage.delay is not None:
        parts.append(late_or_early(stage.delay))
    if stage.efficiency is not None:
        parts.append(f"efficiency {percent(stage.efficiency)}")
    if stage.assignee:
        parts.append(stage.assignee)
    return " · ".join(parts)


def _notes(page: DetailPage, title: str, notes: Sequence[Note], now: datetime) -> None:
    page.heading(title)
    if not notes:
        page.line("none", "text2", "meta")
    for note in notes:
        page.line(f"{note.number}  {note.words}")
        page.line(moment(note.at, now), "text2", "meta")
