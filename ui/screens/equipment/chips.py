"""Counts of machines by state that are filters at the same time."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QWidget

from app.domain.equipment import EquipmentState
from ui.models.machine_words import STATE_GLYPHS, STATE_ORDER, STATE_WORDS
from ui.theme import current_theme
from ui.widgets.glyphs import paint_state
from ui.widgets.themed import LEFT, draw_focus_ring, draw_text


class _Chip(QAbstractButton):
    """Glyph, word, count; pressed in while it filters."""

    def __init__(self, state: EquipmentState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._glyph = STATE_GLYPHS[state]
        self._word = STATE_WORDS[state]
        self._count = 0
        self.setCheckable(True)
        self.setObjectName(f"chip-{state.value}")
        self.set_count(0)
        current_theme().changed.connect(self.updateGeometry)

    def set_count(self, count: int) -> None:
        self._count = count
        self.setText(f"{self._word} {count}")
        self.setAccessibleName(f"{self._word}: {count} machines")
        self.setToolTip(f"Show only these machines: {self._word.lower()}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        theme = current_theme()
        width = QFontMetrics(theme.font("body")).horizontalAdvance(self.text())
        return QSize(width + 20 + 26, theme.density.control_height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            theme = current_theme()
            t = theme.tokens
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            on = self.isChecked()
            painter.setBrush(t.selection if on else t.panel)
            painter.setPen(QPen(t.accent if on else t.divider, 1.5 if on else 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)
            glyph = QRectF(8, (self.height() - 20) / 2, 20, 20)
            painter.setOpacity(1.0 if self._count else 0.4)
            state = self._glyph if self._count else "idle"
            paint_state(painter, glyph, self._glyph if self._count else state, tokens=t)
            painter.setOpacity(1.0)
            ink = t.text if self._count else t.text2
            draw_text(painter, self.rect().adjusted(34, 0, -4, 0), self.text(), theme.font("body"), ink, LEFT)
            if self.hasFocus():
                draw_focus_ring(painter, QRectF(self.rect()), t)
        finally:
            painter.end()


class StateChips(QWidget):
    """One chip a state; `changed` when another set of states is wanted (none pressed: all)."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        self._chips = {state: _Chip(state) for state in STATE_ORDER}
        for chip in self._chips.values():
            chip.toggled.connect(self._toggled)
            layout.addWidget(chip)
        layout.addStretch(1)

    def set_counts(self, counts: Mapping[EquipmentState, int]) -> None:
        for state, chip in self._chips.items():
            chip.set_count(counts.get(state, 0))

    def wanted(self) -> frozenset[EquipmentState]:
        """States to show; empty means all."""
        return frozenset(state for state, chip in self._chips.items() if chip.isChecked())

    def want(self, states: frozenset[EquipmentState]) -> None:
        """Press exactly these chips."""
        for state, chip in self._chips.items():
            chip.setChecked(state in states)

    def _toggled(self, _on: bool) -> None:
        self.changed.emit()
