"""A dialog that blocks nothing, cleans up after itself and never covers the alarm strip."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from ui.widgets.alarm_strip import AlarmStrip
from ui.widgets.themed import RoleLabel

MARGIN = 12


class DialogCard(QDialog):
    """Modeless shell around one widget: `show_card()`, then signals; deleted when closed."""

    def __init__(self, title: str, content: QWidget, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Dialog)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 12, 4, 4)
        heading = RoleLabel(title, "section")
        heading.setContentsMargins(16, 4, 16, 0)
        layout.addWidget(heading)
        layout.addWidget(content, 1)
        self._content = content
        self._host = parent

    def add_note(self, note: QWidget) -> None:
        """Put something between the heading and the content."""
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(1, note)

    @property
    def content(self) -> QWidget:
        return self._content

    def show_card(self) -> None:
        """Show beside the work, below the alarm strip, with the cursor in the content."""
        self.show()
        self.raise_()
        self.activateWindow()

    def open(self) -> None:
        """As `show_card`: QDialog's own open() would make the window behind it deaf."""
        self.show_card()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.move(self._place())

    def free_area(self) -> QRect:
        """Part of the parent window, in screen coordinates, that a dialog may cover."""
        window = self._host.window()
        area = QRect(window.mapToGlobal(QPoint(0, 0)), window.size())
        for strip in window.findChildren(AlarmStrip):
            if strip.isVisible():
                bottom = strip.mapToGlobal(QPoint(0, strip.height())).y()
                area.setTop(max(area.top(), bottom))
        return area

    def _place(self) -> QPoint:
        area = self.free_area()
        x = area.center().x() - self.width() // 2
        y = area.top() + max(MARGIN, (area.height() - self.height()) // 3)
        frame_top = self.geometry().top() - self.frameGeometry().top()
        return QPoint(max(area.left(), x), max(area.top() + MARGIN, y) + frame_top)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
