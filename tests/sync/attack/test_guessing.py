"""Guessing passwords at the server: every try counts, whatever is done with the transaction in which it was made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.domain.people import Role
from app.sync.wire import ServerConnection
from tests.sync.attack.fort import NOW, Fort

RIGHT = b"what argon2id makes of the right one"
_LOGIN = "SELECT sync.login('admin', %s)"


@pytest.fixture
def guarded(fort: Fort) -> Iterator[Fort]:
    """The administrator has a password, and never logged in on the stolen station."""
    with fort.own() as owner:
        owner.execute(
            "INSERT INTO sync.credential (user_id, terms, key_hash, changed_at) VALUES (%s, %s, %s, now())",
            (
                fort.people[Role.ADMIN].user_id,
                "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ",
                hashlib.sha256(RIGHT).digest(),
            ),
        )
        yield fort
        for table in ("login_grant", "credential", "password_nonce"):
            owner.execute(f"DELETE FROM sync.{table}".encode())


def answers(station: psycopg.Connection[Any], key: bytes, calls: int = 2) -> list[str]:
    """What the server says to so many calls, one after the other; empty where it lets somebody in."""
    found = [station.execute(_LOGIN, (key,)).fetchone() for _ in range(calls)]
    return ["" if row is None else row[0].get("refused", "") for row in found]


def tries(fort: Fort) -> tuple[int, bool]:
    with fort.own() as owner:
        found = owner.execute("SELECT failed_tries, locked_until IS NOT NULL FROM sync.credential").fetchone()
    assert found is not None
    return found[0], found[1]


def test_a_password_is_not_judged_before_the_try_was_counted_for_good(guarded: Fort) -> None:
    with guarded.connect("X7") as station:
        for key in (RIGHT, b"wrong"):
            with station.transaction(force_rollback=True):
                assert set(answers(station, key, 5)) <= {"SY023", "SY021"}
            told = station.execute(
                "SELECT a->>'refused', b->>'refused'"
                " FROM (SELECT sync.login('admin', %s) a, sync.login('admin', %s) b) z",
                (key, key),
            ).fetchone()
            assert told is not None
            assert set(told) <= {"SY023", "SY021"}
            assert tries(guarded)[0] >= 1
            loop = (
                "DO $$ BEGIN FOR i IN 1 .. 50 LOOP BEGIN PERFORM sync.login('admin', '\\x0a');"
                " RAISE 'back'; EXCEPTION WHEN raise_exception THEN END; END LOOP; END $$"
            )
            before = tries(guarded)
            station.execute(loop)
            assert tries(guarded) == before


def test_a_counted_try_is_judged_once_more_with_the_same_answer_and_no_other(guarded: Fort) -> None:
    with guarded.connect("X7") as station:
        assert answers(station, b"wrong", 1) == ["SY023"]
        for _ in range(3):
            with station.transaction(force_rollback=True):
                assert answers(station, b"wrong", 1) == ["SY020"]
                assert answers(station, RIGHT, 1) == ["SY023"]
        assert answers(station, b"wrong", 1) == ["SY020"]
        assert answers(station, b"wrong", 1) == ["SY023"]
        assert tries(guarded) == (2, False)


def test_parallel_sessions_have_no_more_tries_than_one(guarded: Fort) -> None:
    def guess(number: int) -> list[str]:
        with guarded.connect("X7" if number % 2 else "X8") as station:
            if number % 3 == 0:
                station.execute("SET default_transaction_isolation = 'repeatable read'")
            try:
                return answers(station, f"guess {number}".encode())
            except psycopg.errors.SerializationFailure:
                return ["not judged"]

    with ThreadPoolExecutor(12) as pool:
        said = list(pool.map(guess, range(24)))
    assert sum(answer[-1] == "SY020" for answer in said) <= 5
    assert any(answer[-1] == "SY021" for answer in said)
    assert tries(guarded) == (5, True)


def test_a_nonce_that_a_station_chose_is_no_counted_try(guarded: Fort) -> None:
    operator = guarded.people[Role.OPERATOR]
    with guarded.counter("X7") as counter, guarded.own() as owner:
        for key in (RIGHT, b"wrong"):
            with counter.connection.transaction(force_rollback=True):
                counter.connection.execute(_LOGIN, (key,))
            note = {
                "user": str(operator.user_id),
                "terms": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ",
                "key_hash": "ab" * 32,
                "at": NOW,
                "actor_id": str(operator.user_id),
                "nonce": hashlib.sha256(key).hexdigest()[:32],
            }
            body = json.dumps(note)
            counter.connection.execute(
                "SELECT sync.set_password(%s, %s)", (body, counter.mac(body, operator.user_id))
            )
            assert answers(counter.connection, key, 1) == ["SY023"]
        owner.execute("DELETE FROM sync.credential WHERE user_id = %s", (operator.user_id,))


def test_the_right_password_lets_in_and_forgets_the_tries(guarded: Fort) -> None:
    with ServerConnection.open(guarded.reach("X7")) as wire:
        assert [wire.login("admin", b"wrong")["refused"] for _ in range(4)] == ["SY020"] * 4
        assert wire.login("admin", RIGHT)["name"] == "admin"
        assert tries(guarded) == (0, False)
        assert [wire.login("admin", str(uuid4()).encode())["refused"] for _ in range(6)] == ["SY020"] * 5 + [
            "SY021"
        ]
        assert wire.login("admin", RIGHT)["refused"] == "SY021"
