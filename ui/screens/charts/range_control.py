"""Holds the range of time and the picker together: both always say the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QObject, Slot

from ui.screens.charts.range_picker import RangePicker, beginning, range_words
from ui.widgets.chart_time import TimeWindow


class RangeControl(QObject):
    """`since` is "shift" or "today" while the range began with it, else empty."""

    def __init__(
        self, window: TimeWindow, picker: RangePicker, now: Callable[[], datetime], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._window, self._picker, self._now = window, picker, now
        self.since = ""
        picker.span_chosen.connect(self.show_span)
        picker.since_chosen.connect(self.show_since)
        window.changed.connect(self._on_range)
        window.follow_changed.connect(self._on_range)
        self._say()

    @Slot(float)
    def show_span(self, span: float) -> None:
        """The last `span` seconds, running on."""
        self.since = ""
        self._window.run(span)

    @Slot(str)
    def show_since(self, since: str) -> None:
        """Everything since the present shift ("shift") or day ("today") began, running on."""
        self.since = since
        self._window.run(anchor=beginning(since, self._now().timestamp()))

    @Slot(bool)
    def _on_range(self, by_user: bool) -> None:
        if by_user or not self._window.following:
            if self._window.anchor is None:
                self.since = ""
            self._say()

    def _say(self) -> None:
        start, end = self._window.range()
        if not self._window.following:
            self._picker.show_words(range_words(start, end))
        elif self.since and self._window.anchor is not None:
            self._picker.show_since(self.since)
        else:
            self._picker.show_span(end - start)
