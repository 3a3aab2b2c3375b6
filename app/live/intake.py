"""From readings to samples: broken sensors, scale, deadband, then history, alarms and the live stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from app.domain.plant import Plant
from app.domain.samples import Quality, Sample
from app.drivers.protocol import Reading
from app.live.backlog import MOST_WAITING, Backlog
from app.live.channel import Channel, deadband_of, followed

_FAR_OFF = datetime(9999, 1, 1, tzinfo=UTC)
_TELL_CHANGES = ("opcua", "sparkplug")  # of the others each value stands for its own moment


class Intake:
    """Takes readings of all connections on the event loop; nothing here waits."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        on_samples: Callable[[Sequence[Sample]], None],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._clock, self._on_samples = clock, on_samples
        self._channels: dict[str, Channel] = {}
        self._by_address: dict[tuple[str, str], tuple[Channel, ...]] = {}
        self._slow: list[Channel] = []
        self.backlog = Backlog(most_waiting)

    def configure(self, plant: Plant) -> None:
        """Follow a new plant: what did not change goes on, a vanished tag ends with a bad sample.

        A tag that is new on an address which is read already, or is scaled differently now, gets the value that the
        machine last gave: a machine that only tells changes would leave it empty.
        """
        before, self._channels = self._channels, {}
        known = {(c.tag.connection, c.tag.address): c.raw for c in before.values() if c.raw is not None}
        tell_changes = {c.name for c in plant.connections if c.driver in _TELL_CHANGES}
        for tag in plant.tags:
            channel = followed(before.pop(tag.name, None), tag, tag.connection in tell_changes)
            self._channels[tag.name] = channel
        self._end(before.values(), Quality.BAD_OUT_OF_SERVICE)
        by_address: dict[tuple[str, str], list[Channel]] = {}
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

    def _say_again(self, known: Iterable[tuple[Channel, Reading]]) -> None:
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
                if reading.historical:
                    self.backlog.add([channel.late(reading)])
                    continue
                held = channel.held(reading)
                if held is not None:
                    samples.append(held)
                    self.backlog.add(channel.deadband.offer(held))
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
            channel.deadband, channel.floor = deadband_of(channel.tag), None

    def _end(self, channels: Iterable[Channel], quality: int, at: datetime | None = None) -> None:
        now = self._clock()
        samples: list[Sample] = []
        for channel in channels:
            sample = channel.ended(quality, at or now, now)
            samples.append(sample)
            known = channel.tag.name in self._channels
            self.backlog.add(channel.deadband.offer(sample) if known else [sample])
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
