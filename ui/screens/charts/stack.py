"""Charts under each other, one for each unit, that share one range of time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.domain.alarms import Limit
from app.domain.plant import Limits, Tag
from ui.bridge.live import LiveDesk
from ui.models.curves import CurveSource
from ui.models.machine_words import normal_band, short_name
from ui.widgets.chart import EventPin, LimitLine, TrendChart

MOST_IN_ONE = 6
_LEAST_HEIGHT = 150
_LIMIT_NAMES = {Limit.HIHI: "HIHI", Limit.HI: "HI", Limit.LO: "LO", Limit.LOLO: "LOLO"}


def groups(tags: Sequence[Tag]) -> dict[str, list[Tag]]:
    """Tags by unit in the order of the first of each, never more than a chart has colours for."""
    by_unit: dict[str, list[Tag]] = {}
    for tag in tags:
        by_unit.setdefault(tag.unit, []).append(tag)
    found: dict[str, list[Tag]] = {}
    for unit, members in by_unit.items():
        for first in range(0, len(members), MOST_IN_ONE):
            key = unit if first == 0 else f"{unit}/{first // MOST_IN_ONE + 1}"
            found[key] = members[first : first + MOST_IN_ONE]
    return found


class ChartStack(QScrollArea):
    """`range_changed(t0, t1)` when a person zoomed or panned any of the charts; `follow_changed` live or frozen."""

    range_changed = Signal(float, float)
    follow_changed = Signal(bool)

    def __init__(self, live: LiveDesk, curves: CurveSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chart-stack")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the charts in it are the stops
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self._live, self._curves = live, curves
        self._charts: dict[str, TrendChart] = {}
        self._members: dict[str, list[Tag]] = {}
        self._linking = False
        self.span = 900.0
        self.following = True
        self._window = (0.0, 1.0)
        self._content = content = QWidget()
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self.setWidget(content)
        curves.loaded.connect(self.draw)

    # -- which curves --------------------------------------------------------------------------------

    def show_tags(self, tags: Sequence[Tag]) -> None:
        """Show exactly these signals; a chart and a curve that stay keep their view and colour."""
        wanted = groups(tags)
        for key in [key for key in self._charts if key not in wanted]:
            self._remove(key)
        for position, (key, members) in enumerate(wanted.items()):
            chart = self._charts.get(key) or self._add(key)
            self._layout.insertWidget(position, chart)
            self._fill(key, chart, members)
        self.load()

    def _add(self, key: str) -> TrendChart:
        chart = TrendChart(span=self.span)
        chart.setObjectName(f"chart-{key or 'plain'}")
        chart.setMinimumHeight(_LEAST_HEIGHT)
        chart.view_changed.connect(partial(self._on_view, key))
        chart.follow_changed.connect(partial(self._on_follow, key))
        self._charts[key] = chart
        self._members[key] = []
        if not self.following:
            chart.set_view(*self._window)
        return chart

    def _remove(self, key: str) -> None:
        for tag in self._members.pop(key):
            self._curves.forget(tag.name)
        chart = self._charts.pop(key)
        self._layout.removeWidget(chart)
        chart.hide()
        chart.deleteLater()

    def _fill(self, key: str, chart: TrendChart, members: list[Tag]) -> None:
        names = [tag.name for tag in members]
        for tag in self._members[key]:
            if tag.name not in names:
                chart.remove_series(tag.name)
                self._curves.forget(tag.name)
        self._members[key] = members
        chart.setAccessibleName("Chart of " + ", ".join(names))
        for tag in members:
            chart.set_series(tag.name, f"{tag.equipment} {short_name(tag)}", tag.unit)
            self.draw(tag.name)
        limits = {tag.limits for tag in members if tag.limits}
        chart.set_limits(*_marks(limits.pop() if len(limits) == 1 else Limits()))

    def picture(self) -> QImage:
        """All charts as they stand on the screen."""
        return self._content.grab().toImage()

    @property
    def charts(self) -> list[TrendChart]:
        return list(self._charts.values())

    # -- data ----------------------------------------------------------------------------------------

    def draw(self, name: str) -> None:
        """Give a curve its newest data."""
        tag = self._live.plant.tag(name)
        for key, members in self._members.items():
            if tag is not None and any(t.name == name for t in members):
                chart = self._charts[key]
                curve = self._curves.curve(tag, chart.view()[0])
                chart.set_data(name, curve.t, curve.lo, curve.hi, curve.mean)

    def tick(self, now: float) -> None:
        """Time goes on, also without data."""
        for key, chart in self._charts.items():
            chart.set_stale(self._stale_since(self._members[key]))
            chart.set_now(now)

    def _stale_since(self, members: list[Tag]) -> float | None:
        """From when on nothing is known of any of the signals; None while one of them is known."""
        signals = [self._live.signal(tag) for tag in members]
        if not signals or any(not s.stale for s in signals):
            return None
        now = self._live.now().timestamp()
        ages = [s.age for s in signals if s.age is not None]
        return now - min(ages) if ages else now - self.span

    def load(self) -> None:
        """Ask for what the present view lacks."""
        for key, chart in self._charts.items():
            start, end = chart.view()
            for tag in self._members[key]:
                self._curves.want(tag.name, start, end, max(200, chart.width() - 220))

    def set_alarms(self, pins: dict[str, list[EventPin]]) -> None:
        """Marks of alarms by tag."""
        for key, chart in self._charts.items():
            chart.set_events([pin for tag in self._members[key] for pin in pins.get(tag.name, [])])

    def points_since(self, taken: dict[str, int]) -> int:
        """How many samples came in for the shown signals since `taken` was counted."""
        return sum(count - taken.get(tag, count) for tag, count in self.taken().items())

    def taken(self) -> dict[str, int]:
        """How many samples each shown signal has ever brought."""
        names = [tag.name for members in self._members.values() for tag in members]
        return {name: ring.taken for name in names if (ring := self._live.ring(name)) is not None}

    # -- one range for all ---------------------------------------------------------------------------

    def shown_range(self) -> tuple[float, float]:
        """First and last moment on show."""
        return self.charts[0].view() if self._charts else self._window

    def show_live(self, span: float) -> None:
        """The last `span` seconds, running."""
        self.span, self.following = span, True
        self._link(partial(_go_live, span=span))
        self.follow_changed.emit(True)
        self.load()

    def show_window(self, start: float, end: float) -> None:
        """A fixed range of time."""
        self.following, self._window = False, (start, end)
        self._link(partial(_stand, start=start, end=end))
        self.follow_changed.emit(False)
        self.load()

    def freeze(self) -> None:
        """Stop the view where it is; data keeps coming in."""
        if self._charts:
            self.show_window(*self.shown_range())

    def _link(self, change: partial[None]) -> None:
        self._linking = True
        try:
            for chart in self._charts.values():
                change(chart)
        finally:
            self._linking = False

    def _on_view(self, key: str, start: float, end: float, by_user: bool) -> None:
        if by_user and not self._linking:
            chart = self._charts[key]
            if chart.following:
                self.show_live(end - start)
            else:
                self.show_window(start, end)
            self.range_changed.emit(start, end)

    def _on_follow(self, key: str, follow: bool) -> None:
        if self._linking:
            return
        if follow:
            self.show_live(self.span)
        else:
            self.show_window(*self._charts[key].view())


def _go_live(chart: TrendChart, *, span: float) -> None:
    chart.set_span(span)
    if not chart.following:
        chart.go_live()


def _stand(chart: TrendChart, *, start: float, end: float) -> None:
    if chart.following or not np.allclose(chart.view(), (start, end), rtol=0, atol=1e-6):
        chart.set_view(start, end)


def _marks(limits: Limits) -> tuple[list[LimitLine], tuple[float, float] | None]:
    """Lines for all limits that there are, and the normal band between the warning limits."""
    lines = [
        LimitLine(value, text)
        for limit, text in _LIMIT_NAMES.items()
        if (value := getattr(limits, limit.value)) is not None
    ]
    return lines, normal_band(limits)
