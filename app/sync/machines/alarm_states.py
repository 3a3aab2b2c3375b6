"""Alarms on their way between stations: records and packed states of those who judge them, answers of sent values."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import structlog

from app.domain.alarms import Kind, at_station, home_of, key_of
from app.domain.decoding import convert
from app.domain.machine_news import WriteAnswered
from app.store.history import AlarmRecord
from app.sync.machines.hearsay import answer_told, facts_told

if TYPE_CHECKING:
    from psycopg import Connection

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one alarm stands; `place` is the id of its connection as text, empty for one of the station itself."""

    place: str
    key: str
    record: AlarmRecord | None
    state: bytes | None


class Postbag:
    """What the server does not know yet: the newest standing of each alarm, acts that are dealt with, answers."""

    def __init__(self) -> None:
        self._standings: dict[tuple[str, str], Standing] = {}
        self._acts: list[str] = []
        self._answers: dict[str, dict[str, Any]] = {}

    def put(self, standings: Iterable[Standing], acts: Iterable[str] = ()) -> None:
        """Something happened to alarms."""
        self._standings.update({(s.place, s.key): s for s in standings})
        self._acts += acts

    def answer(self, answer: dict[str, Any]) -> None:
        """What became of a value that was sent; it has the id of the wish."""
        self._answers[str(answer["id"])] = answer

    def __bool__(self) -> bool:
        return bool(self._standings or self._acts or self._answers)

    def take(self) -> tuple[list[Standing], list[str], list[dict[str, Any]]]:
        """The next to be told, at most `MOST_AT_ONCE` alarms."""
        some = [self._standings.pop(key) for key in list(self._standings)[:MOST_AT_ONCE]]
        acts, self._acts = self._acts, []
        answers, self._answers = list(self._answers.values()), {}
        return some, acts, answers

    def give_back(
        self, standings: Iterable[Standing], acts: Sequence[str], answers: Iterable[dict[str, Any]]
    ) -> None:
        """What was not told; newer standings that came meanwhile stay."""
        self._standings = {(s.place, s.key): s for s in standings} | self._standings
        self._acts = [*acts, *self._acts]
        self._answers = {str(a["id"]): a for a in answers} | self._answers


def post(
    connection: Connection[Any],
    standings: Sequence[Standing],
    acts: Sequence[str],
    answers: Sequence[Any],
    run: UUID | None = None,
) -> None:
    """Tell the server."""
    if standings or acts:
        body = _json([_packed(standing) for standing in standings])
        connection.execute("SELECT sync.put_alarms(%s::jsonb, %s::uuid[], %s)", (body, _uuids(acts), run))
    if answers:
        connection.execute("SELECT sync.put_answers(%s::jsonb, %s)", (_json(answers), run))


def _uuids(acts: Sequence[str]) -> list[str]:
    return [act for act in acts if len(act) == 36]


def _json(rows: Sequence[Any]) -> str:
    return json.dumps(rows).replace("\\u0000", "␀").replace("NaN", "null")


def _packed(standing: Standing) -> dict[str, Any]:
    record = None if standing.record is None else msgspec.to_builtins(standing.record)
    state = None if standing.state is None else base64.b64encode(standing.state).decode()
    return {"place": standing.place, "key": standing.key, "record": record, "state": state}


def record_of(told: dict[str, Any] | None) -> AlarmRecord | None:
    """The record that `post` put there; None for none, and for one that a later version wrote."""
    if told is None:
        return None
    try:
        return convert(told, AlarmRecord)
    except msgspec.ValidationError as error:
        log.warning("alarm of another station not understood", reason=str(error))
        return None


@dataclass(frozen=True, slots=True)
class News:
    """What others said since `rev`: records as they are to be shown here, answers of sent values."""

    rev: int
    records: tuple[AlarmRecord, ...] = ()
    answers: tuple[WriteAnswered, ...] = ()


def read_news(connection: Connection[Any], station: str, since: int) -> News:
    """What changed after `since`; a server that was put back to an older copy is read from its beginning."""
    row = connection.execute("SELECT rev FROM sync.machine_news").fetchone()
    newest = int(row[0]) if row else 0
    if newest == since:
        return News(newest)
    first = since if newest > since else 0
    alarms = connection.execute(
        "SELECT station, record::text FROM sync.machine_alarm a WHERE rev > %s AND rev <= %s AND station <> %s"
        " AND record IS NOT NULL"
        # Whoever holds one machine, or none, says nothing about the others.
        " AND NOT EXISTS (SELECT FROM lineside.tag k WHERE k.name = a.record->>'tag' AND NOT k.deleted"
        "   AND k.connection_id::text <> a.place) ORDER BY rev",
        (first, newest, station),
    ).fetchall()
    answers = connection.execute(
        "SELECT answer::text FROM sync.machine_answer WHERE rev > %s AND rev <= %s AND station <> %s",
        (first, newest, station),
    )
    shown = [_shown(name, record_of(facts_told(text))) for name, text in alarms]
    said = [answer_told(text) for (text,) in answers]
    return News(newest, tuple(r for r in shown if r is not None), tuple(a for a in said if a is not None))


def _shown(station: str, record: AlarmRecord | None) -> AlarmRecord | None:
    """An alarm of another Lineside says which one it is; None for one whose key is not of its tag."""
    if record is None:
        return None
    if record.kind is not Kind.SYSTEM:
        return record if record.key == key_of(record.tag, record.kind) else None
    return replace(
        record,
        key=at_station(home_of(record.key)[0], station),
        value=f"Station {station}: {record.value or ''}".rstrip(": "),
    )
