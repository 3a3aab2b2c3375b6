"""One tag on its way in: how its readings become samples, what was last said about it, what held meanwhile."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.plant import Tag
from app.domain.samples import Deadband, Quality, Sample, Value, is_bad, is_good, lost_samples
from app.drivers.protocol import Reading

_STOOD = timedelta(seconds=2)  # a shorter rest before a step cannot be seen on a chart


@dataclass(slots=True)
class Channel:
    """One tag. `tells_changes` says that its machine speaks only when a value changes.

    `floor` is the earliest time of the next sample, `newest` the newest source time so far.
    """

    tag: Tag
    deadband: Deadband
    tells_changes: bool = False
    last: Sample | None = None
    raw: Reading | None = None  # as long as the machine is there
    floor: datetime | None = None
    newest: datetime | None = None

    def sample(self, reading: Reading) -> Sample:
        """The reading in the tag's unit, remembered as the newest that is known."""
        value, quality = self._judged(reading)
        source_time, receive_time = reading.source_time, reading.receive_time
        if self.floor is not None and receive_time < self.floor:
            # The clock was put back a little, as time services do: time stands still until it has caught up.
            source_time = self.floor if source_time == receive_time else source_time
            receive_time = self.floor
        if not is_good(quality) and reading.source_time == reading.receive_time:
            source_time = self.not_before(source_time)
        self.floor, self.raw = receive_time, reading
        if self.newest is None or source_time > self.newest:
            self.newest = source_time
        self.last = Sample(self.tag.name, source_time, receive_time, value, quality)
        return self.last

    def late(self, reading: Reading) -> Sample:
        """What a machine kept while nobody listened: it belongs into the history and says nothing about now."""
        self._passed(reading.source_time)
        return Sample(self.tag.name, reading.source_time, reading.receive_time, *self._judged(reading))

    def held(self, reading: Reading) -> Sample | None:
        """The value before this reading, at the moment until which it is known to have stood; None without need.

        A machine that tells only changes says nothing while a value stands: without this sample a chart would draw a
        slow ramp to a step.
        """
        last, raw = self.last, self.raw
        if last is None or raw is None or reading.source_time - last.source_time < _STOOD:
            return None
        if not self.tells_changes or is_bad(last.quality):
            return None
        if reading.value == raw.value or lost_samples(reading.quality):
            return None
        until = reading.source_time - timedelta(seconds=self.tag.scan)
        if until - last.source_time < _STOOD or reading.receive_time < last.receive_time:
            return None
        return Sample(
            self.tag.name,
            until,
            max(last.receive_time, min(until, reading.receive_time)),
            last.value,
            last.quality,
        )

    def ended(self, quality: int, at: datetime, now: datetime) -> Sample:
        """That nothing is known any more from `at` on."""
        at = self.not_before(at)
        self._passed(at)
        self.raw, self.last = None, Sample(self.tag.name, at, now, None, quality)
        return self.last

    def not_before(self, at: datetime) -> datetime:
        """When trouble is told that Lineside noticed by its own clock.

        The clock of a machine may run ahead; by the time of its values the trouble would lie before the last good one,
        which would go on looking like the newest.
        """
        return at if self.newest is None else max(at, self.newest)

    def _passed(self, source_time: datetime) -> None:
        if self.newest is None or source_time > self.newest:
            self.newest = source_time

    def _judged(self, reading: Reading) -> tuple[Value, int]:
        """Value and quality in the tag's unit; a raw value that stands for a broken sensor is no value."""
        tag, value, quality = self.tag, reading.value, reading.quality
        if is_bad(quality):
            return (value, quality) if tag.scale is None else tag.scale.apply(value, quality)
        if tag.invalid and is_one_of(value, tag.invalid):
            return None, int(Quality.BAD_SENSOR_FAILURE)
        if tag.scale is not None:
            value, quality = tag.scale.apply(value, quality)
        if isinstance(value, float) and not math.isfinite(value):
            return None, int(Quality.BAD_SENSOR_FAILURE)
        return value, quality


def is_one_of(value: Value, marks: Sequence[float]) -> bool:
    """Whether a value is one of these numbers, also when it came through a 32-bit float, as -9999.9 may have."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value in marks or any(_single(mark) == value for mark in marks)


def _single(number: float) -> float:
    try:
        return float(struct.unpack(">f", struct.pack(">f", number))[0])
    except OverflowError:
        return number


def followed(old: Channel | None, tag: Tag, tells_changes: bool) -> Channel:
    """The channel of a tag in a new plant; it goes on as long as its values mean the same."""
    if old is None or _meaning(old.tag) != _meaning(tag):
        floor, newest = (old.floor, old.newest) if old is not None else (None, None)
        return Channel(tag, deadband_of(tag), tells_changes, floor=floor, newest=newest)
    if (old.tag.deadband, old.tag.span()) != (tag.deadband, tag.span()):
        old.deadband = deadband_of(tag)
    old.tag, old.tells_changes = tag, tells_changes
    return old


def _meaning(tag: Tag) -> tuple[object, ...]:
    return tag.connection, tag.address, tag.scale, tag.invalid, tag.unit


def deadband_of(tag: Tag) -> Deadband:
    """A fresh deadband as the tag wants it, in its own unit."""
    rule = tag.deadband
    span = tag.span() if rule.percent else None
    width = abs(span[1] - span[0]) * rule.amount / 100 if span is not None else rule.amount
    return Deadband(width, timedelta(seconds=rule.min_interval), timedelta(seconds=rule.max_interval))
