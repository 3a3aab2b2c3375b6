"""From readings to samples: scale, deadband, then history, alarms and the live stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.plant import Plant, Tag
from app.domain.samples import Deadband, Quality, Sample
from app.drivers.protocol import Reading

MOST_WAITING = 1_000_000  # samples kept in memory while the disk refuses them; then the oldest are given up


@dataclass(slots=True)
class _Channel:
    """One tag: how its readings become samples, and what was last said about it."""

    tag: Tag
    deadband: Deadband
    last: Sample | None = None


def _deadband_of(tag: Tag) -> Deadband:
    rule = tag.deadband
    span = tag.span() if rule.percent else None
    width = abs(span[1] - span[0]) * rule.amount / 100 if span is not None else rule.amount
    return Deadband(width, timedelta(seconds=rule.min_interval), timedelta(seconds=rule.max_interval))


class Intake:
    """Takes readings of all connections on the event loop; nothing here waits."""

    def __init__(self, clock: Callable[[], datetime], on_samples: Callable[[Sequence[Sample]], None]) -> None:
        self._clock, self._on_samples = clock, on_samples
        self._channels: dict[str, _Channel] = {}
        self._by_address: dict[tuple[str, str], tuple[_Channel, ...]] = {}
        self._slow: list[_Channel] = []
        self._waiting: list[Sample] = []
        self.given_up = 0

    def configure(self, plant: Plant) -> None:
        """Follow a new plant; a tag that did not change keeps its deadband, a vanished one ends with a bad sample."""
        before, self._channels = self._channels, {}
        for tag in plant.tags:
            old = before.pop(tag.name, None)
            self._channels[tag.name] = (
                old if old is not None and old.tag == tag else _Channel(tag, _deadband_of(tag))
            )
        self._end(before.values(), Quality.BAD_OUT_OF_SERVICE)
        by_address: dict[tuple[str, str], list[_Channel]] = {}
        for channel in self._channels.values():
            by_address.setdefault((channel.tag.connection, channel.tag.address), []).append(channel)
        self._by_address = {key: tuple(channels) for key, channels in by_address.items()}
        self._slow = [c for c in self._channels.values() if c.tag.deadband.min_interval]

    def accept(self, connection: str, readings: Iterable[Reading]) -> None:
        """Values of one connection, as its driver gave them."""
        samples: list[Sample] = []
        for reading in readings:
            for channel in self._by_address.get((connection, reading.address), ()):
                value, quality = reading.value, reading.quality
                if channel.tag.scale is not None:
                    value, quality = channel.tag.scale.apply(value, quality)
                sample = Sample(channel.tag.name, reading.source_time, reading.receive_time, value, quality)
                channel.last = sample
                samples.append(sample)
                self._waiting.extend(channel.deadband.offer(sample))
        if samples:
            self._on_samples(samples)

    def lost(self, connection: str, quality: int = Quality.BAD_NO_COMMUNICATION) -> None:
        """One bad sample for each tag of a connection that is gone."""
        self._end([c for c in self._channels.values() if c.tag.connection == connection], quality)

    def _end(self, channels: Iterable[_Channel], quality: int) -> None:
        now = self._clock()
        samples = [Sample(c.tag.name, now, now, None, quality) for c in channels]
        for sample in samples:
            channel = self._channels.get(sample.tag)
            if channel is None:
                self._waiting.append(sample)
            else:
                channel.last = sample
                self._waiting.extend(channel.deadband.offer(sample))
        if samples:
            self._on_samples(samples)

    def tick(self, now: datetime) -> None:
        """Hand out values that waited for their shortest interval."""
        for channel in self._slow:
            self._waiting.extend(channel.deadband.due(now))

    def latest(self) -> list[Sample]:
        """The newest sample of every tag that has one."""
        return [c.last for c in self._channels.values() if c.last is not None]

    @property
    def waiting(self) -> int:
        """Samples that are not on the disk yet."""
        return len(self._waiting)

    def take_batch(self) -> list[Sample]:
        """Everything that waits for the disk; `give_back` when it refused."""
        batch, self._waiting = self._waiting, []
        return batch

    def give_back(self, batch: list[Sample]) -> None:
        """Keep an unstored batch; when memory would overflow, the oldest samples are given up and counted."""
        self._waiting = batch + self._waiting
        surplus = len(self._waiting) - MOST_WAITING
        if surplus > 0:
            del self._waiting[:surplus]
            self.given_up += surplus
