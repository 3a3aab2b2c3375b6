"""Where a slowly moving value is heading: a robust straight line with its confidence, and when it meets a limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from app.domain.plant import Limits

FEWEST = 12  # points; below that the confidence interval says nothing
MOST = 150  # points; the number of pairs grows with the square
FURTHEST = 10.0  # a line is followed at most this many times as far as it was observed
_Z = 1.96  # two-sided 95 %


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through points: `level` at the last point, `slope` in units per second with its 95 % interval.

    The interval takes the points as independent; values that wander on their own make it too narrow, which is why
    means of buckets go in, not single samples.
    """

    level: float
    slope: float
    slope_low: float
    slope_high: float
    span: float

    @property
    def certain(self) -> bool:
        """Whether the value is moving at all, as far as 95 % confidence can tell."""
        return self.slope_low > 0 or self.slope_high < 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a limit will be met, in seconds from the last point; `latest` None means perhaps never."""

    limit: str
    at: float
    expected: float
    soonest: float
    latest: float | None


def robust_trend(points: Sequence[tuple[float, float]]) -> Trend | None:
    """The Theil–Sen line through (seconds, value) points in order of time, with Sen's interval for its slope.

    P. K. Sen, Journal of the American Statistical Association 63 (1968): the median of all pairwise slopes, and the
    ranks of the interval from the variance of Kendall's tau. Up to 29 % of the points may be wild without moving it.
    None when there are too few points; of more than `MOST`, evenly spread ones are taken.
    """
    known = [(t, y) for t, y in points if math.isfinite(y)]
    if len(known) > MOST:
        step = (len(known) - 1) / (MOST - 1)
        known = [known[round(i * step)] for i in range(MOST)]
    if len(known) < FEWEST or known[-1][0] <= known[0][0]:
        return None
    slopes = sorted(
        (y2 - y1) / (t2 - t1) for i, (t1, y1) in enumerate(known) for t2, y2 in known[i + 1 :] if t2 > t1
    )
    slope = median(slopes)
    n, pairs = len(known), len(slopes)
    half = _Z * math.sqrt(n * (n - 1) * (2 * n + 5) / 18) / 2
    low = slopes[max(0, math.floor(pairs / 2 - half))]
    high = slopes[min(pairs - 1, math.ceil(pairs / 2 + half))]
    last = known[-1][0]
    level = median(y - slope * (t - last) for t, y in known)
    return Trend(level, slope, low, high, last - known[0][0])


def forecast(trend: Trend | None, limits: Limits) -> Forecast | None:
    """The limit that the line meets first, warning limits before critical ones; None when none is in sight."""
    if trend is None or not trend.certain:
        return None
    rising = trend.slope > 0
    names = ("hi", "hihi") if rising else ("lo", "lolo")
    for name in names:
        at = getattr(limits, name)
        if at is None or (trend.level >= at if rising else trend.level <= at):
            continue
        way = at - trend.level
        expected = way / trend.slope
        if expected > trend.span * FURTHEST:
            return None
        steep, flat = (trend.slope_high, trend.slope_low) if rising else (trend.slope_low, trend.slope_high)
        return Forecast(name, at, expected, way / steep, way / flat if flat else None)
    return None
