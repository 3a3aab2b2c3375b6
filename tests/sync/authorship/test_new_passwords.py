"""What a new password ends: logins with the old one on every station, as soon as that station has heard of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.operations.people import add_user, change_own_password, disable_user, reset_password
from app.store.sealing import unseal
from app.store.tables import Audit, Credential, LoginGrant
from app.sync.renewing import renew_login
from tests.sync.authorship.workshop import ADMIN, HALL, NEW, OPERATOR, PLANNER, SECRET, Place
from tests.sync.counter import Counter, created, entry, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sync.conftest import ServerDatabase

THIRD = "a third quiet sentence"


@pytest.fixture
def thief(server: ServerDatabase, hall: Place) -> Iterator[Counter]:
    """Somebody with psql, the credentials of the hall and what its store holds."""
    with psycopg.connect(hall.url, autocommit=True) as line, server.connect() as owner:
        yield Counter(line, owner, HALL, b"")


def home(server: ServerDatabase) -> int:
    return server.postgres.port


def secret_of(place: Place, name: str, password: str = SECRET) -> bytes:
    """What the sealed login gives to whoever knows the password and has the file, or a copy of it."""
    with place.house.store.reader() as session:
        grant = session.get(LoginGrant, place.account(name).id)
    assert grant is not None
    found = unseal(grant.salt, grant.sealed, password, grant.user_id)
    assert found is not None
    return found


def forged(thief: Counter, place: Place, name: str, secret: bytes) -> str:
    """The verdict on a note in somebody's name."""
    now = "2026-04-15T12:00:00.000000Z"
    row = created("note", place.house.door.new_id(), at=now, text="x", written_at=now, author=name)
    body = entry(place.people[name], row, at="2020-01-01T00:00:00.000000Z")  # as if it were from long before
    thief.open()
    return str(thief.push(body, None, signed(secret, body))["verdict"])


def refused_login(place: Place, name: str, password: str = SECRET) -> bool:
    try:
        place.log_in(name, password)
    except Refused:
        return True
    return False


def test_an_old_password_lets_nobody_in_without_the_server_once_the_station_has_synced(
    server: ServerDatabase, office: Place, hall: Place, free_port: int
) -> None:
    hall.log_in(PLANNER)
    hall.log_in(OPERATOR)
    office.log_in(ADMIN)
    office.log_in(PLANNER)
    office.do(reset_password(user_id=office.account(OPERATOR).id, password=NEW))
    office.do(change_own_password(old_password=SECRET, new_password=THIRD), PLANNER)
    office.sync()
    hall.lead_to(free_port)
    assert not refused_login(hall, PLANNER)  # it cannot know yet
    hall.lead_to(home(server))
    hall.sync()
    hall.lead_to(free_port)
    assert refused_login(hall, PLANNER)
    assert refused_login(hall, OPERATOR)
    with hall.house.store.reader() as session:
        lines = list(
            session.execute(select(Audit.actor, Audit.sentence).order_by(Audit.seq.desc()).limit(20))
        )
    ended = {actor for actor, sentence in lines if "password was changed elsewhere" in sentence}
    assert ended == {PLANNER, OPERATOR}
    hall.lead_to(home(server))
    hall.log_in(PLANNER, THIRD)
    hall.lead_to(free_port)
    assert not refused_login(hall, PLANNER, THIRD)
    office.lead_to(free_port)
    assert not refused_login(office, PLANNER, THIRD)  # where it was chosen, nothing ended


def test_what_was_signed_before_arrives_and_nothing_that_is_signed_later(
    server: ServerDatabase, office: Place, hall: Place, thief: Counter
) -> None:
    hall.log_in(PLANNER)
    stolen = secret_of(hall, PLANNER)
    hall.order(PLANNER)
    office.log_in(ADMIN)
    office.do(reset_password(user_id=office.account(PLANNER).id, password=NEW))
    office.sync()
    hall.order(PLANNER)  # the hall has not heard of it
    hall.sync()
    assert hall.verdicts() == [("done", "applied")] * 2
    with pytest.raises(Refused, match="Piotr Plan was changed elsewhere: log in again with the new one"):
        hall.order(PLANNER)
    assert forged(thief, hall, PLANNER, stolen) == "denied"
    hall.log_in(PLANNER, NEW)
    hall.order(PLANNER)
    hall.sync()
    assert hall.verdicts() == [("done", "applied")] * 3
    assert forged(thief, hall, PLANNER, stolen) == "denied"
    assert forged(thief, hall, PLANNER, secret_of(hall, PLANNER, NEW)) == "applied"


def test_who_logs_in_with_the_new_password_first_loses_nothing_either(
    server: ServerDatabase, office: Place, hall: Place, thief: Counter
) -> None:
    hall.log_in(PLANNER)
    stolen = secret_of(hall, PLANNER)
    hall.order(PLANNER)
    office.log_in(ADMIN)
    office.do(reset_password(user_id=office.account(PLANNER).id, password=NEW))
    office.sync()
    hall.log_in(PLANNER, NEW)  # what waits here was signed with the old secret
    hall.order(PLANNER)
    assert forged(thief, hall, PLANNER, stolen) == "applied"  # the server cannot know better yet
    hall.sync()
    assert hall.verdicts() == [("done", "applied")] * 2
    with server.connect() as owner:
        owner.execute("UPDATE sync.login_grant SET logged_in_at = logged_in_at - interval '2 minutes'")
        owner.execute("UPDATE sync.credential SET changed_at = changed_at - interval '2 minutes'")
    hall.sync()
    assert forged(thief, hall, PLANNER, stolen) == "denied"
    hall.order(PLANNER)
    hall.sync()
    assert hall.verdicts() == [("done", "applied")] * 3


def test_a_station_that_still_has_something_to_send_does_not_say_that_all_is_there(
    server: ServerDatabase, office: Place, hall: Place
) -> None:
    from app.sync.ended_logins import end_outdated_logins
    from app.sync.wire import ServerConnection

    hall.log_in(PLANNER)
    hall.order(PLANNER)
    office.log_in(ADMIN)
    office.do(reset_password(user_id=office.account(PLANNER).id, password=NEW))
    office.sync()
    with ServerConnection.open(hall.url) as wire:
        assert end_outdated_logins(hall.house.store, wire, hall.house.door.clock()) == 1
    assert hall.rows(Credential) == []
    hall.sync()
    assert hall.verdicts() == [("done", "applied")]


def test_an_old_secret_sets_no_password_and_gets_no_more_time(
    server: ServerDatabase, office: Place, hall: Place
) -> None:
    """Whoever knew the old password could take the account back with it, or an administrator's everybody's."""
    hall.log_in(ADMIN)
    office.log_in(ADMIN)
    office.do(add_user(name="Bo Boss", role=office.account(ADMIN).role, password=SECRET))
    office.do(change_own_password(old_password=SECRET, new_password=NEW))
    office.sync()
    hall.do(reset_password(user_id=hall.account(PLANNER).id, password=THIRD))
    hall.do(change_own_password(old_password=SECRET, new_password=THIRD))
    renew_login(hall.house.folder, hall.house.door, hall.house.signing, hall.people[ADMIN])
    hall.sync()
    assert not refused_login(office, ADMIN, NEW)
    assert not refused_login(office, PLANNER, SECRET)
    assert refused_login(hall, ADMIN, THIRD)


def test_who_chose_a_new_password_goes_on_where_that_was(server: ServerDatabase, hall: Place) -> None:
    hall.log_in(ADMIN)
    for old, new in ((SECRET, NEW), (NEW, THIRD)):
        hall.do(change_own_password(old_password=old, new_password=new))
        hall.sync()
        hall.do(reset_password(user_id=hall.account(PLANNER).id, password=new))
        hall.sync()
    hall.order(ADMIN)
    hall.sync()
    assert {verdict for _, verdict in hall.verdicts()} == {"applied"}
    assert not refused_login(hall, PLANNER, THIRD)
    renew_login(hall.house.folder, hall.house.door, hall.house.signing, hall.people[ADMIN])


def test_the_secret_changes_also_where_the_password_was_chosen_at_the_next_login(
    server: ServerDatabase, hall: Place, thief: Counter
) -> None:
    hall.log_in(PLANNER)
    stolen = secret_of(hall, PLANNER)
    hall.do(change_own_password(old_password=SECRET, new_password=NEW), PLANNER)
    hall.sync()
    hall.log_in(PLANNER, NEW)
    with server.connect() as owner:
        owner.execute("UPDATE sync.login_grant SET logged_in_at = logged_in_at - interval '2 minutes'")
        owner.execute("UPDATE sync.credential SET changed_at = changed_at - interval '3 minutes'")
    hall.sync()
    assert forged(thief, hall, PLANNER, stolen) == "denied"
    hall.order(PLANNER)
    hall.sync()
    assert hall.verdicts()[-1] == ("done", "applied")


def test_a_second_process_at_the_same_folder_hears_of_it_too(
    server: ServerDatabase, office: Place, hall: Place
) -> None:
    """A window is open with the old login while somebody logs in on the command line with the new password."""
    from app.sync.login import StationLogin
    from app.sync.membership import station_address
    from app.sync.signing import SigningBook

    hall.log_in(PLANNER)
    office.log_in(ADMIN)
    office.do(reset_password(user_id=office.account(PLANNER).id, password=NEW))
    office.sync()
    folder, door = hall.house.folder, hall.house.door
    other = StationLogin(folder, station_address(folder), door, SigningBook(folder), seconds=30)
    other.log_in(PLANNER, NEW)
    with pytest.raises(Refused, match="log in again with the new one"):
        hall.order(PLANNER)


def test_a_disabled_person_may_not_set_a_password_either(office: Place, hall: Place) -> None:
    hall.log_in(PLANNER)
    hall.do(change_own_password(old_password=SECRET, new_password=NEW), PLANNER)
    office.log_in(ADMIN)
    office.do(disable_user(user_id=office.account(PLANNER).id))
    office.sync()
    hall.sync()
    rows: list[Any] = hall.rows(LoginGrant)
    assert rows == []
