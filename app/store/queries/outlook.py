"""What the history says about where a machine is heading: trends towards limits, cycles, run hours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.domain.counters import Count, RunTime, counted, run_time
from app.domain.plant import Tag
from app.domain.samples import Sample
from app.domain.trend import Forecast, forecast, robust_trend

if TYPE_CHECKING:
    from app.store.history import Buckets, HistoryReader

TREND_SPAN = timedelta(hours=24)
_TREND_POINTS = 96  # means of a quarter of an hour: slow enough to be nearly independent
_COUNT_POINTS = 2000
_MOST_READINGS = 300_000


@dataclass(frozen=True, slots=True)
class Outlook:
    """One tag: the limit it is heading for, and what it counted in the last `passed` seconds."""

    forecast: Forecast | None = None
    count: Count | None = None
    run: RunTime | None = None
    passed: float = 0.0


def outlooks(
    history: HistoryReader, tags: Iterable[Tag], day_start: datetime, now: datetime
) -> dict[str, Outlook]:
    """The outlook of every tag that has limits or counts; blocks on the disk, some milliseconds for each.

    Cycles and run hours are those since `day_start`.
    """
    found: dict[str, Outlook] = {}
    for tag in tags:
        seen = _forecast_of(history, tag, now) if tag.limits and not tag.discrete else None
        count, run = _counted_of(history, tag, day_start, now)
        if seen is not None or count is not None or run is not None:
            found[tag.name] = Outlook(seen, count, run, (now - day_start).total_seconds())
    return found


def _forecast_of(history: HistoryReader, tag: Tag, now: datetime) -> Forecast | None:
    buckets = history.buckets(tag.name, now - TREND_SPAN, now, _TREND_POINTS)
    points = [(t / 1e6, y) for t, y in zip(buckets.t.tolist(), buckets.mean.tolist(), strict=True)]
    seen = forecast(robust_trend(points), tag.limits)
    if seen is None:
        return None
    late = now.timestamp() - points[-1][0]  # the line ends where the data does
    return Forecast(
        seen.limit,
        seen.at,
        max(0.0, seen.expected - late),
        max(0.0, seen.soonest - late),
        None if seen.latest is None else max(0.0, seen.latest - late),
    )


def _counted_of(
    history: HistoryReader, tag: Tag, start: datetime, now: datetime
) -> tuple[Count | None, RunTime | None]:
    counter = tag.counter
    if counter is None or now <= start:
        return None, None
    if counter.kind == "cycles":
        return counted(_turns(history.buckets(tag.name, start, now, _COUNT_POINTS)), counter.rollover), None
    threshold = counter.running_above
    before = history.before(tag.name, start)
    readings = history.samples(tag.name, start, now, _MOST_READINGS)
    at_start = [] if before is None else [(start.timestamp(), _running(before, threshold))]
    states = [*at_start, *((s.source_time.timestamp(), _running(s, threshold)) for s in readings)]
    return None, run_time(states, now.timestamp(), 3 * tag.deadband.max_interval)


def _running(sample: Sample, threshold: float | None) -> bool | None:
    """Whether a machine runs, by its signal; None when the value says nothing."""
    value = sample.value
    if not sample.good or value is None or isinstance(value, str):
        return None
    return float(value) > (0.0 if threshold is None else threshold)


def _turns(buckets: Buckets) -> Iterator[float]:
    """The readings that matter of each bucket: a counter that fell inside it also shows its highest and lowest."""
    rows = zip(
        buckets.first.tolist(), buckets.max.tolist(), buckets.min.tolist(), buckets.last.tolist(), strict=True
    )
    for first, highest, lowest, last in rows:
        yield first
        if last < first or lowest < first:
            yield highest
            yield lowest
        yield last
