"""One curve of a trend chart: how it is drawn, its points, what it is compared with, and its words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ui.widgets.chart_trace import BAD, CORRECTED, LOST, UNCERTAIN, Columns, Trace

Kind = Literal["line", "steps", "texts"]
MINUS = "−"


@dataclass(frozen=True)
class TextRun:
    """A text that held from `start` to `end` (epoch seconds); an empty text is no data."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Reading:
    """Lowest, highest and mean value at a moment, and what is to be said of them."""

    low: float
    high: float
    mean: float
    flags: int = 0


@dataclass
class Series:
    """One curve. `states` names whole numbers; `texts` are the runs of a curve of texts.

    `compared` holds the points of another time, moved onto the present axis by `shift` seconds.
    """

    key: str
    label: str
    unit: str
    colour_index: int
    kind: Kind = "line"
    states: dict[int, str] = field(default_factory=dict)
    trace: Trace = field(default_factory=Trace)
    compared: Trace | None = None
    texts: list[TextRun] = field(default_factory=list)
    seen: Columns | None = None
    compared_seen: Columns | None = None

    def look(self, start: float, end: float, pixels: int) -> None:
        """Reduce the points to what is seen between two moments on so many pixels."""
        self.seen = self.trace.columns(start, end, pixels)
        self.compared_seen = None if self.compared is None else self.compared.columns(start, end, pixels)

    def at(self, moment: float) -> Reading | None:
        """What held at a moment; None in a gap, before the first and after the last point."""
        return _reading(self.trace, moment)

    def compared_at(self, moment: float) -> Reading | None:
        return None if self.compared is None else _reading(self.compared, moment)

    def text_at(self, moment: float) -> str:
        """The text that held at a moment; empty without data."""
        return next((run.text for run in self.texts if run.start <= moment < run.end), "")

    def last(self, before: float) -> float | None:
        """The last known value up to a moment."""
        import numpy as np

        end = int(np.searchsorted(self.trace.t, before, side="right"))
        known = np.flatnonzero(np.isfinite(self.trace.lo[max(0, end - 2000) : end]))
        return float(self.trace.mean[max(0, end - 2000) + known[-1]]) if len(known) else None

    def words(self, value: float | None) -> str:
        """A value as people read it: the state's name, else the number; the unit is not part of it."""
        if value is None:
            return "no data"
        if self.states:
            number = round(value)
            return self.states.get(number, str(number)) if abs(value - number) < 0.01 else short(value)
        return short(value)

    def words_at(self, moment: float) -> str:
        """What held at a moment, with its unit: `231.4 °C`, `Heating`, "no data" in a gap."""
        if self.kind == "texts":
            return self.text_at(moment) or "no data"
        reading = self.at(moment)
        if reading is None:
            return "no data"
        words = self.words(reading.mean)
        if reading.low != reading.high and self.kind == "line":
            words = f"{words} ({short(reading.low)} to {short(reading.high)})"
        if self.unit and not self.states:
            words = f"{words} {self.unit}"
        return f"{words}, {remark}" if (remark := remarks(reading.flags)) else words


def _reading(trace: Trace, moment: float) -> Reading | None:
    index = trace.index_at(moment)
    if index is None:
        return None
    low, high = float(trace.lo[index]), float(trace.hi[index])
    return Reading(low, high, float(trace.mean[index]), int(trace.flags[index]))


def remarks(flags: int) -> str:
    """What is to be said of a value in words."""
    said = ((UNCERTAIN, "uncertain"), (LOST, "samples lost before"), (CORRECTED, "corrected"))
    return ", ".join(words for flag, words in said if flags & flag and not flags & BAD)


def short(value: float) -> str:
    """Four significant digits, thousands grouped, a real minus; zeroes at the end stay, so that digits line up."""
    size = abs(value)
    if size >= 1e9 or 0 < size < 1e-4:
        words = f"{value:.3g}"
    elif value == round(value) or size >= 1000:
        words = f"{value:,.0f}"
    elif size < 0.1:
        words = f"{value:.4g}"
    else:
        words = f"{value:.{3 if size < 10 else 2 if size < 100 else 1}f}"
    return words.replace("-", MINUS)
