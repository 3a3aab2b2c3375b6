"""Charts under each other, one for each unit, that share one range of time and its cursors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.domain.alarms import Limit
from app.domain.plant import Limits, Tag
from ui.bridge.live import LiveDesk
from ui.models.compared import ComparedCurves, Comparison
from ui.models.curve_kind import CurveKind, crowded, groups, kind_of
from ui.models.curves import CurveSource
from ui.models.machine_words import normal_band, short_name
from ui.models.tag_list import dropped_tags
from ui.models.text_runs import TextSource
from ui.widgets.chart import EventPin, LimitLine, TrendChart
from ui.widgets.chart_time import TimeWindow

FRAME_MS = 33
_LEAST_HEIGHT = 168
_LEAST_MULTIPLE = 128
_LIMIT_NAMES = {Limit.HIHI: "HIHI", Limit.HI: "HI", Limit.LO: "LO", Limit.LOLO: "LOLO"}


class ChartStack(QScrollArea):
    """Draws at most 30 times a second, and only while it is seen.

    `range_changed(by_user)` when another range is shown; `menu_wanted(chart key, where)`; `tags_dropped(names)`.
    """

    range_changed = Signal(bool)
    pins_opened = Signal(object, QPoint)
    menu_wanted = Signal(str, QPoint)
    tags_dropped = Signal(list)

    def __init__(self, live: LiveDesk, curves: CurveSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chart-stack")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the charts in it are the stops
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setAcceptDrops(True)
        self._live, self._curves = live, curves
        self._texts = TextSource(live, self)
        self._compared = ComparedCurves(live, self)
        self.window_of_time = TimeWindow(900.0, self)
        self.comparison: Comparison | None = None
        self.order: list[str] = []
        self.multiples = False
        self.value_ranges: dict[str, tuple[float, float]] = {}
        self._charts: dict[str, TrendChart] = {}
        self._members: dict[str, list[Tag]] = {}
        self._dirty: set[str] = set()
        self._frame = QTimer(self, interval=FRAME_MS, timerType=Qt.TimerType.PreciseTimer)
        self._frame.timeout.connect(self._draw_frame)
        self._content = content = QWidget()
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self.setWidget(content)
        curves.loaded.connect(self._touch)
        self._texts.loaded.connect(self._touch)
        self._compared.loaded.connect(self._show_compared)
        self.window_of_time.changed.connect(self.range_changed)

    # -- which curves --------------------------------------------------------------------------------

    def show_tags(self, tags: Sequence[Tag]) -> None:
        """Show exactly these signals; a chart and a curve that stay keep their view and colour."""
        wanted = groups(tags, self.kind_of, multiples=self.multiples, order=self.order)
        for key in [key for key in self._charts if key not in wanted]:
            self._remove(key)
        for position, (key, members) in enumerate(wanted.items()):
            chart = self._charts.get(key) or self._add(key)
            self._layout.insertWidget(position, chart)
            self._fill(key, chart, members)
        self._charts = {key: self._charts[key] for key in wanted}
        for chart in self.charts:
            chart.setMinimumHeight(_LEAST_MULTIPLE if len(self._charts) > 3 else _LEAST_HEIGHT)
        self.load()

    def kind_of(self, tag: Tag) -> CurveKind:
        sample = self._live.latest(tag.name)
        return kind_of(tag, sample.value if sample is not None else None)

    @property
    def crowded(self) -> str | None:
        """The unit that has more curves than one chart can hold, while they are not drawn one by one."""
        return None if self.multiples else crowded(self._members)

    def _add(self, key: str) -> TrendChart:
        chart = TrendChart(window=self.window_of_time)
        chart.setObjectName(f"chart-{key or 'plain'}")
        chart.pins_opened.connect(self.pins_opened)
        chart.menu_wanted.connect(partial(self.menu_wanted.emit, key))
        self._charts[key] = chart
        self._members[key] = []
        chart.set_value_range(self.value_ranges.get(key))
        return chart

    def _remove(self, key: str) -> None:
        for tag in self._members.pop(key):
            self._forget(tag.name)
        chart = self._charts.pop(key)
        self._layout.removeWidget(chart)
        chart.hide()
        chart.deleteLater()

    def _forget(self, name: str) -> None:
        if not any(tag.name == name for members in self._members.values() for tag in members):
            self._curves.forget(name)
            self._texts.forget(name)

    def _fill(self, key: str, chart: TrendChart, members: list[Tag]) -> None:
        names = [tag.name for tag in members]
        gone = [tag.name for tag in self._members[key] if tag.name not in names]
        self._members[key] = members
        for name in gone:
            chart.remove_series(name)
            self._forget(name)
        chart.setAccessibleName("Chart of " + ", ".join(names))
        for tag in members:
            kind = self.kind_of(tag)
            label = f"{tag.equipment} {short_name(tag)}"
            chart.set_series(tag.name, label, tag.unit, kind=kind.kind, states=kind.states)
            self.draw(tag.name)
        limits = {tag.limits for tag in members if tag.limits}
        chart.set_limits(*_marks(limits.pop() if len(limits) == 1 else Limits()))

    @property
    def charts(self) -> list[TrendChart]:
        return list(self._charts.values())

    @property
    def tags(self) -> list[Tag]:
        """All signals on show, from the top."""
        return [tag for key in self._charts for tag in self._members[key]]

    def chosen(self) -> str:
        """The chart that has the keyboard, else the first one; empty without charts."""
        return next(
            (key for key, chart in self._charts.items() if chart.hasFocus()), next(iter(self._charts), "")
        )

    def members(self, key: str) -> list[Tag]:
        return list(self._members.get(key, []))

    def chart(self, key: str) -> TrendChart:
        return self._charts[key]

    def move_chart(self, key: str, by: int) -> None:
        """Move a chart up (negative) or down among the others."""
        keys = list(self._charts)
        place = keys.index(key)
        keys.insert(min(max(place + by, 0), len(keys) - 1), keys.pop(place))
        self.order = keys
        self._charts = {name: self._charts[name] for name in keys}
        for position, name in enumerate(keys):
            self._layout.insertWidget(position, self._charts[name])
        self.ensureWidgetVisible(self._charts[key])
        self._charts[key].setFocus()

    def set_value_range(self, key: str, low_high: tuple[float, float] | None) -> None:
        """Fix the axis of values of a chart; None lets it follow its curves."""
        self.value_ranges.pop(key, None)
        if low_high is not None:
            self.value_ranges[key] = low_high
        if key in self._charts:
            self._charts[key].set_value_range(low_high)

    # -- data ----------------------------------------------------------------------------------------

    def mark_dirty(self, names: Iterable[str]) -> None:
        """These signals have news; they are drawn with the next frame."""
        self._dirty.update(names)

    def _touch(self, name: str) -> None:
        self._dirty.add(name)

    def draw(self, name: str) -> None:
        """Give a curve its newest data."""
        for key, members in self._members.items():
            tag = next((t for t in members if t.name == name), None)
            if tag is None:
                continue
            if self.kind_of(tag).kind == "texts":
                self._charts[key].set_texts(name, self._texts.runs(name))
            else:
                self._charts[key].set_trace(name, self._curves.trace(tag))

    def _draw_frame(self) -> None:
        """Draw what has news since the last frame; without any nothing is painted."""
        if not self.isVisible():
            return
        dirty, self._dirty = self._dirty, set()
        for name in dirty:
            self.draw(name)

    def tick(self, now: float) -> None:
        """Time goes on, also without data."""
        for key, chart in self._charts.items():
            chart.set_stale(self._stale_since(self._members[key]))
        window = self.window_of_time
        start, end = window.range()
        if not window.following or now - window.now >= (end - start) / max(self.width(), 1):
            window.set_now(now)  # less than a pixel would be painted for nothing

    def _stale_since(self, members: list[Tag]) -> float | None:
        """From when on nothing is known of any of the signals; None while one of them is known."""
        signals = [self._live.signal(tag) for tag in members]
        if not signals or any(not s.stale for s in signals):
            return None
        now = self._live.now().timestamp()
        ages = [s.age for s in signals if s.age is not None]
        start, end = self.window_of_time.range()
        return now - min(ages) if ages else now - (end - start)

    def load(self) -> None:
        """Ask for what the present view lacks."""
        start, end = self.window_of_time.range()
        for key, chart in self._charts.items():
            pixels = max(200, chart.width() - 240)
            for tag in self._members[key]:
                if self.kind_of(tag).kind == "texts":
                    self._texts.want(tag.name, start, end)
                    continue
                self._curves.want(tag.name, start, end, pixels)
                if self.comparison is not None:
                    self._compared.want(tag, start, end, pixels, self.comparison.shift(end))

    def compare(self, comparison: Comparison | None) -> None:
        """Lay the curves of another range under the present ones; None takes them away."""
        self.comparison = comparison
        self._compared.clear()
        for tag in self.tags:
            self._show_compared(tag.name)
        self.load()

    def _show_compared(self, name: str) -> None:
        for key, members in self._members.items():
            if any(tag.name == name and self.kind_of(tag).kind != "texts" for tag in members):
                self._charts[key].set_compared(name, self._compared.trace(name))

    def set_events(self, pins: Sequence[tuple[frozenset[str], EventPin]]) -> None:
        """Marks with the tags that they concern; those of an empty set stand in every chart."""
        for key, chart in self._charts.items():
            names = {tag.name for tag in self._members[key]}
            chart.set_events([pin for tags, pin in pins if not tags or tags & names])

    def points_since(self, taken: dict[str, int]) -> int:
        """How many samples came in for the shown signals since `taken` was counted."""
        return sum(count - taken.get(tag, count) for tag, count in self.taken().items())

    def taken(self) -> dict[str, int]:
        """How many samples each shown signal has ever brought."""
        names = [tag.name for tag in self.tags]
        return {name: ring.taken for name in names if (ring := self._live.ring(name)) is not None}

    # -- seen or not, dropped onto -------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._frame.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._frame.stop()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_tags(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        names = dropped_tags(event.mimeData())
        if names:
            event.acceptProposedAction()
            self.tags_dropped.emit(names)


def _marks(limits: Limits) -> tuple[list[LimitLine], tuple[float, float] | None]:
    """Lines for all limits that there are, and the normal band between the warning limits."""
    lines = [
        LimitLine(value, text)
        for limit, text in _LIMIT_NAMES.items()
        if (value := getattr(limits, limit.value)) is not None
    ]
    return lines, normal_band(limits)
