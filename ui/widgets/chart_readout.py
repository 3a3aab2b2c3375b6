"""What a trend chart says in words: values at the crosshair, differences between two cursors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ui.widgets.chart_data import Reading, Series


def values_at(series: Sequence[Series], moment: float) -> str:
    """Local time and the value of every curve at `moment` (epoch seconds); "no data" in a gap."""
    parts = [_clock(moment)]
    for curve in series:
        reading = curve.at(moment)
        words = "no data" if reading is None else f"{_spread(reading)} {curve.unit}".strip()
        parts.append(f"{curve.label} {words}")
    return " · ".join(parts)


def differences(series: Sequence[Series], a: float, b: float) -> str:
    """Time between two cursors and how much every curve rose from A to B."""
    parts = [f"A {_clock(a)}", f"B {_clock(b)}", f"Δt {abs(b - a):,.1f} s"]
    for curve in series:
        one, other = curve.at(a), curve.at(b)
        if one is None or other is None:
            parts.append(f"Δ {curve.label} no data")
        else:
            parts.append(f"Δ {curve.label} {short(other.mean - one.mean)} {curve.unit}".strip())
    return " · ".join(parts)


def short(value: float) -> str:
    """Four significant digits, thousands grouped."""
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%H:%M:%S")


def _spread(reading: Reading) -> str:
    if reading.low == reading.high:
        return short(reading.low)
    return f"{short(reading.mean)} ({short(reading.low)} to {short(reading.high)})"
