"""A measured value together with its time and quality, and the deadband that decides which samples are kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

Value = float | int | bool | str | None

_SEVERITY_SHIFT = 30
_LIMIT_LOW = 0x0000_0500
_LIMIT_HIGH = 0x0000_0600
_OVERFLOW = 0x0000_0480


class Quality(IntEnum):
    """OPC UA status codes that Lineside sets itself (OPC UA Part 4 7.39 and Part 8); servers may send any other."""

    GOOD = 0x0000_0000
    UNCERTAIN = 0x4000_0000
    UNCERTAIN_NO_COMMUNICATION_LAST_USABLE = 0x408F_0000
    UNCERTAIN_LAST_USABLE = 0x4090_0000
    UNCERTAIN_SUBSTITUTE = 0x4091_0000
    UNCERTAIN_INITIAL = 0x4092_0000
    UNCERTAIN_SENSOR_NOT_ACCURATE = 0x4093_0000
    UNCERTAIN_ENGINEERING_UNITS_EXCEEDED = 0x4094_0000
    UNCERTAIN_SUBNORMAL = 0x4095_0000
    BAD = 0x8000_0000
    BAD_COMMUNICATION_ERROR = 0x8005_0000
    BAD_NO_COMMUNICATION = 0x8031_0000
    BAD_WAITING_FOR_INITIAL_DATA = 0x8032_0000
    BAD_NODE_ID_UNKNOWN = 0x8034_0000
    BAD_TOO_MANY_SESSIONS = 0x8056_0000
    BAD_CONFIGURATION_ERROR = 0x8089_0000
    BAD_NOT_CONNECTED = 0x808A_0000
    BAD_DEVICE_FAILURE = 0x808B_0000
    BAD_SENSOR_FAILURE = 0x808C_0000
    BAD_OUT_OF_SERVICE = 0x808D_0000
    BAD_DATA_LOST = 0x809D_0000


class Severity(IntEnum):
    """The two top bits of a status code."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


_WORDS: dict[int, str] = {
    Quality.GOOD: "good",
    Quality.UNCERTAIN: "the machine is not sure of it",
    Quality.UNCERTAIN_SUBSTITUTE: "a substitute, not measured",
    Quality.UNCERTAIN_INITIAL: "left by the machine earlier, its age is not known",
    Quality.UNCERTAIN_SENSOR_NOT_ACCURATE: "the sensor is not accurate",
    Quality.UNCERTAIN_SUBNORMAL: "from fewer sources than usual",
    Quality.UNCERTAIN_ENGINEERING_UNITS_EXCEEDED: "outside the range of the sensor",
    Quality.UNCERTAIN_NO_COMMUNICATION_LAST_USABLE: "last value before the machine fell silent",
    Quality.UNCERTAIN_LAST_USABLE: "old value, nothing newer arrived",
    Quality.BAD: "bad, the machine gives no reason",
    Quality.BAD_TOO_MANY_SESSIONS: "the machine takes no more connections",
    Quality.BAD_COMMUNICATION_ERROR: "the machine did not answer in time",
    Quality.BAD_NO_COMMUNICATION: "no connection to the machine",
    Quality.BAD_WAITING_FOR_INITIAL_DATA: "waiting for the first value",
    Quality.BAD_NODE_ID_UNKNOWN: "the machine does not know this address",
    Quality.BAD_CONFIGURATION_ERROR: "the machine rejects this address",
    Quality.BAD_NOT_CONNECTED: "not connected",
    Quality.BAD_DEVICE_FAILURE: "the device reports a failure",
    Quality.BAD_SENSOR_FAILURE: "the sensor reports a failure",
    Quality.BAD_OUT_OF_SERVICE: "out of service",
    Quality.BAD_DATA_LOST: "values were lost because the disk did not take them",
}

_LEFT_OVER = (
    Quality.UNCERTAIN_NO_COMMUNICATION_LAST_USABLE,
    Quality.UNCERTAIN_LAST_USABLE,
    Quality.UNCERTAIN_INITIAL,
)


def severity(quality: int) -> Severity:
    """Severity of a status code; the reserved pattern 11 counts as bad."""
    return Severity(min((quality >> _SEVERITY_SHIFT) & 0b11, Severity.BAD))


def is_good(quality: int) -> bool:
    """True when the value may be used without a second thought."""
    return quality & 0xC000_0000 == 0


def is_uncertain(quality: int) -> bool:
    """True when the value may be shown but not counted."""
    return quality & 0xC000_0000 == Quality.UNCERTAIN


def is_bad(quality: int) -> bool:
    """True when the value must be treated as missing (OPC UA Part 4 7.11.5)."""
    return bool(quality & Quality.BAD)


def is_left_over(quality: int) -> bool:
    """True when the value is only the last that was heard, so that nobody knows whether it still holds."""
    return quality & 0xFFFF_0000 in _LEFT_OVER


def lost_samples(quality: int) -> bool:
    """True when the server says that its queue overflowed before this sample."""
    return quality & _OVERFLOW == _OVERFLOW


def with_limit_bits(quality: int, *, low: bool = False, high: bool = False) -> int:
    """Mark that a value was clamped at the low or the high end of its range (Part 4, DataValue info bits)."""
    return quality | (_LIMIT_LOW if low else 0) | (_LIMIT_HIGH if high else 0)


def describe_quality(quality: int) -> str:
    """Words for the person at the screen; unknown codes are shown as their severity and number."""
    words = _WORDS.get(quality & 0xFFFF_0000)
    return words if words is not None else f"{severity(quality).name.lower()} (0x{quality:08X})"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one tag; times are timezone-aware UTC, `quality` is an OPC UA status code."""

    tag: str
    source_time: datetime
    receive_time: datetime
    value: Value
    quality: int

    @property
    def good(self) -> bool:
        """True when the quality is good."""
        return is_good(self.quality)

    @property
    def bad(self) -> bool:
        """True when there is no usable value."""
        return is_bad(self.quality)


def _differs(last: Value, now: Value, width: float) -> bool:
    """Strictly more than `width` apart; text, truth values and the arrival of NaN differ when they change."""
    if isinstance(last, bool) or isinstance(now, bool):
        return last is not now
    if not isinstance(last, (int, float)) or not isinstance(now, (int, float)):
        return last != now
    if math.isnan(last) or math.isnan(now):
        return math.isnan(last) != math.isnan(now)
    if math.isinf(last) or math.isinf(now):
        return last != now
    return abs(now - last) > width


@dataclass(slots=True)
class Deadband:
    """Decides for one tag which samples are stored (OPC UA Part 8 absolute and percent deadband, made stricter).

    Kept are: the first sample; every change of quality; a value strictly more than `absolute` away from the last
    stored one; a sample `max_interval` after the last stored one; and, before a step, the newest suppressed sample,
    so that a chart never draws a ramp that did not happen. A change that comes sooner than `min_interval` waits, and
    `due` hands it out when its time has come.
    """

    absolute: float = 0.0
    min_interval: timedelta = timedelta(0)
    max_interval: timedelta = timedelta(minutes=10)
    _stored: Sample | None = field(default=None, init=False)
    _quiet: Sample | None = field(default=None, init=False)
    _waiting: Sample | None = field(default=None, init=False)

    @classmethod
    def percent(cls, percent: float, low: float, high: float) -> Deadband:
        """A deadband of `percent` (0 to 100) of the engineering range."""
        return cls(absolute=abs(high - low) * percent / 100.0)

    def offer(self, sample: Sample) -> tuple[Sample, ...]:
        """Take the newest sample of the tag; return what must be stored now, oldest first."""
        last = self._stored
        if last is None:
            return self._keep(sample)
        if sample.quality != last.quality:
            return self._keep(sample, before=self._waiting or self._quiet)
        age = sample.source_time - last.source_time
        if _differs(last.value, sample.value, self.absolute):
            if timedelta(0) <= age < self.min_interval:
                self._waiting = sample
                return ()
            return self._keep(sample, before=self._quiet)
        self._waiting = None
        if age >= self.max_interval:
            return self._keep(sample)
        self._quiet = sample
        return ()

    def due(self, now: datetime) -> tuple[Sample, ...]:
        """Hand out a change that had to wait for `min_interval`, once that has passed."""
        if self._waiting is None or self._stored is None:
            return ()
        if now - self._stored.source_time < self.min_interval:
            return ()
        return self._keep(self._waiting, before=self._quiet)

    def _keep(self, sample: Sample, *, before: Sample | None = None) -> tuple[Sample, ...]:
        last = self._stored
        self._stored, self._quiet, self._waiting = sample, None, None
        if before is None or last is None or not last.source_time < before.source_time < sample.source_time:
            return (sample,)
        return (before, sample)
