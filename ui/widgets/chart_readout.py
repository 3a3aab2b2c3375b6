"""What a trend chart says in words: values at the crosshair, differences between two cursors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from ui.widgets.chart_series import Series, short
from ui.widgets.chart_ticks import local


def values_at(series: Sequence[Series], moment: float, zone: tzinfo | None = None) -> str:
    """Local time and the value of every curve at `moment` (epoch seconds); "no data" in a gap."""
    return " · ".join([clock(moment, zone), *(f"{one.label} {one.words_at(moment)}" for one in series)])


def differences(series: Sequence[Series], a: float, b: float, zone: tzinfo | None = None) -> str:
    """Time between two cursors and how much every curve rose from A to B."""
    parts = [f"A {clock(a, zone)}", f"B {clock(b, zone)}", f"Δt {span_words(abs(b - a))}"]
    return " · ".join([*parts, *(f"Δ {one.label} {_risen(one, a, b)}" for one in series)])


def _risen(series: Series, a: float, b: float) -> str:
    if series.kind == "texts":
        return f"{series.text_at(a) or 'no data'} → {series.text_at(b) or 'no data'}"
    one, other = series.at(a), series.at(b)
    if one is None or other is None:
        return "no data"
    return f"{short(other.mean - one.mean)} {series.unit}".strip()


def against(series: Series, moment: float) -> str:
    """How far a curve is from what it is compared with at a moment; empty without comparison."""
    if series.compared is None or series.kind == "texts":
        return ""
    now, then = series.at(moment), series.compared_at(moment)
    if now is None or then is None:
        return "Δ no data"
    return f"Δ {signed(now.mean - then.mean)} {series.unit}".strip()


def signed(value: float) -> str:
    """A difference with its sign."""
    return f"{'+' if value > 0 else ''}{short(value)}"


def span_words(seconds: float) -> str:
    """A length of time: `12.3 s`, `4 min 05 s`, `3 h 02 min`, `2 d 4 h`."""
    if seconds < 120:
        return f"{seconds:,.1f} s"
    whole = round(seconds)
    if whole >= 2 * 86400:
        return f"{whole // 86400:,} d {whole % 86400 // 3600} h"
    if whole >= 2 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s"


def clock(moment: float, zone: tzinfo | None = None) -> str:
    return local(moment, zone).strftime("%H:%M:%S")
