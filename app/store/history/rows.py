"""What is read from the history besides samples: chart buckets and figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.domain.samples import Sample

if TYPE_CHECKING:
    from numpy import bool_, float64, int64
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Buckets:
    """A curve reduced to at most one bucket a pixel; arrays of equal length, oldest first, empty buckets left out.

    `t` is the time of the first sample in the bucket (µs since 1970); `min` to `last` are over good numbers and NaN
    where there are none; `count` counts all samples, `good_fraction` the share of good ones. Where `ends_good` is
    False the value was lost at the end of the bucket: no line may lead on to the next one. `before` is the newest
    sample older than the range, which tells what held at its beginning. `corrected` says where a correction changed
    what is told. Where only the figures of old samples are kept, `count` still counts the samples that there were.

    A bucket holds the samples from its `t` up to the next bucket's; where many samples are reduced, that border may
    lie up to half a pixel beside the pixel's own.
    """

    t: NDArray[int64]
    min: NDArray[float64]
    max: NDArray[float64]
    mean: NDArray[float64]
    first: NDArray[float64]
    last: NDArray[float64]
    count: NDArray[int64]
    good_fraction: NDArray[float64]
    ends_good: NDArray[bool_]
    corrected: NDArray[bool_]
    before: Sample | None = None


@dataclass(frozen=True, slots=True)
class HistoryStats:
    """How much is stored, for the status page and `lineside history stats`; `bytes` leaves out pages that are free.

    `rows` of the samples are fresh, the others lie in `chunks` and take `chunk_bytes`. Of `reduced` older samples only
    the figures are kept. `bytes_per_day` is how fast the file grew in the last days it was written.
    """

    samples: int
    tags: int
    alarms: int
    bytes: int
    oldest: datetime | None
    newest: datetime | None
    rows: int = 0
    chunks: int = 0
    chunk_bytes: int = 0
    reduced: int = 0
    bytes_per_day: float = 0.0

    @property
    def bytes_per_sample(self) -> float:
        """File size by the number of samples; 0 when there are none."""
        return self.bytes / self.samples if self.samples else 0.0

    @property
    def bytes_per_sealed_sample(self) -> float:
        """What a sample in a chunk takes; 0 when there are none."""
        sealed = self.samples - self.rows
        return self.chunk_bytes / sealed if sealed else 0.0

    @property
    def bytes_per_row(self) -> float:
        """About what a fresh sample takes: all that is no chunk, which is right when there are many; 0 for none."""
        return (self.bytes - self.chunk_bytes) / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Keeping:
    """How samples are kept: when they are sealed into chunks, and when they and what is over of alarms are dropped."""

    seal_after: timedelta = timedelta(hours=1)
    seal_least: int = 4_000  # samples that make a chunk worth while
    seal_within: timedelta = timedelta(days=1)  # of a slow tag, which has fewer
    keep: timedelta = timedelta(days=400)
    keep_figures: timedelta = timedelta(days=5 * 365)
    keep_alarms: timedelta = timedelta(days=5 * 365)
    most_bytes: int = 20_000_000_000
