"""Samples on their way to the disk: when it refuses for long the oldest are given up, counted, and marked as a gap."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from app.domain.samples import Quality, Sample

MOST_WAITING = 500_000  # samples, about 100 MB; a minute and a half of the fastest plant
_ROOM = 10  # a tenth is given up at once, so that the search for what to keep is rare


class Backlog:
    """First in, first out. The newest sample of a tag is never given up, so a curve always ends where it is."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._waiting: list[Sample] = []
        self._gaps: dict[str, tuple[datetime, datetime]] = {}
        self.given_up = 0

    def add(self, samples: Iterable[Sample]) -> None:
        """Queue samples; `trim` keeps the queue short."""
        self._waiting.extend(samples)

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> list[Sample]:
        """Everything that waits, behind one bad sample for each tag that lost some since the last stored batch."""
        batch, self._waiting = self._waiting, []
        gaps, self._gaps = self._gaps, {}
        return [_marker(tag, *times) for tag, times in gaps.items()] + batch

    def give_back(self, batch: list[Sample]) -> None:
        """Keep an unstored batch for the next time."""
        markers = 0
        for sample in batch:
            if sample.quality != Quality.BAD_DATA_LOST:
                break
            self._gap(sample)
            markers += 1
        self._waiting = batch[markers:] + self._waiting
        self.trim()

    def trim(self) -> None:
        """Give up the oldest samples when too many wait."""
        surplus = len(self._waiting) - self._most
        if surplus <= 0:
            return
        surplus += self._most // _ROOM
        later = {sample.tag for sample in self._waiting[surplus:]}
        last = {sample.tag: i for i, sample in enumerate(self._waiting[:surplus])}
        kept: list[Sample] = []
        for i, sample in enumerate(self._waiting[:surplus]):
            if sample.tag not in later and last[sample.tag] == i:
                kept.append(sample)
            else:
                self._gap(sample)
                self.given_up += 1
        self._waiting[:surplus] = kept

    def _gap(self, lost: Sample) -> None:
        known = self._gaps.get(lost.tag)
        if known is None or lost.source_time < known[0]:
            self._gaps[lost.tag] = (lost.source_time, lost.receive_time)


def _marker(tag: str, source_time: datetime, receive_time: datetime) -> Sample:
    """Stands where the first lost sample stood: from here on nothing is known until the next one."""
    return Sample(tag, source_time, receive_time, None, Quality.BAD_DATA_LOST)
