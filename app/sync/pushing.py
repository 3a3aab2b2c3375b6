"""Offers the outbox to the server in its order, and notes what the server answered to each entry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection

from app.store.journal import ACKNOWLEDGED, DONE, PARKED, PENDING
from app.sync.failpoints import Failpoint
from app.sync.mirror import conflict_of_answer, note_conflict
from app.sync.place import read_place
from app.sync.rebasing import Rebasing
from app.sync.records import APPLIED
from app.sync.station import Station
from app.sync.unconfirmed import read_entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.sync.wire import Answer, ServerConnection

MOST_ENTRIES = 50
MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class _Offer:
    """Entries of one source with numbers that follow each other, from `first_n` on."""

    source: UUID
    first_n: int
    change_ids: list[str]
    bodies: list[str]
    macs: list[str]


def push_all(station: Station, server: ServerConnection, station_name: str) -> int:
    """Offer everything that is pending; returns how many entries were answered.

    Raises `Forked` or `Gap` of `app.sync.wire` when the server's numbers are not those of this file.
    """
    answered = 0
    while (offer := station.read(partial(_next, most=MOST_ENTRIES))) is not None:
        station.check_cancelled()
        station.reach(Failpoint.PUSH_BEFORE)
        answers = _hand_in(server, offer)
        station.reach(Failpoint.PUSH_AFTER_SERVER_COMMIT)
        station.write(partial(_note, station, offer, answers, station_name))
        station.reach(Failpoint.PUSH_AFTER_LOCAL_ACK)
        answered += len(answers)
    return answered


def _hand_in(server: ServerConnection, offer: _Offer) -> list[Answer]:
    from app.sync.wire import UnknownSource

    try:
        return server.push_many(offer.source, offer.first_n, offer.bodies, offer.macs)
    except UnknownSource:
        if offer.first_n > 1:
            raise  # the server had entries of this source, and lost them
        server.open_source(offer.source)
        return server.push_many(offer.source, offer.first_n, offer.bodies, offer.macs)


def _next(connection: Connection, most: int) -> _Offer | None:
    found = connection.exec_driver_sql(
        "SELECT change_id, source, n, body, mac FROM outbox WHERE state=? ORDER BY position LIMIT ?",
        (PENDING, most),
    )
    offer: _Offer | None = None
    size = 0
    for change_id, source, n, body, mac in found:
        size += len(body)
        if offer is None:
            offer = _Offer(UUID(source), n, [], [], [])
        elif UUID(source) != offer.source or n != offer.first_n + len(offer.bodies) or size > MOST_BYTES:
            break
        offer.change_ids.append(change_id)
        offer.bodies.append(body)
        offer.macs.append(mac)
    return offer


def _note(
    station: Station, offer: _Offer, answers: Sequence[Answer], name: str, connection: Connection
) -> None:
    """Keep the verdicts; what was not applied disappears from the rows and becomes a conflict at once."""
    place = read_place(connection)
    cursor = 0 if place.baseline else place.cursor  # a place in a history that may be gone says nothing
    states = [
        PARKED if answer.verdict != APPLIED else DONE if answer.seq <= cursor else ACKNOWLEDGED
        for answer in answers
    ]
    rebasing = Rebasing(connection, station.unconfirmed)
    for state, change_id, body in zip(states, offer.change_ids, offer.bodies, strict=True):
        if state != ACKNOWLEDGED and not place.baseline:  # a baseline draws them all
            rebasing.learn(read_entry(change_id, body).touched)
    connection.exec_driver_sql(
        "UPDATE outbox SET state=?, verdict=?, seq=? WHERE change_id=?",
        [
            (state, answer.verdict, answer.seq, change_id)
            for state, answer, change_id in zip(states, answers, offer.change_ids, strict=True)
        ],
    )
    rebasing.draw()
    for index, (state, answer) in enumerate(zip(states, answers, strict=True)):
        if state == PARKED and answer.seq > cursor:
            said = (answer.seq, answer.verdict, answer.reason or {})
            n, body = offer.first_n + index, offer.bodies[index]
            note_conflict(connection, conflict_of_answer(offer.source, n, body, said, name, station.clock()))
    station.reach(Failpoint.PUSH_BEFORE_LOCAL_ACK_COMMIT)
