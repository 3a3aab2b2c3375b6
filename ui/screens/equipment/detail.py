"""One machine in detail: why its health is what it is, every signal with age, how it is connected."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from app.domain.equipment import Loss
from app.store.queries.outlook import Outlook
from ui.bridge.machines import MachineNow, SignalNow
from ui.models.machine_words import (
    STATE_GLYPHS,
    age_words,
    counter_words,
    short_name,
    signal_words,
    why,
)
from ui.models.wording import MINUS
from ui.theme import current_theme
from ui.widgets.glyphs import StateGlyph
from ui.widgets.themed import LEFT, RIGHT, RoleLabel, ThemedWidget, draw_focus_ring, draw_text

WIDTH = 316


class _LossRow(ThemedWidget):
    """Points lost and the sentence; a click or Enter opens the chart of the signal."""

    clicked = Signal(str)

    def __init__(self, loss: Loss, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss = loss
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"minus {loss.points}: {loss.sentence} Opens the chart.")
        self.setToolTip(f"{loss.sentence} Click for the chart.")

    def heightForWidth(self, width: int) -> int:
        metrics = QFontMetrics(self.theme.font("body"))
        box = metrics.boundingRect(0, 0, width - 52, 1000, int(Qt.TextFlag.TextWordWrap), self.loss.sentence)
        return int(box.height()) + 10

    def hasHeightForWidth(self) -> bool:
        return True

    def sizeHint(self) -> QSize:
        return QSize(WIDTH - 24, self.heightForWidth(WIDTH - 24))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            t = self.tokens
            painter.setFont(self.theme.font("strong"))
            painter.setPen(t.text)
            top = self.rect().adjusted(4, 5, 0, 0)
            at = int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            painter.drawText(top, at, f"{MINUS}{self.loss.points}")
            painter.setFont(self.theme.font("body"))
            painter.setPen(t.accent if self.underMouse() else t.text)
            words = self.rect().adjusted(44, 5, -4, 0)
            painter.drawText(words, at | int(Qt.TextFlag.TextWordWrap), self.loss.sentence)
            if self.hasFocus():
                draw_focus_ring(painter, QRectF(self.rect()), t)
        finally:
            painter.end()

    def enterEvent(self, event: QEvent) -> None:
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit(self.loss.tag)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.clicked.emit(self.loss.tag)
        else:
            super().keyPressEvent(event)


class SignalRows(ThemedWidget):
    """Every signal of a machine on a line: name, value, age; a click opens its chart."""

    clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._signals: tuple[SignalNow, ...] = ()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_signals(self, signals: tuple[SignalNow, ...]) -> None:
        grown = len(signals) != len(self._signals)
        self._signals = signals
        if grown:
            self.setFixedHeight(max(1, len(signals)) * self._line())
        self.setAccessibleDescription(", ".join(f"{short_name(s.tag)} {signal_words(s)}" for s in signals))
        self.update()

    def restyle(self) -> None:
        self.setFixedHeight(max(1, len(self._signals)) * self._line())

    def _line(self) -> int:
        return max(24, QFontMetrics(self.theme.font("body")).height() + 6)

    def _at(self, point: QPoint) -> SignalNow | None:
        index = point.y() // self._line()
        return self._signals[index] if 0 <= index < len(self._signals) else None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            line, width = self._line(), self.width()
            for index, signal in enumerate(self._signals):
                self._paint_row(painter, QRectF(0, index * line, width, line), signal)
        finally:
            painter.end()

    def _paint_row(self, painter: QPainter, row: QRectF, signal: SignalNow) -> None:
        theme, t = self.theme, self.tokens
        painter.fillRect(QRectF(row.left(), row.bottom() - 1, row.width(), 1), t.divider)
        name = QRectF(4, row.top(), row.width() * 0.36, row.height())
        draw_text(painter, name, short_name(signal.tag), theme.font("body"), t.text2, LEFT)
        font = QFont(theme.font("body"))
        font.setItalic(signal.stale)
        value = QRectF(row.width() * 0.36, row.top(), row.width() * 0.34, row.height())
        draw_text(painter, value, signal_words(signal), font, t.text2 if signal.stale else t.text, RIGHT)
        age = QRectF(row.width() * 0.72, row.top(), row.width() * 0.28 - 4, row.height())
        words = f"{age_words(signal.age)} old" if signal.stale and signal.age else age_words(signal.age)
        draw_text(painter, age, words, theme.font("meta"), t.text2, RIGHT)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            signal = self._at(event.pos())
            words = "" if signal is None else signal.words
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        signal = self._at(event.position().toPoint())
        if signal is not None:
            self.clicked.emit(signal.tag.name)


class MachineDetail(QScrollArea):
    """The panel beside the tiles; `chart_requested` names a tag."""

    chart_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("machine-detail")
        self.setFixedWidth(WIDTH)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._name = RoleLabel("", "section")
        self._facts = RoleLabel("", "meta", "text2")
        self._glyph = StateGlyph("unknown", 28)
        self._state = RoleLabel("", "strong")
        self._why = RoleLabel()
        self._health = RoleLabel("", "strong")
        self._links = RoleLabel("", "meta", "text2")
        self._counters_title = RoleLabel("Today", "strong")
        self._counters = RoleLabel()
        self._counters.setObjectName("machine-counters")
        for label in (self._name, self._facts, self._why, self._links, self._counters, self._state):
            label.setWordWrap(True)
        self._losses = QVBoxLayout()
        self._losses.setSpacing(0)
        self._shown: tuple[Loss, ...] = ()
        self.signals = SignalRows()
        self.signals.clicked.connect(self.chart_requested)
        self._lay_out()

    def _lay_out(self) -> None:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(12, 4, 12, 8)
        layout.setSpacing(6)
        for part in (self._name, self._facts, self._glyph, self._state, self._why):
            layout.addWidget(part)
        layout.addSpacing(8)
        layout.addWidget(self._health)
        layout.addLayout(self._losses)
        layout.addSpacing(8)
        layout.addWidget(RoleLabel("Signals", "strong"))
        layout.addWidget(self.signals)
        layout.addSpacing(8)
        layout.addWidget(self._counters_title)
        layout.addWidget(self._counters)
        layout.addWidget(self._links)
        layout.addStretch(1)
        self.setWidget(content)

    def show_machine(
        self, machine: MachineNow, state: str, links: list[str], ahead: Callable[[str], Outlook]
    ) -> None:
        """Fill the panel; `state` says how it is and since when, `links` how each connection is doing, `ahead` what
        each tag counted."""
        facts = (machine.equipment.code, machine.equipment.type, machine.equipment.area)
        self._name.setText(machine.equipment.name)
        self._facts.setText(" · ".join(f for f in facts if f))
        self._glyph.set_state(STATE_GLYPHS[machine.state])
        self._state.setText(state)
        self._why.setText(why(machine))
        score = machine.health.score
        self._health.setText("Health unknown" if score is None else f"Health {score} of 100")
        self._show_losses(machine.health.losses)
        self.signals.set_signals(machine.signals)
        self._links.setText("\n".join(links))
        counters = [(s.tag, counter_words(s.tag, ahead(s.tag.name))) for s in machine.signals]
        self._counters.setText("\n".join(f"{short_name(tag)}: {words}" for tag, words in counters if words))
        for label in (self._counters_title, self._counters):
            label.setVisible(any(words for _, words in counters))

    def losses(self) -> list[str]:
        """The reasons as shown."""
        return [f"{MINUS}{loss.points} {loss.sentence}" for loss in self._shown]

    def _show_losses(self, losses: tuple[Loss, ...]) -> None:
        if losses == self._shown:
            return
        focused = next((i for i, row in enumerate(self._rows()) if row.hasFocus()), None)
        for row in self._rows():
            self._losses.removeWidget(row)
            row.deleteLater()
        self._shown = losses
        for loss in losses:
            row = _LossRow(loss)
            row.clicked.connect(self.chart_requested)
            self._losses.addWidget(row)
        rows = self._rows()
        if focused is not None and rows:
            rows[min(focused, len(rows) - 1)].setFocus()

    def _rows(self) -> list[_LossRow]:
        found = (self._losses.itemAt(i) for i in range(self._losses.count()))
        return [row for item in found if item is not None and isinstance(row := item.widget(), _LossRow)]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        try:
            t = current_theme().tokens
            painter.fillRect(0, 0, 1, self.viewport().height(), t.divider)
        finally:
            painter.end()
