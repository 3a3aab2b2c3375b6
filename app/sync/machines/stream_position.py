"""Finds out with the server where forwarding goes on, also after either side was put back to an older copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import structlog
from psycopg import errors

from app.store.history.forward import SampleStream
from app.store.history.stream_marks import StreamState
from app.sync.machines.sample_server import SampleServer, batch_of, told

log = structlog.get_logger(__name__)

_COMPARED = 5_000  # samples at a time


@dataclass(frozen=True, slots=True)
class Leg:
    """Samples after `after` belong to `stream`; up to `last`, or without end where it is None."""

    stream: UUID
    after: int
    last: int | None


@dataclass(frozen=True, slots=True)
class Position:
    """The streams that a file was and is, and what of each is still to be forwarded, oldest first."""

    streams: tuple[StreamState, ...]
    legs: tuple[Leg, ...]
    divided: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What this run of the program knows of the present stream: what the server confirmed, what it was offered."""

    confirmed: int
    attempted: int


def find_position(
    server: SampleServer,
    samples: SampleStream,
    epoch: int,
    new_id: Callable[[], UUID],
    known: Known | None = None,
) -> Position:
    """Ask the server about all streams of the file; its word counts for what it has.

    A server that has more of the present stream than was ever offered has it from another copy of this file: what
    both copies have stays in the stream, what only this one has begins a new one. `known` is None at first, when
    nothing is known but what the file says.
    """
    streams = samples.streams() or [StreamState(new_id())]
    legs = [leg for stream in streams[:-1] if (leg := _unfinished(server, epoch, stream)) is not None]
    present = streams[-1]
    last = _open(server, epoch, present)
    proven, most = (known.confirmed, known.attempted) if known else (present.offered, present.offered)
    divided = last is None or last > most
    if last is None or last > most:
        same = _same_until(server, samples, epoch, present, proven, last)
        log.warning("history is another copy than the forwarded one", stream=str(present.id), same_until=same)
        streams = _divided(streams, same, new_id())
        present = streams[-1]
        last = _open(server, epoch, present)
        assert last is not None
    legs.append(Leg(present.id, last, None))
    streams[-1] = replace(present, forwarded=last)
    return Position(tuple(streams), tuple(legs), divided)


def _open(server: SampleServer, epoch: int, stream: StreamState) -> int | None:
    """Up to where the server has a stream; None when it knows it as another station's."""
    try:
        return server.open(stream.id, epoch, stream.first_n)
    except errors.InsufficientPrivilege:
        return None


def _unfinished(server: SampleServer, epoch: int, stream: StreamState) -> Leg | None:
    """What a server that was put back lacks of a stream that ended."""
    last = _open(server, epoch, stream)
    if last is None or stream.last_n is None or last >= stream.last_n:
        return None
    return Leg(stream.id, last, stream.last_n)


def _divided(known: list[StreamState], same: int, id: UUID) -> list[StreamState]:
    """The present stream ends with sample `same`, a new one follows."""
    *before, present = known
    ended = [] if same < present.first_n else [replace(present, last_n=same)]
    return [*before, *ended, StreamState(id, first_n=same + 1, forwarded=same, given_up=present.given_up)]


def _same_until(
    server: SampleServer,
    samples: SampleStream,
    epoch: int,
    stream: StreamState,
    proven: int,
    last: int | None,
) -> int:
    """Up to which sample the server has under this stream what the file has."""
    after = max(proven, stream.first_n - 1)
    names = samples.names()
    while (last is None or after < last) and (stretch := samples.read(epoch, after, _COMPARED)) is not None:
        if not len(stretch.tags):
            after = stretch.last
            continue
        batch = batch_of(stretch, 0, len(stretch.tags), stretch.tags)
        stored = server.stored(stream.id, epoch, after, stretch.last, batch.t)
        for n, content in told(batch, [names[tag][0] for tag in stretch.tags.tolist()]):
            if stored.get(n) != content:
                return after
            after = n
        after = stretch.last
    return after
