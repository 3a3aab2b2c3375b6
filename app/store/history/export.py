"""Writes the history of some signals into a file: every sample, or the mean of each step side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from app.domain.corrections import Correction
from app.domain.errors import Refused
from app.domain.samples import Sample, describe_quality
from app.store.history.corrected import CALCULATED
from app.store.history.export_files import Column, Sink, whole_file
from app.store.history.readable import ReadableHistory
from app.store.history.schema import micros

_STEPS = 2_000  # steps that are worked on at a time
MOST_STEPS = 50_000_000
_EVERY_SAMPLE = (
    Column("time_utc", "time"),
    Column("time_local", "local"),
    Column("tag", "text"),
    Column("value", "any"),
    Column("unit", "text"),
    Column("quality", "text"),
    Column("corrected", "flag"),
)


@dataclass(frozen=True)
class Signal:
    """A tag to be written, with its unit."""

    tag: str
    unit: str = ""


@dataclass(frozen=True)
class Telling:
    """How an export is watched: told the share that is done (0 to 1), asked whether it should stop."""

    progress: Callable[[float], None] = field(default=lambda _share: None)
    cancelled: Callable[[], bool] = field(default=lambda: False)

    def heard(self, share: float) -> None:
        """Tell how far it is; raises `Refused` when nobody wants the file any more."""
        if self.cancelled():
            raise Refused("The export was stopped; no file was written.")
        self.progress(share)


def export_history(
    reader: ReadableHistory,
    signals: Sequence[Signal],
    start: datetime,
    end: datetime,
    path: Path,
    *,
    step: float | None = None,
    zone: tzinfo | None = None,
    corrections: Mapping[str, Sequence[Correction]] = {},
    telling: Telling = Telling(),
) -> int:
    """Write what is stored for start <= time < end; the ending of `path` says as what. Returns the number of rows.

    Without `step` every sample is a row. With `step` (seconds) there is a row for each step and a column for each
    signal with the mean of its good numbers; a step without any is empty. `corrections` are laid over, by tag;
    without them the file has what was measured. Local times are those of `zone`, of this computer when None.
    A `reader` that asks the shared server as well writes what other stations collected too.
    The file is whole or not there. Raises `Refused` and `WorldFault` with a sentence.
    """
    if end <= start:
        raise Refused("An export needs a time that ends after it begins.", field="end")
    if not signals:
        raise Refused("Choose at least one signal.", field="tags")
    job = _Job(reader, signals, start, end, zone, corrections, telling)
    if step is None:
        with whole_file(path, _EVERY_SAMPLE) as sink:
            return job.write_samples(sink)
    span = timedelta(seconds=step)
    if span <= timedelta(0) or (end - start) / span > MOST_STEPS:
        raise Refused(f"A step of {step:g} seconds does not fit this time.", field="step")
    columns = [Column(f"{s.tag} [{s.unit}]" if s.unit else s.tag, "number") for s in signals]
    with whole_file(path, [*_EVERY_SAMPLE[:2], *columns]) as sink:
        return job.write_steps(sink, span)


@dataclass(frozen=True)
class _Job:
    reader: ReadableHistory
    signals: Sequence[Signal]
    start: datetime
    end: datetime
    zone: tzinfo | None
    corrections: Mapping[str, Sequence[Correction]]
    telling: Telling

    def write_samples(self, sink: Sink) -> int:
        count = 0
        for number, signal in enumerate(self.signals):
            laid_over = self.corrections.get(signal.tag, ())
            for block in self.reader.blocks(signal.tag, self.start, self.end, laid_over):
                done = (block[-1].source_time - self.start) / (self.end - self.start)
                self.telling.heard((number + done) / len(self.signals))
                sink.rows([self._row(signal, sample) for sample in block])
                count += len(block)
        self.telling.heard(1.0)
        return count

    def _row(self, signal: Signal, sample: Sample) -> tuple[Any, ...]:
        corrected = sample.quality & CALCULATED == CALCULATED
        words = describe_quality(sample.quality & ~CALCULATED if corrected else sample.quality)
        at = sample.source_time
        return at, self._local(at), signal.tag, sample.value, signal.unit, words, corrected

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)

    def write_steps(self, sink: Sink, step: timedelta) -> int:
        count = 0
        for begin, steps in self._slices(step):
            self.telling.heard((begin - self.start) / (self.end - self.start))
            means = [self._means(signal.tag, begin, step, steps) for signal in self.signals]
            times = [begin + number * step for number in range(steps)]
            rows = zip(times, map(self._local, times), *means, strict=True)
            sink.rows(list(rows))
            count += steps
        self.telling.heard(1.0)
        return count

    def _slices(self, step: timedelta) -> Iterator[tuple[datetime, int]]:
        """Where each slice begins and how many steps it has; what is left of the last step is a slice by itself."""
        whole_steps, rest = divmod(self.end - self.start, step)
        for first in range(0, whole_steps, _STEPS):
            yield self.start + first * step, min(_STEPS, whole_steps - first)
        if rest:
            yield self.start + whole_steps * step, 1

    def _means(self, tag: str, begin: datetime, step: timedelta, steps: int) -> list[float | None]:
        until = min(begin + steps * step, self.end)
        found = self.reader.buckets(tag, begin, until, steps, self.corrections.get(tag, ()), exact=True)
        means: list[float | None] = [None] * steps
        places = (found.t - micros(begin)) // (step // timedelta(microseconds=1))
        for place, mean in zip(places.tolist(), found.mean.tolist(), strict=True):
            means[place] = None if mean != mean else mean
        return means
