"""Flat column header whose words stand over the words of the cells."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHeaderView, QWidget

from ui.theme import current_theme
from ui.widgets.themed import LEFT, RIGHT, draw_text

_PAD = 8


class ListHeader(QHeaderView):
    """Paints title, order arrow (▲ ascending, ▼ descending) and a thin edge; behaves as Qt's own."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setHighlightSections(False)
        self.setStretchLastSection(True)
        self.setMinimumSectionSize(36)
        self.setSortIndicatorShown(False)

    def paintSection(self, painter: QPainter, rect: QRect, logical_index: int) -> None:
        painter.save()
        try:
            self._paint(painter, rect, logical_index)
        finally:
            painter.restore()

    def _paint(self, painter: QPainter, rect: QRect, section: int) -> None:
        theme, model = current_theme(), self.model()
        t = theme.tokens
        painter.fillRect(rect, t.panel)
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, t.border)
        painter.fillRect(rect.right(), rect.top() + 6, 1, rect.height() - 12, t.divider)
        across = Qt.Orientation.Horizontal
        wish = model.headerData(section, across, Qt.ItemDataRole.TextAlignmentRole)
        right = wish is not None and bool(int(wish) & int(Qt.AlignmentFlag.AlignRight))
        box = rect.adjusted(_PAD, 0, -_PAD, -1)
        sorted_by = self.isSortIndicatorShown() and self.sortIndicatorSection() == section
        if sorted_by:
            down = self.sortIndicatorOrder() == Qt.SortOrder.DescendingOrder
            arrow = QRect(box.left() if right else box.right() - 12, box.top(), 14, box.height())
            draw_text(painter, arrow, "▼" if down else "▲", theme.font("meta"), t.text, LEFT)
            box = box.adjusted(16 if right else 0, 0, 0 if right else -16, 0)
        title = str(model.headerData(section, across, Qt.ItemDataRole.DisplayRole) or "")
        ink = t.text if sorted_by else t.text2
        draw_text(painter, box, title, theme.font("meta"), ink, RIGHT if right else LEFT)
