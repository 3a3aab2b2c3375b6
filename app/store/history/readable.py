"""What charts and lists ask of a history of samples, be it a file here or what a server keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from app.domain.corrections import Correction
from app.domain.samples import Sample
from app.store.history.rows import Buckets


class ReadableHistory(Protocol):
    """Methods may block on a disk or a network: call them from a thread."""

    def buckets(
        self, tag: str, start: datetime, end: datetime, pixels: int, corrections: Sequence[Correction] = ()
    ) -> Buckets:
        """The curve of a tag from `start` to `end`, reduced to at most `pixels` buckets."""
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
