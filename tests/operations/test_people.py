"""Accounts, passwords, roles and the lock-out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.domain.errors import Denied, Refused
from app.domain.people import (
    FREE_TRIES,
    PERMISSIONS,
    THE_PLANT,
    Actor,
    Permission,
    Role,
    check_password,
    denial,
    lock_after,
)
from app.operations.login import log_in
from app.operations.people import (
    add_user,
    change_own_password,
    create_first_admin,
    disable_user,
    enable_user,
    reset_password,
    set_role,
)
from app.plant import House, opened_house, utc_now
from app.store.tables import Audit, Credential, LoginGuard, Outbox

PASSWORD = "a quiet winter morning"


def test_the_first_account_is_an_administrator_and_only_the_first(house: House, admin: Actor) -> None:
    assert admin.role is Role.ADMIN
    with pytest.raises(Denied, match="already has users"):
        house.door.perform(create_first_admin(name="Eve", password=PASSWORD), THE_PLANT)


def test_a_login_gives_the_actor_with_the_role_of_the_account(house: House, admin: Actor) -> None:
    assert log_in(house.door, "  ADA ", PASSWORD).actor == admin


def test_passwords_are_kept_as_argon2id(house: House, admin: Actor) -> None:
    with house.store.reader() as session:
        assert session.execute(select(Credential.password_hash)).scalar_one().startswith("$argon2id$")


def test_no_password_hash_reaches_the_outbox_or_the_audit_trail(house: House, admin: Actor) -> None:
    with house.store.reader() as session:
        for body in session.execute(select(Outbox.body)).scalars():
            assert "argon2" not in body
        for body in session.execute(select(Audit.body)).scalars():
            assert "argon2" not in body


def test_five_wrong_passwords_lock_the_name_also_after_a_restart(data_dir: Path) -> None:
    clock = [utc_now()]

    def at() -> datetime:
        return clock[0]

    with opened_house(data_dir) as first:
        first.door.clock = at
        first.door.perform(create_first_admin(name="Ada", password=PASSWORD), THE_PLANT)
        for _ in range(FREE_TRIES):
            with pytest.raises(Refused):
                log_in(first.door, "ada", "wrong")
    with opened_house(data_dir) as second:
        second.door.clock = at
        with pytest.raises(Refused, match="wait 30 seconds"):
            log_in(second.door, "Ada", PASSWORD)
        clock[0] += timedelta(seconds=31)
        assert log_in(second.door, "Ada", PASSWORD).actor.name == "Ada"
        with pytest.raises(Refused, match=r"wrong\.$"):
            log_in(second.door, "Ada", "wrong again")


def test_an_unknown_name_is_answered_like_a_wrong_password_and_locked_too(house: House, admin: Actor) -> None:
    for _ in range(FREE_TRIES):
        with pytest.raises(Refused, match="user name or the password is wrong"):
            log_in(house.door, "nobody", "guess")
    with pytest.raises(Refused, match="Too many"):
        log_in(house.door, "nobody", "guess")


def test_every_login_and_every_wrong_try_is_audited(house: House, admin: Actor) -> None:
    with pytest.raises(Refused):
        log_in(house.door, "Ada", "wrong")
    log_in(house.door, "Ada", PASSWORD)
    with house.store.reader() as session:
        found = session.execute(select(Audit.actor, Audit.outcome).where(Audit.operation == "log_in")).all()
    assert [tuple(row) for row in found] == [("Ada", "refused"), ("Ada", "done")]


def test_tries_at_locked_disabled_and_unknown_names_are_audited_without_what_was_typed(
    house: House, admin: Actor, person: Callable[[Role], Actor]
) -> None:
    operator = person(Role.OPERATOR)
    assert operator.user_id is not None
    house.door.perform(disable_user(user_id=operator.user_id), admin)
    for name, password in ((operator.name, PASSWORD), ("my secret by mistake", "x")):
        with pytest.raises(Refused):
            log_in(house.door, name, password)
    with house.store.reader() as session:
        found = session.execute(select(Audit.actor, Audit.sentence).where(Audit.outcome == "refused")).all()
    assert [row.actor for row in found] == [operator.name, "unknown name"]
    assert "disabled" in found[0].sentence


def test_a_new_password_leaves_a_line_in_the_audit_trail(house: House, admin: Actor) -> None:
    house.door.perform(change_own_password(old_password=PASSWORD, new_password="third time lucky"), admin)
    with house.store.reader() as session:
        line = session.execute(select(Audit).order_by(Audit.seq.desc()).limit(1)).scalar_one()
    assert (line.operation, line.actor, line.outcome) == ("change_own_password", "Ada", "done")


def test_a_reset_lifts_the_lock_and_asks_for_a_new_password(
    house: House, admin: Actor, person: Callable[[Role], Actor]
) -> None:
    operator = person(Role.OPERATOR)
    assert operator.user_id is not None
    for _ in range(FREE_TRIES):
        with pytest.raises(Refused):
            log_in(house.door, operator.name, "wrong")
    house.door.perform(reset_password(user_id=operator.user_id, password="another calm evening"), admin)
    login = log_in(house.door, operator.name, "another calm evening")
    assert login.must_change_password
    with pytest.raises(Refused, match="old password is wrong"):
        house.door.perform(
            change_own_password(old_password="?", new_password="third time lucky"), login.actor
        )
    house.door.perform(
        change_own_password(old_password="another calm evening", new_password="third time lucky"), login.actor
    )
    assert not log_in(house.door, operator.name, "third time lucky").must_change_password


def test_wrong_old_passwords_are_counted_like_failed_logins(house: House, admin: Actor) -> None:
    for _ in range(FREE_TRIES):
        with pytest.raises(Refused, match="old password is wrong"):
            house.door.perform(change_own_password(old_password="?", new_password="third time lucky"), admin)
    right = change_own_password(old_password=PASSWORD, new_password="third time lucky")
    with pytest.raises(Refused, match="Too many wrong passwords: wait 30 seconds"):
        house.door.perform(right, admin)
    with pytest.raises(Refused, match="Too many wrong passwords"):
        log_in(house.door, admin.name, PASSWORD)
    later = house.door.clock() + timedelta(seconds=31)
    house.door.clock = lambda: later
    house.door.perform(right, admin)
    with house.store.reader() as session:
        assert [guard.failed_tries for guard in session.execute(select(LoginGuard)).scalars()] == [0]


def test_a_disabled_account_cannot_log_in_until_it_is_enabled(
    house: House, admin: Actor, person: Callable[[Role], Actor]
) -> None:
    operator = person(Role.OPERATOR)
    assert operator.user_id is not None
    house.door.perform(disable_user(user_id=operator.user_id), admin)
    with pytest.raises(Refused, match="disabled"):
        log_in(house.door, operator.name, PASSWORD)
    house.door.perform(enable_user(user_id=operator.user_id), admin)
    log_in(house.door, operator.name, PASSWORD)


def test_the_last_administrator_can_neither_be_disabled_nor_demoted(house: House, admin: Actor) -> None:
    assert admin.user_id is not None
    with pytest.raises(Refused, match="only administrator"):
        house.door.perform(disable_user(user_id=admin.user_id), admin)
    with pytest.raises(Refused, match="only administrator"):
        house.door.perform(set_role(user_id=admin.user_id, role=Role.OPERATOR), admin)


def test_two_accounts_never_share_a_name(house: House, admin: Actor) -> None:
    with pytest.raises(Refused) as refusal:
        house.door.perform(add_user(name="aDA", role=Role.OPERATOR, password=PASSWORD), admin)
    assert refusal.value.field == "name"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_administrators_manage_users(house: House, person: Callable[[Role], Actor], role: Role) -> None:
    with pytest.raises(Denied, match="may not manage users"):
        house.door.perform(add_user(name="Mallory", role=Role.ADMIN, password=PASSWORD), person(role))


@pytest.mark.parametrize(
    "password", ["short", "aaaaaaaaaaaaaa", "ada-ada-ada-ada", "password123", "x" * 300, "1234567890"]
)
def test_weak_passwords_are_refused_with_a_reason(password: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_password(password, "Ada")
    assert refusal.value.field == "password"


def test_the_administrator_may_everything_and_every_denial_names_who_may() -> None:
    for permission in Permission:
        assert Role.ADMIN in PERMISSIONS[permission]
        for role in Role:
            reason = denial(role, permission)
            assert (reason is None) == (role in PERMISSIONS[permission])
            assert reason is None or "admin" in reason


@given(st.integers(min_value=0, max_value=10_000))
def test_a_lock_grows_with_every_try_up_to_an_hour(tries: int) -> None:
    now = utc_now()
    until, later = lock_after(tries, now), lock_after(tries + 1, now)
    if until is None:
        assert tries < FREE_TRIES
        return
    assert later is not None
    assert now < until <= later <= now + timedelta(hours=1)
