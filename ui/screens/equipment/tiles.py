"""All machines as tiles in one widget: grouped by area, painted only where they show, walked with the arrow keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from ui.bridge.machines import MachineNow
from ui.models.machine_words import summary
from ui.screens.equipment.tile_paint import Curve, paint_tile, tile_size
from ui.theme import current_theme
from ui.widgets.themed import LEFT, draw_text

GAP = 12


@dataclass(frozen=True)
class _Place:
    """Where a tile lies on the whole sheet."""

    machine: str
    box: QRect


def _no_mark(_code: str) -> str:
    return ""


class MachineTiles(QAbstractScrollArea):
    """`chosen` names the machine that the keyboard or the mouse came to; `opened` one that was opened."""

    chosen = Signal(str)
    opened = Signal(str)
    context_requested = Signal(str, QPointF)

    def __init__(
        self,
        curve: Curve,
        state: Callable[[MachineNow], str],
        parent: QWidget | None = None,
        *,
        mark: Callable[[str], str] = _no_mark,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("machine-tiles")
        self.setAccessibleName("Machines")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._curve, self._state, self._mark = curve, state, mark
        self._machines: dict[str, MachineNow] = {}
        self._places: list[_Place] = []
        self._headings: list[tuple[QRect, str]] = []
        self._columns = 1
        self._current = ""
        current_theme().changed.connect(self._restyle)

    # -- content -------------------------------------------------------------------------------------

    def set_machines(self, machines: Sequence[MachineNow]) -> None:
        """Show these machines, in this order within their areas; the chosen one stays chosen if it is among them."""
        self._machines = {m.equipment.code: m for m in machines}
        if self._current not in self._machines:
            self._current = ""
        self._lay_out()
        self.viewport().update()

    def update_machines(self, machines: Iterable[MachineNow]) -> None:
        """Newer views of machines that are already there; only their tiles are painted again."""
        newer = {m.equipment.code: m for m in machines if m.equipment.code in self._machines}
        self._machines.update(newer)
        for place in self._places:
            if place.machine in newer:
                self.viewport().update(place.box.translated(0, -self._top()))
        if self._current in newer:
            self._describe()

    @property
    def current(self) -> str:
        """Code of the chosen machine; empty when none is."""
        return self._current

    def codes(self) -> list[str]:
        """Codes of all machines in the order on the screen."""
        return [place.machine for place in self._places]

    def box_of(self, code: str) -> QRect | None:
        """Where a tile is on the viewport now."""
        found = next((p.box for p in self._places if p.machine == code), None)
        return None if found is None else found.translated(0, -self._top())

    def choose(self, code: str) -> None:
        """Make a machine the chosen one and bring it into view."""
        box = self.box_of(code)
        if box is None:
            return
        self._current = code
        bar = self.verticalScrollBar()
        if box.top() < 0:
            bar.setValue(bar.value() + box.top() - GAP)
        elif box.bottom() > self.viewport().height():
            bar.setValue(bar.value() + box.bottom() - self.viewport().height() + GAP)
        self.viewport().update()
        self._describe()
        self.chosen.emit(code)

    def forget_choice(self) -> None:
        """No machine is the chosen one any more."""
        self._current = ""
        self.viewport().update()
        self._describe()

    def _describe(self) -> None:
        machine = self._machines.get(self._current)
        self.setAccessibleDescription("" if machine is None else self._words(machine))

    def _words(self, machine: MachineNow) -> str:
        return summary(machine, self._state(machine))

    # -- layout --------------------------------------------------------------------------------------

    def _top(self) -> int:
        return self.verticalScrollBar().value()

    def _lay_out(self) -> None:
        """Areas under each other, tiles in as many columns as fit, stretched up to twice their least width."""
        theme = current_theme()
        least, height = tile_size(theme)
        width = max(self.viewport().width(), 200)
        heading = QFontMetrics(theme.font("section")).height() + 10
        areas: dict[str, list[str]] = {}
        for code, machine in self._machines.items():
            areas.setdefault(machine.equipment.area or "No area", []).append(code)
        fitting = max(1, (width + GAP) // (least + GAP))
        # No more columns than the largest area has machines: what is left over makes the curves longer.
        self._columns = min(fitting, max(map(len, areas.values()), default=1))
        tile_width = min((width - (self._columns - 1) * GAP) // self._columns, 2 * least)
        self._places, self._headings, top = [], [], 0
        for area, codes in areas.items():
            self._headings.append((QRect(0, top, width, heading), area))
            top += heading
            for index, code in enumerate(codes):
                row, column = divmod(index, self._columns)
                box = QRect(column * (tile_width + GAP), top + row * (height + GAP), tile_width, height)
                self._places.append(_Place(code, box))
            top += -(-len(codes) // self._columns) * (height + GAP)
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, top - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(height // 3)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def sizeHint(self) -> QSize:
        least, height = tile_size(current_theme())
        return QSize(2 * least + GAP, 3 * height)

    def _restyle(self) -> None:
        self._lay_out()
        self.viewport().update()

    # -- painting ------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        try:
            theme, shown = current_theme(), event.rect()
            painter.fillRect(shown, theme.tokens.canvas)
            painter.translate(0, -self._top())
            sheet = shown.translated(0, self._top())
            for box, area in self._headings:
                if box.intersects(sheet):
                    draw_text(painter, box, area, theme.font("section"), theme.tokens.text2, LEFT)
            for place in self._places:
                if place.box.intersects(sheet):
                    self._paint_place(painter, place)
        finally:
            painter.end()

    def _paint_place(self, painter: QPainter, place: _Place) -> None:
        machine = self._machines[place.machine]
        painter.save()
        try:
            painter.setClipRect(place.box)
            chosen = place.machine == self._current
            paint_tile(
                painter,
                QRectF(place.box),
                machine,
                self._curve,
                self._state(machine),
                mark=self._mark(place.machine),
                selected=chosen,
                focused=chosen and self.hasFocus(),
            )
        finally:
            painter.restore()

    # -- keys and mouse ------------------------------------------------------------------------------

    def _at(self, point: QPointF) -> str:
        at = point.toPoint()
        at.setY(at.y() + self._top())
        return next((p.machine for p in self._places if p.box.contains(at)), "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        code = self._at(event.position())
        if code:
            self.choose(code)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        code = self._at(event.position())
        if code:
            self.opened.emit(code)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        code = self._at(QPointF(event.pos()))
        if code:
            self.choose(code)
            self.context_requested.emit(code, QPointF(event.globalPos()))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            machine = self._machines.get(self._at(QPointF(event.pos())))
            QToolTip.showText(event.globalPos(), self._words(machine) if machine else "", self)
            return True
        return super().viewportEvent(event)

    def focusInEvent(self, event: object) -> None:
        self.viewport().update()

    def focusOutEvent(self, event: object) -> None:
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_K: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_J: 1,
            Qt.Key.Key_Up: -self._columns,
            Qt.Key.Key_Down: self._columns,
        }
        key, codes = Qt.Key(event.key()), self.codes()
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier or not codes:
            super().keyPressEvent(event)
        elif key in steps:
            self._step(codes, steps[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.choose(codes[0 if key == Qt.Key.Key_Home else -1])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current:
            self.opened.emit(self._current)
        else:
            super().keyPressEvent(event)

    def _step(self, codes: list[str], by: int) -> None:
        if self._current not in codes:
            self.choose(codes[0])
            return
        self.choose(codes[min(max(codes.index(self._current) + by, 0), len(codes) - 1)])
