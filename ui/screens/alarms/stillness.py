"""Keeps the list of alarms still while somebody reads: by a pause, or by a pointer that is on its way to a row."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot

from ui.models.alarm_list import AlarmList
from ui.widgets.buttons import ActionButton
from ui.widgets.list_view import ListView

READING_MS = 4000  # a pointer that lies still for longer reads nothing


class Stillness(QObject):
    """`button` says what waits meanwhile and lets the list go on; `changed` when it is paused or goes on."""

    changed = Signal()

    def __init__(self, table: ListView, model: AlarmList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.paused = False
        self.button = ActionButton("")
        self.button.setToolTip("Let the list go on")
        self.button.hide()
        self._reading = QTimer(self, singleShot=True, interval=READING_MS)
        self._reading.timeout.connect(self._hold_or_not)
        table.viewport().setMouseTracking(True)
        table.viewport().installEventFilter(self)
        self.button.clicked.connect(self._let_go)
        model.waiting_changed.connect(self._on_waiting)

    def toggle(self) -> None:
        """Hold the list still, or let it go on."""
        self.paused = not self.paused
        self._hold_or_not()
        self.changed.emit()

    @Slot()
    def _hold_or_not(self) -> None:
        self._model.hold(self.paused or self._reading.isActive())

    @Slot()
    def _let_go(self) -> None:
        self._reading.stop()
        if self.paused:
            self.toggle()
        else:
            self._hold_or_not()

    @Slot(int)
    def _on_waiting(self, count: int) -> None:
        self.button.setText(f"+{count} new")
        self.button.setVisible(count > 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove:
            self._reading.start()
            if not self._model.held:
                self._hold_or_not()
        elif event.type() == QEvent.Type.Leave:
            self._reading.stop()
            self._hold_or_not()
        return False
