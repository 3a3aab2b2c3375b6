"""Another range of time laid under the present one: which there are to choose from, and their curves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.domain.plant import Tag
from ui.bridge.live import LiveDesk
from ui.models.curves import Curve, read_stored
from ui.widgets.chart_ticks import local, shift_days
from ui.widgets.chart_trace import Trace


@dataclass(frozen=True)
class Comparison:
    """What is compared with: `days` earlier by the calendar, or `seconds` earlier; `words` name it."""

    words: str
    days: int = 0
    seconds: float = 0.0

    def shift(self, moment: float, zone: tzinfo | None = None) -> float:
        """Seconds from the other range to the present one, at a moment of the present one."""
        return moment - shift_days(moment, -self.days, zone) if self.days else self.seconds


YESTERDAY = Comparison("yesterday", days=1)
LAST_WEEK = Comparison("last week", days=7)


def before(start: float, end: float) -> Comparison:
    """The same length of time just before."""
    return Comparison("the time before", seconds=end - start)


def from_moment(there: float, start: float, what: str = "") -> Comparison:
    """The range that begins `there`, laid under the one that begins at `start`."""
    words = what or f"from {local(there).strftime('%d %b %H:%M')}"
    return Comparison(words, seconds=start - there)


class ComparedCurves(QObject):
    """Reads the curves of the other range, shifted onto the present axis; `loaded` names the tag."""

    loaded = Signal(str)

    def __init__(self, live: LiveDesk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live = live
        self._wanted: dict[str, tuple[float, float, int, float]] = {}
        self._traces: dict[str, Trace] = {}

    def want(self, tag: Tag, start: float, end: float, pixels: int, shift: float) -> None:
        """See to it that the curve is there for what is in view; a newer wish supersedes an older one."""
        known = self._wanted.get(tag.name)
        if known is not None:
            first, last, fine, same = known
            too_coarse = (last - first) > 3.0 * (end - start)
            if same == shift and first <= start and last >= end and fine >= pixels and not too_coarse:
                return
        margin = (end - start) * 0.25
        wish = (start - margin, end + margin, pixels, shift)
        self._wanted[tag.name] = wish
        self._live.desk.tasks.run(
            partial(self._read, tag, wish), partial(self._take, tag.name, shift), owner=self, key=tag.name
        )

    def _read(self, tag: Tag, wish: tuple[float, float, int, float]) -> Curve:
        first, last, pixels, shift = wish
        return read_stored(self._live, tag, first - shift, last - shift, int(pixels * 1.5))

    def _take(self, tag: str, shift: float, curve: Curve) -> None:
        self._traces[tag] = Trace(
            curve.t + shift, curve.lo, curve.hi, curve.mean, good=curve.good, flags=curve.flags
        )
        self.loaded.emit(tag)

    def trace(self, tag: str) -> Trace | None:
        return self._traces.get(tag)

    def clear(self) -> None:
        self._wanted.clear()
        self._traces.clear()
