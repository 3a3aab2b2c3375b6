"""The one value of the range of time, in words: running lengths, this shift, today, or from … to."""

from __future__ import annotations

from datetime import datetime, timedelta

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from ui.theme import current_theme
from ui.widgets.chart_ticks import local

SPANS: tuple[tuple[float, str], ...] = (
    (300.0, "Last 5 min"),
    (900.0, "Last 15 min"),
    (3600.0, "Last 1 h"),
    (8 * 3600.0, "Last 8 h"),
    (24 * 3600.0, "Last 24 h"),
    (7 * 86400.0, "Last 7 d"),
    (30 * 86400.0, "Last 30 d"),
    (366 * 86400.0, "Last year"),
)
SHIFT, TODAY, CUSTOM = "shift", "today", "custom"
SHIFTS = (6, 14, 22)
"""Hours at which shifts begin, local time."""
_SINCE = {SHIFT: "This shift", TODAY: "Today"}
_ENTRIES: tuple[tuple[object, str], ...] = (
    *SPANS,
    (SHIFT, "This shift"),
    (TODAY, "Today"),
    (CUSTOM, "From … to …"),
)


def beginning(of: str, now: float) -> float:
    """When the present shift or day began, by the clock on the wall."""
    wall = local(now).replace(tzinfo=None)
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if of == TODAY:
        return midnight.timestamp()
    starts = [midnight - timedelta(hours=24 - SHIFTS[-1]), *(midnight + timedelta(hours=h) for h in SHIFTS)]
    return max(start for start in starts if start <= wall).timestamp()


def range_words(start: float, end: float) -> str:
    """A fixed range: `21 Nov 06:00 – 14:00`."""
    first, last = local(start), local(end)
    pattern = "%H:%M:%S" if end - start < 600 else "%H:%M"
    day = "%d %b" if first.year == datetime.now().astimezone().year else "%d %b %Y"
    to = last.strftime(pattern if first.date() == last.date() else f"{day} {pattern}")
    return f"{first.strftime(f'{day} {pattern}')} – {to}"


class RangePicker(QComboBox):
    """`span_chosen` seconds up to now, `since_chosen` the shift or the day, or `custom_wanted`."""

    span_chosen = Signal(float)
    since_chosen = Signal(str)
    custom_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("range-picker")
        self.setAccessibleName("Range of time")
        for value, words in _ENTRIES:
            self.addItem(words, value)
        self.setMinimumHeight(current_theme().density.control_height)
        self.setMinimumWidth(196)
        self.setMaxVisibleItems(20)
        self.activated.connect(self._chosen)

    def show_span(self, span: float) -> None:
        """Say a running range, also one that was zoomed to."""
        known = next((i for i, (s, _) in enumerate(SPANS) if abs(s - span) < s * 0.01), None)
        if known is not None:
            self._drop_words()
            self.setCurrentIndex(known)
        else:
            self.show_words(f"Last {length_words(span)}")

    def show_since(self, since: str) -> None:
        self._drop_words()
        self.setCurrentIndex(self.findData(since))

    def show_words(self, words: str) -> None:
        """Say a fixed range."""
        if self.count() == len(_ENTRIES):
            self.addItem(words, None)
        self.setItemText(len(_ENTRIES), words)
        self.setCurrentIndex(len(_ENTRIES))

    def _drop_words(self) -> None:
        if self.count() > len(_ENTRIES):
            self.removeItem(len(_ENTRIES))

    def _chosen(self, index: int) -> None:
        value = self.itemData(index)
        if value == CUSTOM:
            self.custom_wanted.emit()
        elif value in _SINCE:
            self.since_chosen.emit(value)
        elif value is not None:
            self.span_chosen.emit(float(value))


def length_words(seconds: float) -> str:
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
