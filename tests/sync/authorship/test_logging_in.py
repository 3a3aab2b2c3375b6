"""Logging in on stations of a real server: with it, without it, and what each leaves for the other."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from app.domain.errors import Refused
from app.domain.people import Actor, Role
from app.operations.people import (
    add_user,
    change_own_password,
    disable_user,
    reset_password,
    set_role,
)
from app.operations.saved_views import save_view
from app.store.tables import Credential, LoginGrant, LoginGuard, Outbox, PasswordNote
from tests.sync.authorship.workshop import ADMIN, NEW, OPERATOR, PLANNER, SECRET, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sync.conftest import ServerDatabase


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Somebody takes calls there and never says a word."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        yield deaf.getsockname()[1]


def home_port(server: ServerDatabase) -> int:
    return server.postgres.port


def refusal(place: Place, name: str, password: str = SECRET) -> str:
    with pytest.raises(Refused) as told:
        place.log_in(name, password)
    return told.value.sentence


def test_the_first_login_needs_the_server_and_the_next_ones_do_not(hall: Place, free_port: int) -> None:
    home = hall.url
    hall.lead_to(free_port)
    assert "never logged in on this station while the server could be reached" in refusal(hall, PLANNER)
    hall.lead_to(int(home.rpartition(":")[2].partition("/")[0]))
    hall.log_in(PLANNER)
    hall.log_out(PLANNER)
    hall.lead_to(free_port)
    with pytest.raises(Refused, match="name or the password is wrong"):
        hall.log_in(PLANNER, "not this sentence at all")
    hall.log_in(PLANNER)
    hall.order(PLANNER)
    hall.sync()
    assert hall.verdicts() == [("done", "applied")]


def test_a_server_that_says_nothing_is_not_waited_for(hall: Place, silent_port: int) -> None:
    hall.log_in(PLANNER)
    hall.lead_to(silent_port)
    assert hall.house.log_in(PLANNER, SECRET).actor.name == PLANNER


def test_without_the_server_a_login_counts_for_two_weeks_by_whatever_clock(
    hall: Place, free_port: int
) -> None:
    wrong = hall.house.door.clock() + timedelta(days=365)
    hall.house.door.clock = lambda: wrong  # this computer thinks that it is next year
    hall.log_in(PLANNER)
    hall.lead_to(free_port)
    hall.house.door.clock = lambda: wrong + timedelta(days=13, hours=23)
    hall.log_in(PLANNER)
    hall.house.door.clock = lambda: wrong + timedelta(days=14, hours=1)
    assert "Piotr Plan has to log in once while it can: the last login with it counted until" in refusal(
        hall, PLANNER
    )


def test_a_password_that_was_changed_elsewhere_counts_at_once(
    office: Place, hall: Place, free_port: int
) -> None:
    hall.log_in(PLANNER)
    office.log_in(PLANNER)
    office.do(change_own_password(old_password=SECRET, new_password=NEW), PLANNER)
    office.sync()
    assert "name or the password is wrong" in refusal(hall, PLANNER, SECRET)
    assert hall.rows(Credential) == []
    assert hall.rows(LoginGrant) == []
    hall.log_in(PLANNER, NEW)
    hall.lead_to(free_port)
    hall.log_in(PLANNER, NEW)


def test_a_password_that_was_changed_without_the_server_travels_later(
    server: ServerDatabase, office: Place, hall: Place, free_port: int
) -> None:
    hall.log_in(PLANNER)
    hall.lead_to(free_port)
    hall.do(change_own_password(old_password=SECRET, new_password=NEW), PLANNER)
    hall.log_in(PLANNER, NEW)
    hall.lead_to(home_port(server))
    hall.log_in(PLANNER, NEW)  # the server answers, but has not heard of it yet
    hall.order(PLANNER)
    office.log_in(PLANNER, SECRET)
    hall.sync()
    assert "wrong" in refusal(office, PLANNER, SECRET)
    office.log_in(PLANNER, NEW)


def test_who_was_disabled_elsewhere_is_let_in_nowhere(office: Place, hall: Place, free_port: int) -> None:
    hall.log_in(PLANNER)
    office.log_in(ADMIN)
    office.do(disable_user(user_id=office.account(PLANNER).id))
    office.sync()
    assert not hall.account(PLANNER).disabled
    assert refusal(hall, PLANNER) == "This account is disabled; ask an administrator."
    hall.lead_to(free_port)
    assert "never logged in on this station" in refusal(hall, PLANNER)


def test_what_a_disabled_person_did_afterwards_is_kept_apart(office: Place, hall: Place) -> None:
    hall.log_in(PLANNER)
    office.log_in(ADMIN)
    office.do(disable_user(user_id=office.account(PLANNER).id))
    office.sync()
    hall.order(PLANNER)
    hall.sync()
    assert hall.verdicts() == [("parked", "denied")]


def test_wrong_passwords_lock_the_name_on_every_station(
    server: ServerDatabase, office: Place, hall: Place
) -> None:
    for _ in range(4):
        assert refusal(hall, PLANNER, "a wrong sentence").endswith("password is wrong.")
    assert "Too many wrong passwords: wait 30 seconds" in refusal(hall, PLANNER, "a wrong sentence")
    assert "Too many wrong passwords: wait" in refusal(office, PLANNER, SECRET)
    (guard,) = office.rows(LoginGuard)
    assert guard.locked_until > office.house.door.clock()
    office.log_in(OPERATOR)
    office.log_in(ADMIN)
    office.do(reset_password(user_id=office.account(PLANNER).id, password=NEW))
    office.sync()
    assert office.log_in(PLANNER, NEW).must_change_password


def test_wrong_passwords_at_another_station_shut_nobody_out_where_they_work(
    office: Place, hall: Place
) -> None:
    """A stolen station could lock every name as often as it likes."""
    office.log_in(ADMIN)
    office.log_out(ADMIN)
    for _ in range(5):
        refusal(hall, ADMIN, "a wrong sentence")
    office.log_in(ADMIN)
    office.order(ADMIN)
    office.sync()
    assert office.verdicts()[-1] == ("done", "applied")
    assert "Too many wrong passwords: wait" in refusal(office, ADMIN, "a wrong sentence")
    assert "Too many wrong passwords: wait" in refusal(hall, ADMIN, SECRET)


def test_a_new_colleague_logs_in_on_another_station_as_soon_as_the_account_arrived(
    office: Place, hall: Place
) -> None:
    office.log_in(ADMIN)
    office.do(add_user(name="Nia New", role=Role.OPERATOR, password=SECRET, must_change_password=False))
    assert "wrong" in refusal(hall, "Nia New")
    office.sync()
    hall.sync()
    assert hall.log_in("nia  new").actor.name == "Nia New"


def test_each_person_signs_with_their_own_secret_and_what_they_did_travels_without_them(
    server: ServerDatabase, hall: Place
) -> None:
    hall.log_in(PLANNER)
    hall.log_in(ADMIN)
    hall.order(PLANNER)
    hall.order(ADMIN)
    hand = hall.account(OPERATOR)
    hall.people[OPERATOR] = Actor(hand.id, hand.name, hand.role)
    with pytest.raises(Refused, match="Olu Hand cannot sign on this station yet"):
        hall.do(save_view(place="orders", name="Mine", content={}), OPERATOR)
    hall.log_out(PLANNER)
    hall.log_out(ADMIN)
    with server.connect() as connection:
        secrets = dict(connection.execute("SELECT user_id, secret FROM sync.login_grant").fetchall())
        assert len(set(secrets.values())) == 2
        hall.sync()
        told = connection.execute(
            "SELECT body::jsonb->>'actor' FROM sync.log ORDER BY seq DESC LIMIT 2"
        ).fetchall()
    assert [actor for (actor,) in told] == [ADMIN, PLANNER]


def test_an_entry_with_a_forged_signature_is_kept_apart(hall: Place) -> None:
    hall.log_in(PLANNER)
    other = b"a secret that the server never gave"
    hall.house.signing.unlock(hall.account(PLANNER).id, other)
    hall.order(PLANNER)
    hall.sync()
    assert hall.verdicts() == [("parked", "denied")]


def test_an_older_password_that_arrives_later_does_not_undo_a_newer_one(
    server: ServerDatabase, office: Place, hall: Place, free_port: int
) -> None:
    hall.log_in(PLANNER)
    hall.lead_to(free_port)
    hall.do(change_own_password(old_password=SECRET, new_password=NEW), PLANNER)
    office.log_in(PLANNER)
    third = "a third quiet sentence"
    office.do(change_own_password(old_password=SECRET, new_password=third), PLANNER)
    office.sync()
    hall.lead_to(home_port(server))
    hall.sync()
    assert hall.rows(PasswordNote) == []
    assert "wrong" in refusal(hall, PLANNER, NEW)
    hall.log_in(PLANNER, third)


def test_an_entry_without_a_signature_is_kept_apart(hall: Place) -> None:
    hall.log_in(PLANNER)
    hall.order(PLANNER)
    hall.house.store.submit(lambda session: session.execute(update(Outbox).values(mac=""))).result()
    hall.sync()
    assert hall.verdicts() == [("parked", "denied")]


def test_the_role_counts_that_the_person_has_on_the_server(office: Place, hall: Place) -> None:
    hall.log_in(PLANNER)
    office.log_in(ADMIN)
    office.do(set_role(user_id=office.account(PLANNER).id, role=Role.OPERATOR))
    office.sync()
    hall.order(PLANNER)  # this station has not heard of it
    hall.sync()
    assert hall.verdicts() == [("parked", "denied")]
    assert hall.account(PLANNER).role is Role.OPERATOR


def test_a_reset_by_somebody_who_may_no_more_is_not_taken_and_the_old_password_counts(
    office: Place, hall: Place
) -> None:
    hall.log_in(ADMIN)
    hall.do(add_user(name="Bo Boss", role=Role.ADMIN, password=SECRET, must_change_password=False))
    hall.sync()
    office.sync()
    hall.log_in("Bo Boss")
    office.log_in(ADMIN)
    office.do(set_role(user_id=office.account("Bo Boss").id, role=Role.OPERATOR))
    office.sync()
    hall.do(reset_password(user_id=hall.account(OPERATOR).id, password=NEW), "Bo Boss")
    hall.sync()
    assert hall.verdicts()[-1] == ("parked", "denied")
    assert "wrong" in refusal(hall, OPERATOR, NEW)
    assert hall.log_in(OPERATOR).actor.name == OPERATOR
