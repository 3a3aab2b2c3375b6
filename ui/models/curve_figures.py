"""What curves did between the two cursors, exactly as stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.plant import Tag
from ui.bridge.live import LiveDesk
from ui.models.curves import FINEST, read_stored
from ui.widgets.chart_readout import signed
from ui.widgets.chart_series import MINUS, Series, short
from ui.widgets.chart_trace import Stretch


@dataclass(frozen=True)
class FigureLine:
    """One curve as words in columns: at A, at B, difference, lowest, mean, highest, good share, rate."""

    key: str
    name: str
    colour_index: int
    cells: tuple[str, ...]


HEADINGS = ("A", "B", "B − A", "Min", "Mean", "Max", "Good", "Rate")


def read_stretches(live: LiveDesk, tags: Sequence[Tag], a: float, b: float) -> dict[str, Stretch]:
    """Figures of the stored curves from `a` to `b` (epoch seconds), by tag; without data there is none."""
    found = {}
    for tag in tags:
        curve = read_stored(live, tag, a, b, FINEST)
        stretch = curve.trace().stretch(a, b)
        if stretch is not None:
            found[tag.name] = stretch
    return found


def figure_line(series: Series, cursors: dict[str, float], stretch: Stretch | None) -> FigureLine:
    """A curve's line of the table; `stretch` is what the history says, else what is on the screen counts."""
    a, b = cursors.get("A"), cursors.get("B")
    cells = {"A": _cell(series, a), "B": _cell(series, b)}
    if a is not None and b is not None and a != b and series.kind != "texts":
        start, end = min(a, b), max(a, b)
        found = stretch or series.trace.stretch(start, end)
        if found is not None:
            cells |= {"Min": series.words(found.low), "Max": series.words(found.high)}
            cells["Mean"] = "–" if series.states else short(found.mean)
            cells["Good"] = f"{found.good * 100:.1f} %" if found.good < 0.9995 else "100 %"
        one, other = series.at(a), series.at(b)
        if one is not None and other is not None and not series.states:
            rise = other.mean - one.mean
            cells["B − A"], cells["Rate"] = signed(rise), _rate(rise, b - a)
    name = f"{series.label} ({series.unit})" if series.unit and not series.states else series.label
    words = tuple(cells.get(heading, "–") or "–" for heading in HEADINGS)
    return FigureLine(series.key, name, series.colour_index, words)


def _cell(series: Series, moment: float | None) -> str:
    if moment is None:
        return "–"
    return series.text_at(moment) or "no data" if series.kind == "texts" else _value(series, moment)


def _value(series: Series, moment: float) -> str:
    reading = series.at(moment)
    return series.words(None if reading is None else reading.mean)


def _rate(rise: float, seconds: float) -> str:
    """Change by the unit of time that suits the distance of the cursors, in three digits."""
    size, unit = next(
        ((s, u) for s, u in ((3600.0, "h"), (60.0, "min")) if abs(seconds) >= 2 * s), (1.0, "s")
    )
    rate = rise / seconds * size
    return f"{'+' if rate > 0 else ''}{rate:.3g} /{unit}".replace("-", MINUS)
