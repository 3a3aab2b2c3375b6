"""What charts and lists ask of a history of samples, be it a file here or what a server keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from app.domain.corrections import Correction
from app.domain.samples import Sample
from app.store.history.rows import Buckets


class ReadableHistory(Protocol):
    """Methods may block on a disk or a network: call them from a thread."""

    def buckets(
        self,
        tag: str,
        start: datetime,
        end: datetime,
        pixels: int,
        corrections: Sequence[Correction] = (),
        *,
        exact: bool = False,
    ) -> Buckets:
        """The curve of a tag from `start` to `end`, reduced to at most `pixels` buckets.

        `exact` buckets end where their pixel ends, to the microsecond.
        """
        ...

    def blocks(
        self, tag: str, start: datetime, end: datetime, corrections: Sequence[Correction] = ()
    ) -> Iterator[list[Sample]]:
        """What `samples` gives, some ten thousand at a time."""
        ...

    def samples(
        self,
        tag: str,
        start: datetime,
        end: datetime,
        limit: int = 1_000_000,
        corrections: Sequence[Correction] = (),
    ) -> list[Sample]:
        """Samples with start <= source time < end, oldest first; at most `limit`."""
        ...

    def before(self, tag: str, time: datetime) -> Sample | None:
        """The newest sample older than `time`, or None when there is none."""
        ...
