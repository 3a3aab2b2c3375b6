"""What one station hands in must not stop the others: records of the log that they could not read, or not digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select

from app.domain.conflicts import Take
from app.domain.people import Actor, Role
from app.operations.conflicts import settle_conflict
from app.store.queries.conflicts import open_conflicts, read_conflict
from app.store.tables import Conflict, Note
from tests.sync.attack.fort import NOW, Fort
from tests.sync.counter import changed, created, entry, signed
from ui.screens.sync.point_row import value_words

if TYPE_CHECKING:
    from tests.sync.harness import SyncedStation, World

OPERATOR = Role.OPERATOR


def note(author: Actor, **fields: Any) -> dict[str, Any]:
    return created(
        "note", uuid4(), **{"at": NOW, "text": "x", "written_at": NOW, "author": author.name, **fields}
    )


def with_more(body: str, more: str) -> str:
    return f"{body[:-1]}, {more}}}"


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def _many(author: Actor) -> dict[str, Any]:
    return {
        "e": "note", "k": "m", "ids": [str(uuid4()), str(uuid4())], "columns": ["at", "text", "written_at", "author"],
        "rows": [[NOW, "x", NOW, author.name], ["infinity", "x", NOW, author.name]],
    }  # fmt: skip


UNSIGNED: dict[str, str] = {
    "nested deep": f'"x": {nested(3000)}',
    "nested deep where a time is said": f'"at": {nested(1200)}',
    "nested too deep for the server": f'"x": {nested(100_000)}',
    "a number of a hundred thousand digits": '"at": 1e100000',
    "a number that is written out": f'"at": {"9" * 5000}',
    "a number far below nothing": '"at": -1e5000',
}
"""More of an entry that nobody signed: who has a station needs nobody's password for it."""

TIMES = (
    "infinity",
    "-infinity",
    "0044-03-15 BC",
    "20000-01-01T00:00:00Z",
    "9999-12-31T23:00:00Z",
    "0900-01-01T00:00:00Z",
)


@pytest.fixture
def honest(world: World) -> SyncedStation:
    made = world.station("01")
    made.sync()
    return made


def push(world: World, body: str, mac: Callable[[bytes], str]) -> dict[str, Any]:
    """Hand in one entry as another station; `mac` signs with the secret of the operator there."""
    if "X7" not in world.server.stations:
        world.server.add_station("X7")
    person = world.people[OPERATOR].user_id
    assert person is not None
    with psycopg.connect(world.server.station_url("X7"), autocommit=True) as line:
        source = uuid4()
        line.execute("SELECT sync.open_source(%s, 1)", (source,))
        answer = line.execute(
            "SELECT sync.push(%s, 1, %s, %s)", (source, body, mac(world.secret("X7", person)))
        ).fetchone()
    assert answer is not None
    result: dict[str, Any] = answer[0]
    return result


def test_an_entry_that_no_station_could_read_stops_none(world: World, honest: SyncedStation) -> None:
    operator = world.people[OPERATOR]
    for why, more in UNSIGNED.items():
        body = with_more(entry(operator, note(operator)), more)
        assert push(world, body, lambda _: "")["verdict"] == "rejected", why
        assert honest.sync().pulled == 1, why
    unknown = json.dumps(changed("note", uuid4(), 2, text=("x", "@"))).replace('"@"', "1e9000")
    body = with_more(entry(operator), f'"rows": [{unknown}]')
    assert push(world, body, lambda secret: signed(secret, body))["verdict"] == "rejected"
    honest.sync()
    late = world.station("02")  # and fetches everything at once
    late.sync()
    assert len(late.ask("SELECT 1 FROM conflict")) == len(UNSIGNED) + 1


def test_what_is_no_entry_is_not_sent_to_all_stations_whole(world: World, honest: SyncedStation) -> None:
    assert push(world, "{" + "x" * 1_000_000, lambda _: "")["verdict"] == "rejected"
    honest.sync()
    assert [size for (size,) in honest.ask("SELECT length(body) FROM conflict")] == [10_000]


def test_times_that_no_calendar_knows_do_not_get_in(world: World, honest: SyncedStation) -> None:
    operator = world.people[OPERATOR]
    rows = [*(note(operator, at=time) for time in TIMES), _many(operator)]
    for row in rows:
        body = entry(operator, row)
        assert push(world, body, partial(signed, body=body))["verdict"] == "rejected", row
    words = [note(operator, text="infinity"), note(operator, text="44 BC, 1e999, NaN")]
    body = entry(operator, *words)
    assert push(world, body, lambda secret: signed(secret, body))["verdict"] == "applied"
    honest.sync()
    with honest.house.store.reader() as session:
        assert len(list(session.execute(select(Note)).scalars())) == len(words)


def test_whatever_a_session_sets_records_say_the_time_so_that_all_can_read_it(
    world: World, honest: SyncedStation
) -> None:
    operator, content = world.people[OPERATOR], b"a photo"
    sha = hashlib.sha256(content)
    photo = created(
        "attachment", uuid4(), owner="issue", owner_id=str(uuid4()), name="a.jpg", mime="image/jpeg", size=len(content),
        sha256=sha.hexdigest(), stored=False, thumbnail="", at=NOW, author=operator.name,
    )  # fmt: skip
    body = entry(operator, photo)
    assert push(world, body, lambda secret: signed(secret, body))["verdict"] == "applied"
    with psycopg.connect(world.server.station_url("X7"), autocommit=True) as line:
        line.execute("SET TIME ZONE '<odd>-99:00'")
        line.execute("SET DateStyle = 'SQL, DMY'")
        line.execute("SELECT sync.begin_blob(%s, %s, 'image/jpeg')", (sha.digest(), len(content)))
        line.execute("SELECT sync.put_blob(%s, 0, %s)", (sha.digest(), content))
        answer = line.execute("SELECT sync.finish_blob(%s)", (sha.digest(),)).fetchone()
        assert answer == ({"complete": True, "why": ""},)
    honest.sync()
    assert honest.ask("SELECT stored FROM attachment") == [(1,)]


def test_numbers_that_are_none_do_not_get_in(fort: Fort) -> None:
    with fort.counter("X7") as counter:
        for value in ("NaN", "Infinity", "-Infinity"):
            measured = created(
                "inspection_result", uuid4(), inspection_id=str(uuid4()), position=1, kind="measured", name="gap",
                passed=True, value=value,
            )  # fmt: skip
            answer = counter.push_rows(fort.people[Role.INSPECTOR], measured)
            assert (
                answer["reason"]["sentence"] == "The server cannot keep this: value of a inspection result."
            )


_U = str(uuid4())
NONSENSE: tuple[Any, ...] = (
    1, "x", None, [], {}, {"e": 5}, {"e": "note", "k": "c"}, {"e": "note", "k": "c", "id": "x", "set": {}},
    {"e": "note", "k": "c", "id": _U, "set": 5}, {"e": "note", "k": "c", "id": _U, "set": {"at": 5}},
    {"e": "note", "k": "c", "id": _U, "v": 1, "set": {"at": [None, "infinity"], "text": [None, {}], "nope": [1, 2]}},
    {"e": "nope", "k": "u", "id": _U, "v": 2, "set": {"at": [1, 2]}}, {"e": "note", "k": "m"},
    {"e": "note", "k": "m", "ids": [_U], "columns": ["at"], "rows": []},
    {"e": "note", "k": "m", "ids": ["x"], "columns": ["at", "z"], "rows": [[1, 2]]},
    {"e": "work_order", "k": "u", "id": _U, "v": 2, "set": {"planned_start": [5, "20000-01-01T00:00:00Z"]}},
)  # fmt: skip


def test_conflicts_about_nonsense_can_be_looked_at_and_discarded(world: World, honest: SyncedStation) -> None:
    operator = world.people[OPERATOR]
    bodies = [entry(operator, row) for row in NONSENSE]
    bodies += ["", "{", "[]", '{"rows": []}', entry(operator, resolves=5), entry(operator, undoes="x")]
    for body in bodies:
        push(world, body, lambda _: "")
    honest.sync()
    with honest.house.store.reader() as session:
        parked = list(session.execute(select(Conflict)).scalars())
        assert len(parked) == len(bodies)
        for one in parked:
            details = read_conflict(session, one.seq)
            for shown in details.points:
                assert value_words(shown, shown.point.mine, details.names)
    for one in parked:
        honest.do(settle_conflict(source=one.source, n=one.n, take=Take.THEIRS))
    honest.sync()
    with honest.house.store.reader() as session:
        assert open_conflicts(session) == 0
