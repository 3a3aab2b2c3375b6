"""What the owner of a server does about samples: how long they are kept, and dropping those that are older."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.errors import Refused
from app.sync.server.address import connect
from app.sync.server.creation import require_server
from app.sync.server.sentences import plain_errors

_UNCHANGED = -1
FOR_EVER = 0


@dataclass(frozen=True, slots=True)
class KeptReadings:
    """`keep_days` is None where all are kept; `dropped_until` is up to when they were dropped now."""

    keep_days: int | None
    dropped_until: datetime | None


def clean_readings(url: str, keep_days: int = _UNCHANGED) -> KeptReadings:
    """Drop samples that are older than they are kept; `keep_days` changes how long that is, `FOR_EVER` for all.

    Whole months go at once, so up to a month more than asked for stays. Stations go on working meanwhile.
    """
    if keep_days < _UNCHANGED:
        raise Refused("Samples are kept for one day at least; 0 keeps them for ever.", field="keep_days")
    from app.sync.server.patience import LONG_WORK

    with plain_errors(), connect(url, seconds=10, program="lineside server") as connection:
        require_server(connection)
        connection.patience = LONG_WORK
        if keep_days != _UNCHANGED:
            connection.execute(
                "UPDATE sync.reading_terms SET keep_days = nullif(%s, %s)", (keep_days, FOR_EVER)
            )
        connection.execute("SET statement_timeout = 0")
        row = connection.execute(
            "SELECT keep_days, sync.drop_old_readings() FROM sync.reading_terms"
        ).fetchone()
    assert row is not None
    return KeptReadings(*row)
