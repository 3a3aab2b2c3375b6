"""A field that narrows a list while one types, and says how many rows are left."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QToolButton, QWidget

from ui.widgets.themed import RoleLabel, ThemedWidget

DEBOUNCE_MS = 180


class _FilterEdit(QLineEdit):
    escaped = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.escaped.emit()
        else:
            super().keyPressEvent(event)


class FilterField(ThemedWidget):
    """Line edit with a "/" hint, a clear button and a count; `filter_changed` waits for a short rest.

    `noun` is what is counted, as one and as many.
    """

    filter_changed = Signal(str)

    def __init__(
        self,
        hint: str = "Filter",
        parent: QWidget | None = None,
        *,
        noun: tuple[str, str] = ("row", "rows"),
    ) -> None:
        super().__init__(parent)
        self._noun = noun
        self._edit = _FilterEdit()
        self._edit.setPlaceholderText(f"/  {hint}")
        self._edit.setAccessibleName(hint)
        self._edit.setToolTip(f"Filter by {hint} (/)")
        self._edit.setClearButtonEnabled(True)
        for button in self._edit.findChildren(QToolButton):
            button.setAccessibleName("Clear the filter")
        self._edit.setMinimumWidth(140)
        self._edit.setTextMargins(4, 0, 4, 0)
        self._count = RoleLabel("", "meta", "text2")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._edit, 1)
        layout.addWidget(self._count)
        self.setFocusProxy(self._edit)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._sent = ""
        self._rest = QTimer(self, singleShot=True, interval=DEBOUNCE_MS)
        self._rest.timeout.connect(self._emit)
        self._edit.textChanged.connect(self._typed)
        self._edit.returnPressed.connect(self._emit)
        self._edit.escaped.connect(self.clear)
        self.restyle()

    def text(self) -> str:
        return self._edit.text()

    def set_text(self, text: str) -> None:
        """Replace the filter; the signal follows as if it had been typed."""
        self._edit.setText(text)

    def settle(self) -> None:
        """Take the present text as known already: no signal follows for it."""
        self._rest.stop()
        self._sent = self._edit.text()

    def clear(self) -> None:
        self._edit.clear()
        self._emit()

    def set_count(self, rows: int, filtered: bool) -> None:
        """Rows in the list; `filtered` says that there are more behind the filter."""
        words = f"{rows:,} {self._noun[0 if rows == 1 else 1]}"
        self._count.setText(f"{words} · filtered" if filtered else words)

    def set_counting(self, at_least: int) -> None:
        """The rows are still being counted."""
        self._count.setText(f"{at_least:,}+ {self._noun[1]} · counting…")

    def count_text(self) -> str:
        return self._count.text()

    def restyle(self) -> None:
        self._edit.setMinimumHeight(self.theme.density.control_height)
        self._edit.setFont(self.theme.font("body"))

    def _typed(self, text: str) -> None:
        self._rest.start()

    def _emit(self) -> None:
        self._rest.stop()
        if self._edit.text() != self._sent:
            self._sent = self._edit.text()
            self.filter_changed.emit(self._sent)
