"""The state of an alarm as bytes, and back; bytes of the version before are understood."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec

from app.domain.alarms.shapes import AlarmState, Aside, Phase
from app.domain.decoding import msgpack_decoder

_encoder = msgspec.msgpack.Encoder()
_decoder = msgpack_decoder(AlarmState)


class _Before(msgspec.Struct):
    """What the first version called otherwise: it knew one cover, the timed shelf."""

    shelved_until: datetime | None = None
    shelf_reason: str = ""
    unacked_before_shelf: bool = False


_decode_before = msgpack_decoder(_Before)


def pack(state: AlarmState) -> bytes:
    """All of a state."""
    return _encoder.encode(state)


def unpack(packed: bytes) -> AlarmState:
    """The state that was packed; raises `ValueError` for bytes of a later version or of something else."""
    try:
        state, before = _decoder.decode(packed), _decode_before.decode(packed)
    except msgspec.MsgspecError as error:
        raise ValueError(f"no alarm state: {error}") from error
    if before.shelved_until is not None:
        shelf = Aside(Phase.SHELVED, reason=before.shelf_reason, until=before.shelved_until)
        state = replace(
            state, aside=shelf, owed=Phase.RTN_UNACK if before.unacked_before_shelf else Phase.NORMAL
        )
    if state.unacked and not state.unseen:
        state = replace(state, unseen=1, unseen_since=state.raised_at, rang_at=state.raised_at)
    return state
