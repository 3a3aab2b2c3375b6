"""One round between this station and its server: compare counters, offer, fetch. Safe to be abandoned at any line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from app.domain.errors import Refused, WorldFault
from app.domain.merging import BrokenHistoryError
from app.sync.auditing import note_other_history
from app.sync.baseline import take_baseline
from app.sync.failpoints import Failpoint
from app.sync.place import Place, read_place, want_baseline
from app.sync.pulling import pull_all
from app.sync.pushing import push_all
from app.sync.reconciling import fork, reconcile
from app.sync.station import Station

if TYPE_CHECKING:
    from app.sync.wire import Hello, ServerConnection

log = structlog.get_logger(__name__)

FAR_BEHIND = 20_000
"""Records of the log from which on fetching all rows is faster than following it."""
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Round:
    """What came of a round: entries answered, records pulled, whether all rows were fetched anew."""

    answered: int = 0
    pulled: int = 0
    baseline: bool = False

    @property
    def moved(self) -> bool:
        return bool(self.answered or self.pulled or self.baseline)


@dataclass(frozen=True, slots=True)
class Skew:
    """What programs of different versions may do: an old one still deposits, a new one still reads."""

    may_push: bool
    may_pull: bool

    @classmethod
    def between(cls, schema: int, hello: Hello) -> Skew:
        return cls(may_push=schema <= hello.schema, may_pull=schema >= hello.min_schema)

    @property
    def sentence(self) -> str:
        """What a person should know, empty where all is well."""
        if not self.may_pull:
            return "This Lineside is too old to show what others change; what you do still arrives there. Update it."
        if not self.may_push:
            return "The server is older than this Lineside: your changes are kept here until it was upgraded."
        return ""


def run_round(station: Station, server: ServerConnection, hello: Hello, *, full: bool = True) -> Round:
    """Bring both sides together once. `full` compares the counters first: at every connect and after any doubt.

    Raises `WorldFault` when the server cannot be reached or does not hold together, `Refused` when a person has to act.
    """
    _check_server(station.read(read_place), hello)
    station.reach(Failpoint.CONNECTED)
    skew = Skew.between(station.schema, hello)
    total = Round()
    for _ in range(_TRIES):
        try:
            if full:
                reconcile(station, server)
            return _once(station, server, hello, skew, total)
        except BrokenHistoryError as error:
            log.warning("the server's history is not the one known here", reason=str(error))
            note_other_history(station, server)
            station.write(partial(want_baseline, reason=str(error)))
        full = True
    raise WorldFault("The server's data does not hold together at the moment; it is tried again.")


def _once(station: Station, server: ServerConnection, hello: Hello, skew: Skew, total: Round) -> Round:
    answered = _push(station, server, hello) if skew.may_push else 0
    if not skew.may_pull:
        return Round(answered)
    reason = _baseline_reason(station, hello)
    if reason:
        take_baseline(station, server, reason)
        answered += _push(station, server, hello) if skew.may_push else 0
    return Round(answered, pull_all(station, server), bool(reason))


def _push(station: Station, server: ServerConnection, hello: Hello) -> int:
    from app.sync.wire import Forked, Gap, UnknownSource

    try:
        return push_all(station, server, hello.station)
    except Forked as error:
        fork(station, server)
        raise BrokenHistoryError("another copy of this data folder sent changes under its name") from error
    except (Gap, UnknownSource) as error:
        raise BrokenHistoryError("the server lost changes of this station") from error


def _check_server(place: Place, hello: Hello) -> None:
    if place.server_id and place.server_id != str(hello.server_id):
        raise Refused(
            "This is another server than the one that this folder belongs to; join it with a folder of its own."
        )


def _baseline_reason(station: Station, hello: Hello) -> str:
    """Why all rows have to be fetched anew, empty where following the log is enough."""
    place = station.read(read_place)
    if place.baseline:
        return place.baseline
    if not place.schema:
        return "first time"
    if place.schema != station.schema:
        return "this program knows other columns than the one before"
    return "far behind" if hello.head_seq - place.cursor > FAR_BEHIND else ""
