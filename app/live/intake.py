"""From readings to samples: broken sensors, scale, deadband, then history, alarms and the live stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from app.domain.plant import Plant, Tag
from app.domain.samples import Deadband, Quality, Sample, Value, is_bad
from app.drivers.protocol import Reading
from app.live.backlog import MOST_WAITING, Backlog

_FAR_OFF = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Channel:
    """One tag: how its readings become samples, what was last said about it, and the earliest time of the next."""

    tag: Tag
    deadband: Deadband
    last: Sample | None = None
    raw: Reading | None = None  # as long as the machine is there
    floor: datetime | None = None

    def sample(self, reading: Reading) -> Sample:
        """The reading in the tag's unit; a raw value that stands for a broken sensor is no value."""
        tag, value, quality = self.tag, reading.value, reading.quality
        source_time, receive_time = reading.source_time, reading.receive_time
        if tag.invalid and _is_one_of(value, tag.invalid) and not is_bad(quality):
            value, quality = None, int(Quality.BAD_SENSOR_FAILURE)
        elif tag.scale is not None:
            value, quality = tag.scale.apply(value, quality)
        if self.floor is not None and receive_time < self.floor:
            # The clock was put back a little, as time services do: time stands still until it has caught up.
            source_time = self.floor if source_time == receive_time else source_time
            receive_time = self.floor
        self.floor, self.raw = receive_time, reading
        self.last = Sample(tag.name, source_time, receive_time, value, quality)
        return self.last


def _is_one_of(value: Value, marks: Sequence[float]) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value in marks


def _followed(old: _Channel | None, tag: Tag) -> _Channel:
    """The channel of a tag in a new plant; it goes on as long as its values mean the same."""
    if old is None or _meaning(old.tag) != _meaning(tag):
        return _Channel(tag, _deadband_of(tag), None, None, old.floor if old is not None else None)
    if (old.tag.deadband, old.tag.span()) != (tag.deadband, tag.span()):
        old.deadband = _deadband_of(tag)
    old.tag = tag
    return old


def _meaning(tag: Tag) -> tuple[object, ...]:
    return tag.connection, tag.address, tag.scale, tag.invalid, tag.unit


def _deadband_of(tag: Tag) -> Deadband:
    rule = tag.deadband
    span = tag.span() if rule.percent else None
    width = abs(span[1] - span[0]) * rule.amount / 100 if span is not None else rule.amount
    return Deadband(width, timedelta(seconds=rule.min_interval), timedelta(seconds=rule.max_interval))


class Intake:
    """Takes readings of all connections on the event loop; nothing here waits."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        on_samples: Callable[[Sequence[Sample]], None],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._clock, self._on_samples = clock, on_samples
        self._channels: dict[str, _Channel] = {}
        self._by_address: dict[tuple[str, str], tuple[_Channel, ...]] = {}
        self._slow: list[_Channel] = []
        self.backlog = Backlog(most_waiting)

    def configure(self, plant: Plant) -> None:
        """Follow a new plant: what did not change goes on, a vanished tag ends with a bad sample.

        A tag that is new on an address which is read already, or is scaled differently now, gets the value that the
        machine last gave: a machine that only tells changes would leave it empty.
        """
        before, self._channels = self._channels, {}
        known = {(c.tag.connection, c.tag.address): c.raw for c in before.values() if c.raw is not None}
        for tag in plant.tags:
            self._channels[tag.name] = _followed(before.pop(tag.name, None), tag)
        self._end(before.values(), Quality.BAD_OUT_OF_SERVICE)
        by_address: dict[tuple[str, str], list[_Channel]] = {}
        for channel in self._channels.values():
            by_address.setdefault((channel.tag.connection, channel.tag.address), []).append(channel)
        self._by_address = {key: tuple(channels) for key, channels in by_address.items()}
        self._slow = [c for c in self._channels.values() if c.tag.deadband.min_interval]
        fresh = [c for key in known for c in self._by_address.get(key, ()) if c.raw is None]
        self._say_again((c, known[c.tag.connection, c.tag.address]) for c in fresh)

    def forget(self, connection: str) -> None:
        """What a connection last said means nothing any more: it is made anew, perhaps to another machine."""
        for channel in self._channels.values():
            if channel.tag.connection == connection:
                channel.raw = None

    def _say_again(self, known: Iterable[tuple[_Channel, Reading]]) -> None:
        """What a machine last said, for tags that did not hear it; it still holds, since the machine is there."""
        now = self._clock()
        samples: list[Sample] = []
        for channel, reading in known:
            sample = channel.sample(replace(reading, source_time=now, receive_time=now))
            samples.append(sample)
            self.backlog.add(channel.deadband.offer(sample))
        if samples:
            self._on_samples(samples)

    def accept(self, connection: str, readings: Iterable[Reading]) -> None:
        """Values of one connection, as its driver gave them."""
        samples: list[Sample] = []
        for reading in readings:
            for channel in self._by_address.get((connection, reading.address), ()):
                sample = channel.sample(reading)
                samples.append(sample)
                self.backlog.add(channel.deadband.offer(sample))
        if samples:
            self._on_samples(samples)

    def lost(
        self, connection: str, quality: int = Quality.BAD_NO_COMMUNICATION, at: datetime | None = None
    ) -> None:
        """One bad sample for each tag of a connection that is gone (since `at`, now otherwise)."""
        self._end([c for c in self._channels.values() if c.tag.connection == connection], quality, at)

    def slept(self, since: datetime) -> None:
        """Nothing is known of any tag from `since` on, when this computer fell asleep."""
        self._end(self._channels.values(), Quality.BAD_NO_COMMUNICATION, since)

    def clock_was_set(self) -> None:
        """Times before and after cannot be compared: what waited is handed out, the next value of each tag is kept."""
        for channel in self._channels.values():
            self.backlog.add(channel.deadband.due(_FAR_OFF))
            channel.deadband, channel.floor = _deadband_of(channel.tag), None

    def _end(self, channels: Iterable[_Channel], quality: int, at: datetime | None = None) -> None:
        now = self._clock()
        samples = [Sample(c.tag.name, at or now, now, None, quality) for c in channels]
        for sample in samples:
            channel = self._channels.get(sample.tag)
            if channel is None:
                self.backlog.add([sample])
            else:
                channel.last, channel.raw = sample, None
                self.backlog.add(channel.deadband.offer(sample))
        if samples:
            self._on_samples(samples)

    def tick(self, now: datetime) -> None:
        """Hand out values that waited for their shortest interval, and keep the backlog within its bounds."""
        for channel in self._slow:
            self.backlog.add(channel.deadband.due(now))
        self.backlog.trim()

    def latest(self) -> list[Sample]:
        """The newest sample of every tag that has one."""
        return [c.last for c in self._channels.values() if c.last is not None]
