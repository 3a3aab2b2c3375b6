"""What a station does by itself: numbers of its own, signatures, new passwords on their way, old seals opened anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.domain.people import THE_PLANT, Role
from app.operations.login import log_in
from app.operations.people import add_user, change_own_password, create_first_admin, reset_password
from app.store.sealing import password_key, seal, unseal
from app.store.sharing import joined_server, joined_station
from app.store.tables import Credential, LoginGrant, Outbox, PasswordNote
from app.sync.bringing import become_station, sign_earlier, unsign
from app.sync.signing import mac_of
from tests.operations.shop import Shop, open_shop

SECRET, NEW = "a good long sentence", "another good sentence"
GRANT = b"what the server gave to ada"
KEY = bytes(range(32))


@pytest.fixture
def shop(data_dir: Path) -> Iterator[Shop]:
    with open_shop(data_dir) as opened:
        yield opened


def become(shop: Shop) -> None:
    server = shop.house.door.new_id()
    shop.house.store.submit(lambda session: become_station(session, "07", server)).result()


def rows(shop: Shop, table: type[Any]) -> list[Any]:
    with shop.house.store.reader() as session:
        return list(session.execute(select(table)).scalars())


def unlock(shop: Shop, role: Role, secret: bytes = GRANT) -> None:
    user_id = shop.people[role].user_id
    assert user_id is not None
    shop.house.signing.unlock(user_id, secret)


def test_a_station_opens_its_numbers_with_its_name_and_signs_with_the_secret_of_the_author(
    shop: Shop,
) -> None:
    alone = shop.order()
    become(shop)
    with pytest.raises(Refused, match="planner cannot sign on this station yet"):
        make_order(shop, Role.PLANNER)
    unlock(shop, Role.PLANNER)
    shared = make_order(shop, Role.PLANNER)
    assert shop.read(alone).number == "A-WO-000001"
    assert shop.read(shared).number == "07-WO-000001"
    before, after = sorted(rows(shop, Outbox), key=lambda entry: entry.position)
    assert before.mac == ""
    assert after.mac == mac_of(GRANT, after.body)


def make_order(shop: Shop, role: Role) -> Any:
    from app.operations.orders import create_work_order

    return shop.do(create_work_order(product="FRAME-M", quantity=60), role).result


def test_a_change_that_cannot_be_signed_leaves_nothing_but_its_audit_line(shop: Shop) -> None:
    become(shop)
    with pytest.raises(Refused, match="log in again while the server can be reached"):
        make_order(shop, Role.PLANNER)
    assert rows(shop, Outbox) == []


def test_a_new_password_queues_a_signed_note_that_holds_no_key(shop: Shop) -> None:
    become(shop)
    unlock(shop, Role.ADMIN)
    user_id = shop.do(add_user(name="Ada", role=Role.PLANNER, password=SECRET)).result
    (note,) = rows(shop, PasswordNote)
    facts = json.loads(note.body)
    key = password_key(facts["terms"], SECRET)
    assert note.mac == mac_of(GRANT, note.body)
    assert facts["key_hash"] == hashlib.sha256(key).hexdigest()
    assert (facts["user"], facts["actor_id"]) == (str(user_id), str(shop.people[Role.ADMIN].user_id))
    assert set(facts) == {"user", "terms", "key_hash", "at", "actor_id", "nonce"}
    shop.do(reset_password(user_id=user_id, password=NEW))
    assert [n.position for n in rows(shop, PasswordNote)] == [1, 2]


def test_a_station_that_shares_nothing_queues_no_passwords(shop: Shop) -> None:
    shop.do(add_user(name="Ada", role=Role.PLANNER, password=SECRET))
    assert rows(shop, PasswordNote) == []
    assert [entry.mac for entry in rows(shop, Outbox)] == [""]


def test_who_changes_their_password_goes_on_signing_with_the_new_one(shop: Shop) -> None:
    user_id = shop.do(
        add_user(name="Ada", role=Role.PLANNER, password=SECRET, must_change_password=False)
    ).result
    ada = log_in(shop.house.door, "ada", SECRET).actor
    become(shop)
    shop.house.signing.unlock(user_id, GRANT)
    salt, sealed = seal(GRANT, SECRET, user_id)
    until = shop.now + timedelta(days=14)
    shop.house.store.submit(
        lambda session: session.add(LoginGrant(user_id=user_id, salt=salt, sealed=sealed, until=until))
    ).result()
    shop.house.door.perform(change_own_password(old_password=SECRET, new_password=NEW), ada)
    (grant,) = rows(shop, LoginGrant)
    assert unseal(grant.salt, grant.sealed, NEW, user_id) == GRANT
    assert unseal(grant.salt, grant.sealed, SECRET, user_id) is None
    unlock(shop, Role.ADMIN, b"of the administrator")
    shop.do(reset_password(user_id=user_id, password=SECRET))
    assert rows(shop, LoginGrant) == []


def test_all_that_was_there_before_is_signed_with_the_key_of_the_station_and_can_be_taken_back(
    shop: Shop,
) -> None:
    for _ in range(3):
        shop.order()
    shop.do(add_user(name="Ada", role=Role.PLANNER, password=SECRET))
    server = shop.house.door.new_id()
    assert sign_earlier(shop.house.door, "07", server, KEY) == 4
    assert all(entry.mac == mac_of(KEY, entry.body) for entry in rows(shop, Outbox))
    (note,) = rows(shop, PasswordNote)
    assert (note.mac, json.loads(note.body)["actor_id"]) == (mac_of(KEY, note.body), None)
    with shop.house.store.reader() as session:
        assert (joined_station(session), joined_server(session)) == ("07", server)
    shop.house.store.submit(unsign).result()
    assert rows(shop, PasswordNote) == []
    assert {entry.mac for entry in rows(shop, Outbox)} == {""}
    assert shop.read(shop.order()).number == "A-WO-000004"
    assert len(rows(shop, Credential)) == 1


def test_a_first_administrator_is_not_made_on_a_station(shop: Shop) -> None:
    become(shop)
    with pytest.raises(Refused, match="already has users"):
        shop.house.door.perform(create_first_admin(name="Ada", password=SECRET), THE_PLANT)
