"""Every station is a witness: a history that was written anew, or cut, contradicts what it has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.domain.errors import Refused
from app.store.tables import Audit
from app.sync.auditing import OTHER_HISTORY, verify_shared
from tests.sync.authorship.workshop import ADMIN, Place

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.sync.conftest import ServerDatabase

REHASH = """
DO $$ DECLARE r record; h bytea := ''; BEGIN
  FOR r IN SELECT seq, body FROM sync.log ORDER BY seq LOOP
    h := sha256(h || convert_to(r.body, 'UTF8'));
    UPDATE sync.log SET hash = h WHERE seq = r.seq;
  END LOOP;
END $$"""


@pytest.fixture
def witness(hall: Place) -> Place:
    hall.log_in(ADMIN)
    hall.order()
    hall.sync()
    return hall


def verify(place: Place) -> str:
    with pytest.raises(Refused) as told:
        verify_shared(place.house.folder, place.house.store)
    return told.value.sentence


def test_a_whole_history_is_told_with_what_this_station_saw_of_it(witness: Place) -> None:
    whole = verify_shared(witness.house.folder, witness.house.store)
    assert whole.entries == whole.seen == 5
    assert whole.own >= 1


def test_a_changed_entry_breaks_the_chain_and_is_named(witness: Place, server: ServerDatabase) -> None:
    with server.connect() as connection:
        connection.execute("UPDATE sync.log SET body = replace(body, 'Ada', 'Eve') WHERE seq = 1")
    assert verify(witness) == "The history on the server is broken from entry 1 on."


def test_a_history_that_was_written_anew_contradicts_the_station(
    witness: Place, server: ServerDatabase
) -> None:
    with server.connect() as connection:
        connection.execute("UPDATE sync.log SET body = replace(body, 'Ada', 'Eve') WHERE seq = 1")
        connection.execute(REHASH)
    assert verify(witness).startswith("Entry 5 on the server is not the one that this station has seen")


def test_a_station_that_follows_another_history_keeps_what_it_saw(
    witness: Place, server: ServerDatabase
) -> None:
    """Rounds go on by themselves, and fetch all rows anew: without a line of its own nothing would remember."""
    with server.connect() as connection:
        known = connection.execute("SELECT encode(hash, 'hex') FROM sync.log WHERE seq = 5").fetchone()
        assert known is not None
        connection.execute("UPDATE sync.log SET body = replace(body, 'Ada', 'Eve') WHERE seq = 1")
        connection.execute(REHASH)
    for _ in range(3):
        witness.sync()
    assert verify_shared(witness.house.folder, witness.house.store).others == 1
    with server.connect() as connection:
        connection.execute("DELETE FROM sync.log WHERE seq = (SELECT max(seq) FROM sync.log)")
    witness.sync()
    assert verify_shared(witness.house.folder, witness.house.store).others == 2
    first, second = (line for line in witness.rows(Audit) if line.operation == OTHER_HISTORY)
    assert f"saw up to entry 5, which had the hash {known[0]}" in first.sentence
    assert "saw up to entry" in second.sentence


def test_a_history_that_was_cut_contradicts_the_station(witness: Place, server: ServerDatabase) -> None:
    with server.connect() as connection:
        connection.execute("DELETE FROM sync.log WHERE seq = 5")
    assert verify(witness).startswith("The history on the server ends before entry 5")


def test_an_entry_that_is_not_what_was_signed_here_is_named(witness: Place) -> None:
    def change(session: Session) -> None:
        session.connection().exec_driver_sql("UPDATE outbox SET body = replace(body, 'P', 'Q') WHERE seq = 5")

    witness.house.store.submit(change).result()
    assert verify(witness) == "Entry 5 on the server is not what was signed on this station."
