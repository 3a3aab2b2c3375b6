"""Beside the list: what the chosen alarm means, what to do about it, and who has dealt with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.domain.alarms import condition_words, machine_of, rule_of
from app.store.history import AlarmRecord
from ui.bridge.live import LiveDesk
from ui.models import wording
from ui.models.alarm_list import AlarmList, state_words
from ui.theme import current_theme
from ui.widgets.buttons import ActionButton
from ui.widgets.themed import RoleLabel

WIDTH = 296
_NO_GUIDANCE = (
    "Nothing is written down for this alarm. Under Connections, “Alarm and meaning…” of its signal takes what it "
    "means and what to do."
)


class Guidance(QScrollArea):
    """The panel; empty as long as no alarm is chosen."""

    def __init__(self, live: LiveDesk, model: AlarmList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._live, self._model = live, model
        self._link = ""
        self.setObjectName("alarm-guidance")
        self.setFixedWidth(WIDTH)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.machine = RoleLabel("", "section")
        self.what = RoleLabel("", "strong")
        self.state = RoleLabel("", "meta", "text2")
        self.means_title = RoleLabel("What it means", "strong")
        self.means = RoleLabel()
        self.do_title = RoleLabel("What to do", "strong")
        self.do = RoleLabel()
        self.link = ActionButton("Open the instructions", icon="arrow-square-out")
        self.story_title = RoleLabel("So far", "strong")
        self.story = RoleLabel("", "body", "text2")
        self.link.clicked.connect(self._open_link)
        self._lay_out()
        self.show_alarm(None)

    def _lay_out(self) -> None:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(12, 4, 12, 8)
        layout.setSpacing(6)
        for label in (self.machine, self.what, self.state, self.means, self.do, self.story):
            label.setWordWrap(True)
        for part in (self.machine, self.what, self.state, None, self.means_title, self.means, None,
                     self.do_title, self.do, self.link, None, self.story_title, self.story):  # fmt: skip
            if part is None:
                layout.addSpacing(6)
            else:
                layout.addWidget(part)
        layout.addStretch(1)
        self.setWidget(content)

    def show_alarm(self, record: AlarmRecord | None) -> None:
        """Fill the panel for one alarm, or say that none is chosen."""
        if record is None:
            for label in (self.machine, self.means, self.do, self.state, self.story):
                label.setText("")
            self.what.setText("Choose an alarm to see what it means and what to do.")
            self._link = ""
        else:
            plant = self._live.plant
            rule = rule_of(plant, record.key)
            means = rule.consequence if rule is not None else ""
            self.machine.setText(machine_of(plant, record.tag))
            self.what.setText(condition_words(record, plant))
            pending = self._live.is_pending(record.key)
            self.state.setText(f"Priority {record.priority} · {state_words(record, pending)}")
            self.means.setText(means)
            self.do.setText(self._model.advice(record) or ("" if means else _NO_GUIDANCE))
            self.story.setText("\n".join(_story(record)))
            self._link = rule.link if rule is not None else ""
        for title, text in ((self.means_title, self.means), (self.do_title, self.do),
                            (self.story_title, self.story)):  # fmt: skip
            title.setVisible(bool(text.text()))
            text.setVisible(bool(text.text()))
        self.link.setVisible(bool(self._link))
        self.link.setToolTip(self._link)

    def _open_link(self, _checked: bool = False) -> None:
        QDesktopServices.openUrl(QUrl.fromUserInput(self._link))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        try:
            painter.fillRect(0, 0, 1, self.viewport().height(), current_theme().tokens.divider)
        finally:
            painter.end()


def _story(record: AlarmRecord) -> list[str]:
    """What happened to this raising, a line each."""
    lines = [f"Raised {wording.moment(record.raised_at)}"] if record.occurrence else []
    if record.unseen > 1 and record.unseen_since is not None:
        lines.append(f"{record.unseen} times since {wording.moment(record.unseen_since)}, not seen yet")
    if record.returned_at is not None:
        lines.append(f"Back to normal {wording.moment(record.returned_at)}")
    if record.acked_at is not None:
        comment = f": “{record.comment}”" if record.comment else ""
        lines.append(f"Seen by {record.acked_by} {wording.moment(record.acked_at)}{comment}")
    if record.phase.aside and record.aside_reason:
        who = f"{record.aside_by}: " if record.aside_by else ""
        permit = f" (permit {record.permit})" if record.permit else ""
        since = f"Put aside {wording.moment(record.aside_since)}. " if record.aside_since else ""
        lines.append(f"{since}{who}{record.aside_reason}{permit}")
    return lines
