"""Where a slowly moving value is heading: a robust straight line with its confidence, and when it meets a limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

from app.domain.plant import Limits

FEWEST = 12  # points; below that the confidence interval says nothing
MOST = 150  # points; the number of pairs grows with the square
FURTHEST = 10.0  # a line is followed at most this many times as far as it was observed
CLEARLY = 1.5  # times its scatter is what a value has to move before its way is followed
_Z = 1.96  # two-sided 95 %
_MAD = 1.4826  # of the median absolute deviation, to be a standard deviation where noise is normal
_MOST_R = 0.98
_NEWEST = 4  # points whose place tells whether a value has jumped away from its line


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through points: `level` at the last point, `slope` in units per second with its 95 % interval.

    `goes_on` says whether the newest points still follow the line: after a repair, or once a value has turned, the
    line of the whole time promises what is over. `scatter` is the standard deviation of the points about the line.
    """

    level: float
    slope: float
    slope_low: float
    slope_high: float
    span: float
    goes_on: bool = True
    scatter: float = 0.0

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
    What the line leaves over often hangs together (day and night, wear and repair): the variance grows with its
    autocorrelation (S. Yue, C. Wang, Water Resources Management 18 (2004)), or every wave would pass for a trend.
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
    last = known[-1][0]
    level = median(y - slope * (t - last) for t, y in known)
    rest = [y - level - slope * (t - last) for t, y in known]
    half = _Z * math.sqrt(n * (n - 1) * (2 * n + 5) / 18 * _inflation(rest)) / 2
    low = slopes[max(0, math.floor(pairs / 2 - half))]
    high = slopes[min(pairs - 1, math.ceil(pairs / 2 + half))]
    scatter = median(abs(y) for y in rest) * _MAD
    return Trend(level, slope, low, high, last - known[0][0], _goes_on(known, rest, slope, scatter), scatter)


def _inflation(rest: Sequence[float]) -> float:
    """How much less n values that hang together say than n independent ones: (1 + r) / (1 - r) of their lag-1 r."""
    mean = fmean(rest)
    spread = sum((y - mean) ** 2 for y in rest)
    if spread <= 0:
        return 1.0
    r = sum((a - mean) * (b - mean) for a, b in pairwise(rest)) / spread
    r = min(max(r, 0.0), _MOST_R)
    return (1 + r) / (1 - r)


def _goes_on(known: Sequence[tuple[float, float]], rest: Sequence[float], slope: float, usual: float) -> bool:
    """Whether the newest points lie about the line, and the newest quarter moves the same way at half its speed."""
    if abs(median(rest[-_NEWEST:])) > 3 * usual + abs(slope) * (known[-1][0] - known[-_NEWEST][0]):
        return False
    quarter = known[-max(FEWEST, len(known) // 4) :]
    middle = len(quarter) // 2
    gained = median(y for _, y in quarter[middle:]) - median(y for _, y in quarter[:middle])
    expected = slope * (median(t for t, _ in quarter[middle:]) - median(t for t, _ in quarter[:middle]))
    noise = usual * math.sqrt(math.pi / 2 * 2 / middle)
    return (gained - expected / 2) * math.copysign(1, slope) >= -noise


def forecast(trend: Trend | None, limits: Limits) -> Forecast | None:
    """The limit that the line meets first, warning limits before critical ones; None when none is in sight."""
    if trend is None or not trend.certain or not trend.goes_on:
        return None
    if abs(trend.slope) * trend.span < CLEARLY * trend.scatter:
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
