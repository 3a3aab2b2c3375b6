"""One Sparkplug B edge node with its devices, as its births, data and deaths tell: what is known and what is told."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.domain.samples import Quality, Value, is_bad, is_good
from app.drivers.faults import BadAddress
from app.drivers.protocol import Reading
from app.drivers.sparkplug_message import Metric, Payload
from app.drivers.sparkplug_types import from_wire, is_scalar

Key = tuple[str, str]  # device (empty for the node itself), metric name
REBIRTH = "Node Control/Rebirth"
_QUALITY = {0: Quality.BAD, 192: Quality.GOOD, 500: Quality.UNCERTAIN_LAST_USABLE}  # Sparkplug B 3.0, 6.4.18
_LARGEST_INT = 2**63


@dataclass(frozen=True, slots=True)
class SparkplugAddress:
    """A metric of an edge node, or of a device behind it when `device` is not empty."""

    text: str
    group: str
    node: str
    device: str
    metric: str

    @property
    def edge(self) -> tuple[str, str]:
        """Group and name of the edge node."""
        return self.group, self.node


def parse_address(text: str) -> SparkplugAddress:
    """The address that `text` spells; raises BadAddress."""
    path, colon, metric = text.strip().partition(":")
    parts = path.split("/")
    if not colon or not metric or len(parts) not in (2, 3) or not all(parts):
        raise BadAddress(text, "write it like group/node/device:metric, or group/node:metric")
    if any(c in path for c in "+#\0"):
        raise BadAddress(text, "names of groups, nodes and devices have neither + nor # in them")
    return SparkplugAddress(text, parts[0], parts[1], parts[2] if len(parts) == 3 else "", metric)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a metric: its type and unit from the birth, and its newest value with time and quality."""

    datatype: int | None
    alias: int | None
    unit: str
    value: Value
    quality: int
    time: datetime


@dataclass(slots=True)
class EdgeNode:
    """The state of one edge node between its birth and its death.

    `doubt` begins with a gap in the sequence numbers, when a message was lost, and ends with the next birth; until
    then every value is uncertain. `wants_rebirth` says that the node should be asked for its birth.
    """

    born: bool = False
    doubt: bool = False
    wants_rebirth: bool = False
    known: dict[Key, Known] = field(default_factory=dict)
    _watched: dict[Key, list[str]] = field(default_factory=dict)
    _told: dict[Key, int] = field(default_factory=dict)
    _devices: set[str] = field(default_factory=set)
    _aliases: dict[int, Key] = field(default_factory=dict)
    _bdseq: Value = None
    _seq: int | None = None

    def watch(self, address: SparkplugAddress) -> None:
        """Tell about a metric from now on."""
        self._watched.setdefault((address.device, address.metric), []).append(address.text)

    def settled(self, address: SparkplugAddress) -> bool:
        """Whether the birth that has to name this metric has come."""
        return self.born and (not address.device or address.device in self._devices)

    def waiting(self, now: datetime) -> list[Reading]:
        """Watched metrics about which nothing was told yet."""
        return self._mark(
            [key for key in self._watched if key not in self._told], Quality.BAD_WAITING_FOR_INITIAL_DATA, now
        )

    def take(self, kind: str, device: str, payload: Payload, now: datetime) -> list[Reading]:
        """Readings for one message of this node; `kind` is NBIRTH, NDEATH, NDATA, DBIRTH, DDEATH or DDATA."""
        if kind == "NDEATH":
            return self._death(payload, now)
        if kind == "NBIRTH":
            return self._birth(payload, now)
        if not self.born:
            self.wants_rebirth = True
            return self._values(device, [m for m in payload.metrics if m.name and m.datatype], payload, now)
        readings = self._sequence(payload, now)
        if kind == "DDEATH":
            self._devices.discard(device)
            return readings + self._mark(self._of(device), Quality.BAD_NO_COMMUNICATION, now)
        if kind == "DBIRTH":
            self._devices.add(device)
            return readings + self._announce(device, payload, now)
        if device and device not in self._devices:
            self.wants_rebirth = True
        return readings + self._values(device, payload.metrics, payload, now)

    def _birth(self, payload: Payload, now: datetime) -> list[Reading]:
        doubtful = [key for key in self._watched if key[0] and is_good(self._told.get(key, Quality.BAD))]
        readings = self._mark(doubtful, Quality.UNCERTAIN_LAST_USABLE, now)
        self.born, self.doubt, self.wants_rebirth = True, False, False
        self._seq = payload.seq
        self._bdseq = _bdseq(payload)
        self._devices.clear()
        self._aliases.clear()
        self.known.clear()
        return readings + self._announce("", payload, now)

    def _announce(self, device: str, payload: Payload, now: datetime) -> list[Reading]:
        """A birth names every metric; what is watched and not among them does not exist."""
        for metric in payload.metrics:
            if metric.alias is not None:
                self._aliases[metric.alias] = (device, metric.name)
            unit = metric.properties.get("engUnit")
            self.known[device, metric.name] = Known(
                metric.datatype, metric.alias, unit if isinstance(unit, str) else "", None, Quality.BAD, now
            )
        missing = [key for key in self._of(device) if key not in self.known]
        return self._values(device, payload.metrics, payload, now) + self._mark(
            missing, Quality.BAD_NODE_ID_UNKNOWN, now
        )

    def _death(self, payload: Payload, now: datetime) -> list[Reading]:
        """The node is gone, unless this is the will of a session before the one that was born last."""
        said = _bdseq(payload)
        if self.born and None not in (said, self._bdseq) and said != self._bdseq:
            return []
        self.born = self.doubt = self.wants_rebirth = False
        self._devices.clear()
        return self._mark(list(self._watched), Quality.BAD_NO_COMMUNICATION, now)

    def _sequence(self, payload: Payload, now: datetime) -> list[Reading]:
        """A gap means that a message was lost: nothing is certain until the node tells everything again."""
        expected = None if self._seq is None else (self._seq + 1) % 256
        if payload.seq is None:
            return []
        self._seq = payload.seq
        if expected is None or payload.seq == expected:
            self.wants_rebirth = self.wants_rebirth or self.doubt
            return []
        self.wants_rebirth = True
        if self.doubt:
            return []
        self.doubt = True
        good = [key for key in self._watched if is_good(self._told.get(key, Quality.BAD))]
        return self._mark(good, Quality.UNCERTAIN, now)

    def _values(
        self, device: str, metrics: Iterable[Metric], payload: Payload, now: datetime
    ) -> list[Reading]:
        readings: list[Reading] = []
        for metric in metrics:
            alias = metric.alias
            key = (
                (device, metric.name) if metric.name else None if alias is None else self._aliases.get(alias)
            )
            if key is None:
                self.wants_rebirth = True
                continue
            readings += self._value(key, metric, payload, now)
        return readings

    def _value(self, key: Key, metric: Metric, payload: Payload, now: datetime) -> list[Reading]:
        before = self.known.get(key)
        datatype = metric.datatype if metric.datatype is not None else before.datatype if before else None
        value, quality = _judge(datatype, metric)
        if quality == Quality.GOOD and (self.doubt or not self.born) and not metric.historical:
            quality = int(Quality.UNCERTAIN)
        time = _time(metric.time if metric.time is not None else payload.time, now)
        if not metric.historical:
            alias = before.alias if before else metric.alias
            self.known[key] = Known(datatype, alias, before.unit if before else "", value, quality, time)
            if key in self._watched:
                self._told[key] = quality
        return [
            Reading(text, value, quality, time, now, metric.historical) for text in self._watched.get(key, ())
        ]

    def _mark(self, keys: Iterable[Key], quality: int, now: datetime) -> list[Reading]:
        """The last value with another quality; a bad one carries no value."""
        readings = []
        for key in keys:
            if self._told.get(key) == quality:
                continue
            self._told[key] = int(quality)
            known = self.known.get(key)
            value = known.value if known is not None and not is_bad(quality) else None
            readings += [Reading(text, value, int(quality), now, now) for text in self._watched.get(key, ())]
        return readings

    def _of(self, device: str) -> list[Key]:
        return [key for key in self._watched if key[0] == device]


def _judge(datatype: int | None, metric: Metric) -> tuple[Value, int]:
    """Value and quality of a metric; its own Quality property counts, null is no value, NaN a broken sensor."""
    if not is_scalar(datatype) or datatype is None:
        return None, int(Quality.BAD_CONFIGURATION_ERROR)
    if metric.null:
        return None, int(Quality.BAD)
    value = from_wire(datatype, metric.wire)
    if value is None:
        return None, int(Quality.BAD_CONFIGURATION_ERROR)
    if isinstance(value, float) and not math.isfinite(value):
        return None, int(Quality.BAD_SENSOR_FAILURE)
    if isinstance(value, int) and not isinstance(value, bool) and value >= _LARGEST_INT:
        value = float(value)  # history keeps whole numbers of 64 bits with a sign
    said = metric.properties.get("Quality")
    quality = int(_QUALITY.get(said, Quality.UNCERTAIN)) if isinstance(said, int) else int(Quality.GOOD)
    return (None if is_bad(quality) else value), quality


def _bdseq(payload: Payload) -> Value:
    return next((m.value for m in payload.metrics if m.name == "bdSeq"), None)


def _time(milliseconds: int | None, now: datetime) -> datetime:
    """The machine's time; a clock before 2000 or after 2100 was never set, and ours counts."""
    if milliseconds is None or not 946_684_800_000 <= milliseconds < 4_102_444_800_000:
        return now
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
