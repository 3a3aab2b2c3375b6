"""What the collector and the desktops say to each other: small packed messages with a length in front."""

from __future__ import annotations

import asyncio
import struct
from datetime import datetime
from typing import cast

import msgspec

from app.domain.decoding import msgpack_decoder
from app.domain.forwarding import ForwardFigures
from app.domain.machine_news import LinkStatus, WriteAnswered
from app.domain.samples import Sample, Value
from app.store.history import AlarmRecord
from app.store.history.schema import micros, moment

PROTOCOL = 1
LONGEST = 16 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class WireSample(msgspec.Struct, array_like=True, frozen=True):
    """A sample on its way: times in µs since 1970 (UTC)."""

    tag: str
    source_time: int
    receive_time: int
    value: Value
    quality: int

    @classmethod
    def of(cls, sample: Sample) -> WireSample:
        """Pack a sample."""
        return cls(
            sample.tag, micros(sample.source_time), micros(sample.receive_time), sample.value, sample.quality
        )

    def sample(self) -> Sample:
        """Unpack it."""
        return Sample(self.tag, moment(self.source_time), moment(self.receive_time), self.value, self.quality)


class Hello(msgspec.Struct, tag=True, frozen=True):
    """First word of the collector."""

    protocol: int = PROTOCOL


class Auth(msgspec.Struct, tag=True, frozen=True):
    """First word of a desktop: the token from collector.json."""

    token: str


class Welcome(msgspec.Struct, tag=True, frozen=True):
    """The token was right; everything that is known now follows."""

    started_at: datetime


class Denied(msgspec.Struct, tag=True, frozen=True):
    """The token was wrong; the collector hangs up."""

    sentence: str


class SampleBatch(msgspec.Struct, tag=True, frozen=True):
    """Samples since the last batch; `skipped` counts those that a slow reader never gets, since it was connected."""

    samples: list[WireSample]
    skipped: int = 0


class AlarmChanged(msgspec.Struct, tag=True, frozen=True):
    """The new face of an alarm record."""

    alarm: AlarmRecord


class LinkFigures(msgspec.Struct, tag=True, frozen=True):
    """What a connection did since the collector started, told every few seconds.

    `poll_seconds` is the last answer's time, `slowest_seconds` the longest of the last minute; `interval_seconds` is
    the slowest interval that the machine granted where it is slower than wished (else 0).
    """

    connection: str
    requests: int = 0
    failures: int = 0
    overflows: int = 0
    refreshed: int = 0
    reconnects: int = 0
    poll_seconds: float = 0.0
    slowest_seconds: float = 0.0
    interval_seconds: float = 0.0
    values_per_second: float = 0.0
    last_good: datetime | None = None


class Forwarding(msgspec.Struct, tag=True, frozen=True):
    """How it goes with the samples on their way to the shared server."""

    figures: ForwardFigures


class Poke(msgspec.Struct, tag=True, frozen=True):
    """From a desktop: something was changed or acknowledged, look now."""


class Ping(msgspec.Struct, tag=True, frozen=True):
    """A sign of life, from the collector each second; carries what the status strip shows.

    `given_up` counts the samples that were lost since the collector started because the disk did not take them.
    """

    now: datetime
    waiting_samples: int = 0
    trouble: str = ""
    given_up: int = 0


Message = (
    Hello
    | Auth
    | Welcome
    | Denied
    | SampleBatch
    | AlarmChanged
    | LinkStatus
    | LinkFigures
    | Forwarding
    | WriteAnswered
    | Poke
    | Ping
)
_encoder = msgspec.msgpack.Encoder()
_decoder = msgpack_decoder(cast("type[Message]", Message))


class BrokenStream(ConnectionError):
    """The other side speaks something else."""


def frame(message: Message) -> bytes:
    """A message ready to be written."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


async def receive(reader: asyncio.StreamReader, longest: int = LONGEST) -> Message:
    """The next message; raises BrokenStream for nonsense and IncompleteReadError at the end."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > longest:
        raise BrokenStream(f"a message of {length} bytes")
    try:
        return _decoder.decode(await reader.readexactly(length))
    except msgspec.DecodeError as error:
        raise BrokenStream(str(error)) from error
