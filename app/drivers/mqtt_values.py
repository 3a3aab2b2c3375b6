"""Turns the bytes of an MQTT message into a value with its time and quality, and a value into bytes."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.domain.errors import Refused
from app.domain.samples import Quality, Value, is_bad
from app.drivers.mqtt_address import MqttAddress, Step, find

LARGEST = 1_000_000  # bytes of a message that are looked at; a larger one is refused
LONGEST_TEXT = 4_000  # characters of a value that is text
_LARGEST_INT = 2**63
_NO_VALUE = object()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A value with its quality; `time` is None when the message does not say when it was measured."""

    value: Value
    quality: int
    time: datetime | None = None

    def initial(self) -> Decoded:
        """The same out of a retained message: without a time of its own nobody knows how old it is."""
        if self.time is not None or is_bad(self.quality):
            return self
        return replace(self, quality=int(Quality.UNCERTAIN_INITIAL))


class Payload:
    """One message, parsed at most once however many addresses look into it."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._document: object = _NO_VALUE
        self._parsed = False

    @property
    def too_large(self) -> bool:
        """Whether the message is larger than Lineside looks at."""
        return len(self._raw) > LARGEST

    def decode(self, address: MqttAddress) -> Decoded:
        """The value at an address; what cannot be found or is no single value is a wrong configuration."""
        wrong = Decoded(None, Quality.BAD_CONFIGURATION_ERROR)
        if self.too_large:
            return wrong
        document = self._json()
        if not address.path and not isinstance(document, (dict, list)):
            found = self._text() if document is _NO_VALUE else document
        else:
            try:
                found = find(document, address.path)
            except LookupError:
                return wrong
        plain = _plain(found)
        if plain.quality == Quality.BAD_CONFIGURATION_ERROR or not address.time_path:
            return plain
        try:
            time = moment(find(document, address.time_path))
        except (LookupError, ValueError):
            # The value came, but nobody knows when it was measured.
            return Decoded(plain.value, plain.quality or Quality.UNCERTAIN)
        return Decoded(plain.value, plain.quality, time)

    def document(self) -> object:
        """The parsed JSON; raises ValueError when it is something else."""
        document = self._json()
        if document is _NO_VALUE:
            raise ValueError("not JSON")
        return document

    def _json(self) -> object:
        if not self._parsed:
            self._parsed = True
            try:
                self._document = json.loads(self._raw)
            except (ValueError, RecursionError):
                self._document = _NO_VALUE
        return self._document

    def _text(self) -> object:
        try:
            return self._raw.decode()
        except UnicodeDecodeError:
            return _NO_VALUE


def _plain(found: object) -> Decoded:
    """A single JSON value as ours; null and NaN mean that the machine has no value."""
    if isinstance(found, bool):
        return Decoded(found, Quality.GOOD)
    if found is None:
        return Decoded(None, Quality.BAD)
    if isinstance(found, str) and len(found) <= LONGEST_TEXT:
        return Decoded(found, Quality.GOOD)
    if isinstance(found, int) and -_LARGEST_INT <= found < _LARGEST_INT:
        return Decoded(found, Quality.GOOD)
    if isinstance(found, (int, float)):
        try:
            number = float(found)
        except OverflowError:
            number = math.inf
        usable = math.isfinite(number)
        return Decoded(number, Quality.GOOD) if usable else Decoded(None, Quality.BAD_SENSOR_FAILURE)
    return Decoded(None, Quality.BAD_CONFIGURATION_ERROR)


def moment(found: object) -> datetime:
    """A time given as seconds, milliseconds, micro- or nanoseconds since 1970, or as ISO 8601; raises ValueError.

    A text without a zone is taken as UTC. A time outside 2000 to 2100 comes from a clock that was never set.
    """
    if isinstance(found, str):
        try:
            time = datetime.fromisoformat(found.strip())
        except ValueError:
            found = float(found)
        else:
            found = (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise ValueError("not a time")
    seconds = float(found) if abs(found) < 1e20 else math.inf
    for digits in (1e17, 1e14, 1e11):
        if abs(seconds) >= digits:
            seconds = seconds / (digits / 1e8)
            break
    if not 946_684_800 <= seconds < 4_102_444_800:
        raise ValueError("the machine's clock is not set")
    return datetime.fromtimestamp(seconds, UTC)


def encode(value: Value, path: tuple[Step, ...]) -> bytes:
    """What is published for a value: its bare text, or with a path the smallest JSON that has it there.

    `set.temp` and 80 give {"set": {"temp": 80}}; raises Refused for a path into a list, whose other places would be
    lost, and for a number that JSON cannot hold.
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise Refused(f"{value} cannot be sent to a machine.")
    if not path:
        return (value if isinstance(value, str) else json.dumps(value)).encode()
    document: object = value
    for step in reversed(path):
        if isinstance(step, int):
            raise Refused("A single place of a list cannot be written; the machine would lose the others.")
        document = {step: document}
    return json.dumps(document, ensure_ascii=False).encode()
