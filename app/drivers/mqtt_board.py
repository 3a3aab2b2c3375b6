"""What is known of every watched MQTT address, and what has to be told when a message, silence or a last will comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.samples import Quality, is_bad
from app.drivers.mqtt_address import MqttAddress
from app.drivers.mqtt_values import Decoded, Payload
from app.drivers.protocol import Reading


@dataclass(slots=True)
class _Entry:
    """One address: its last value, whether that came live, when something came last, the quality told last."""

    address: MqttAddress
    freshness: float
    last: Decoded | None = None
    live: bool = False
    heard: float | None = None
    told: int | None = None


@dataclass(slots=True)
class Board:
    """Pure bookkeeping; times come from the caller: `now` is wall time in UTC, `tick` a monotonic clock in seconds.

    A retained message without a time of its own is only an initial value: nobody knows how old it is. A message that
    cannot be understood is told once. After the machine's last will every address is bad until the machine is back.
    """

    down: bool = False
    unreadable: int = 0
    too_large: int = 0
    _topics: dict[str, list[_Entry]] = field(default_factory=dict)
    _by_text: dict[str, _Entry] = field(default_factory=dict)

    def add(self, address: MqttAddress, freshness: float, tick: float) -> None:
        """Watch an address; `freshness` in seconds, 0 for a value that never grows old."""
        entry = _Entry(address, freshness, heard=tick)
        self._topics.setdefault(address.topic, []).append(entry)
        self._by_text[address.text] = entry

    @property
    def topics(self) -> list[str]:
        """Every topic that is needed, once."""
        return list(self._topics)

    def addresses(self, topics: Iterable[str]) -> list[str]:
        """The addresses that come over these topics."""
        return [entry.address.text for topic in topics for entry in self._topics.get(topic, ())]

    def last(self, text: str) -> Decoded | None:
        """What is known of an address."""
        entry = self._by_text.get(text)
        return entry.last if entry is not None else None

    def take(self, topic: str, raw: bytes, retained: bool, now: datetime, tick: float) -> list[Reading]:
        """Readings for one message; an empty one only clears what was retained."""
        entries = self._topics.get(topic)
        if not entries or not raw:
            return []
        payload = Payload(raw)
        self.too_large += payload.too_large
        readings = [] if retained or not self.down else self.back(now)
        misread = False
        for entry in entries:
            if retained and entry.live:
                continue  # somebody asked the broker for it once more; it is no news
            entry.live = not retained
            decoded = payload.decode(entry.address)
            misread = misread or decoded.quality == Quality.BAD_CONFIGURATION_ERROR
            readings += self._tell(entry, decoded if entry.live else decoded.initial(), now, tick)
        self.unreadable += misread
        return readings

    def _tell(self, entry: _Entry, decoded: Decoded, now: datetime, tick: float) -> list[Reading]:
        again = decoded.quality == Quality.BAD_CONFIGURATION_ERROR == entry.told
        entry.last, entry.heard = decoded, tick
        if again or self.down:
            return []
        entry.told = decoded.quality
        return [Reading(entry.address.text, decoded.value, decoded.quality, decoded.time or now, now)]

    def gone(self, now: datetime) -> list[Reading]:
        """The machine's last will came: nothing of it can be believed."""
        if self.down:
            return []
        self.down = True
        return [self._mark(entry, None, Quality.BAD_NO_COMMUNICATION, now) for entry in self._entries()]

    def back(self, now: datetime) -> list[Reading]:
        """The machine lives again: what it said before is an old value until it says something new."""
        if not self.down:
            return []
        self.down = False
        readings = []
        for entry in self._entries():
            if entry.last is None:
                readings.append(self._mark(entry, None, Quality.BAD_WAITING_FOR_INITIAL_DATA, now))
            elif is_bad(entry.last.quality):
                readings.append(self._mark(entry, None, entry.last.quality, now))
            else:
                readings.append(self._mark(entry, entry.last, Quality.UNCERTAIN_LAST_USABLE, now))
        return readings

    def waiting(self, now: datetime) -> list[Reading]:
        """Addresses that nothing was told about yet."""
        return [
            self._mark(entry, None, Quality.BAD_WAITING_FOR_INITIAL_DATA, now)
            for entry in self._entries()
            if entry.told is None
        ]

    def overdue(self, now: datetime, tick: float) -> list[Reading]:
        """The last value once more, marked as old, for every address that was silent for too long."""
        return [
            self._mark(entry, entry.last, Quality.UNCERTAIN_LAST_USABLE, now)
            for entry in self._entries()
            if not self.down
            and entry.freshness > 0
            and entry.last is not None
            and not is_bad(entry.last.quality)
            and entry.told != Quality.UNCERTAIN_LAST_USABLE
            and entry.heard is not None
            and tick - entry.heard > entry.freshness
        ]

    def shortest_freshness(self) -> float:
        """The soonest that any value can grow old, in seconds; 0 when none does."""
        return min((e.freshness for e in self._entries() if e.freshness > 0), default=0.0)

    def _mark(self, entry: _Entry, last: Decoded | None, quality: int, now: datetime) -> Reading:
        entry.told = int(quality)
        return Reading(entry.address.text, last.value if last is not None else None, int(quality), now, now)

    def _entries(self) -> Iterable[_Entry]:
        return self._by_text.values()
