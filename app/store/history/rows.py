"""What is read from the history besides samples: chart buckets and figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
    sample older than the range, which tells what held at its beginning.
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
    before: Sample | None = None


@dataclass(frozen=True, slots=True)
class HistoryStats:
    """How much is stored, for the status page and `lineside history stats`."""

    samples: int
    tags: int
    alarms: int
    bytes: int
    oldest: datetime | None
    newest: datetime | None

    @property
    def bytes_per_sample(self) -> float:
        """File size by the number of samples; 0 when there are none."""
        return self.bytes / self.samples if self.samples else 0.0
