"""In whose name the server takes an entry, logins and passwords, and what a station brings from before it joined."""

from __future__ import annotations

import hashlib
import json
from uuid import uuid4

import pytest

from app.domain.errors import Refused
from app.domain.people import Actor, Role
from app.sync.wire import ServerConnection
from tests.sync.counter import Counter, changed, created, entry, signed
from tests.sync.server.conftest import Office, machine

SALT = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA"


def note(actor: Actor, key: bytes, **more: object) -> str:
    facts = {
        "user": str(actor.user_id), "terms": SALT, "key_hash": hashlib.sha256(key).hexdigest(), "at": "now",
        "actor_id": str(actor.user_id), "nonce": str(uuid4()),
    }  # fmt: skip
    return json.dumps(facts | more)


def test_only_a_signature_of_that_person_on_that_station_counts(
    office: Office, counter: Counter, manager: Actor
) -> None:
    other = office.counter("08")
    body = entry(manager, created("equipment", uuid4(), code="E1", name="x"))
    for mac in ("00", other.mac(body, manager.user_id), signed(counter.key, body)):
        body = entry(manager, created("equipment", uuid4(), code="E1", name="x"))
        assert counter.push(body, None, mac)["verdict"] == "denied"
    machine(counter, manager)


def test_roles_are_judged_at_the_moment_of_the_push(office: Office, counter: Counter, manager: Actor) -> None:
    operator = office.person(Role.OPERATOR)
    new = created("equipment", uuid4(), code="E1", name="x")
    refused = counter.push_rows(operator, new)
    assert (refused["verdict"], refused["reason"]["sentence"]) == (
        "denied", "The role operator may not make a new equipment.",
    )  # fmt: skip
    office.owner.execute(
        "UPDATE lineside.user_account SET role = 'operator' WHERE id = %s", (manager.user_id,)
    )
    assert counter.push_rows(manager, new)["verdict"] == "denied"
    office.owner.execute("UPDATE lineside.user_account SET role = 'manager', disabled = true")
    answer = counter.push_rows(manager, new)
    assert (answer["verdict"], "disabled" in answer["reason"]["sentence"]) == ("denied", True)
    assert counter.record(answer["seq"])["actor"] == manager.name


def test_a_login_counts_a_month_longer_and_then_no_more(
    office: Office, counter: Counter, manager: Actor
) -> None:
    machine(counter, manager)
    office.owner.execute("UPDATE sync.login_grant SET until = now() - interval '29 days'")
    machine(counter, manager, "E2")
    office.owner.execute("UPDATE sync.login_grant SET until = now() - interval '31 days'")
    answer = counter.push_rows(manager, created("equipment", uuid4(), code="E3", name="x"))
    assert (answer["verdict"], "expired" in answer["reason"]["sentence"]) == ("denied", True)


def test_a_login_that_a_restored_server_forgot_still_signs(
    office: Office, counter: Counter, manager: Actor
) -> None:
    counter.secret(manager.user_id or uuid4())
    office.owner.execute("DELETE FROM sync.login_grant")
    machine(counter, manager)


def test_columns_that_say_who_name_nobody_else(office: Office, counter: Counter, manager: Actor) -> None:
    def remark(author: str) -> dict[str, object]:
        at = "2026-04-15T12:00:00Z"
        return created("note", uuid4(), at=at, text="x", written_at=at, author=author)

    assert counter.push_rows(manager, remark(manager.name))["verdict"] == "applied"
    assert counter.push_rows(manager, remark("somebody else"))["verdict"] == "denied"


def test_a_station_brings_what_others_did_until_it_says_that_this_is_all(
    office: Office, manager: Actor
) -> None:
    bringing = office.counter("09", bring_data=True)
    old = Actor(uuid4(), "anna", Role.ADMIN)
    account = created(
        "user_account",
        old.user_id or uuid4(),
        name="anna",
        name_key="anna",
        role="admin",
        created_at="2020-01-01T00:00:00Z",
    )
    first = json.loads(entry(old, account)) | {"f": 1}
    del first["schema"], first["label"], first["actor_id"]
    body = json.dumps(first)
    taken = bringing.push(body, None)
    assert (taken["verdict"], bringing.record(taken["seq"])["actor"]) == ("applied", "anna")
    with ServerConnection.open(office.server.station_url("09")) as wire:
        assert wire.hello().may_bring
        secret_note = note(old, b"k")
        wire.set_password(secret_note, signed(bringing.key, secret_note))
        wire.end_bringing()
        assert not wire.hello().may_bring
        assert wire.login("anna", b"k")["name"] == "anna"
    late = entry(old, created("equipment", uuid4(), code="E1", name="x"))
    assert bringing.push(late, None)["verdict"] == "denied"


def test_a_login_gives_the_same_secret_again_and_wrong_tries_lock(
    office: Office, counter: Counter, manager: Actor, wire: ServerConnection
) -> None:
    assert wire.login_terms(manager.name) == wire.login_terms(manager.name) != wire.login_terms("nobody")
    body = note(manager, b"raw key")
    for _ in range(2):
        wire.set_password(body, counter.mac(body, manager.user_id))
    assert wire.login_terms(manager.name) == SALT
    assert wire.login_terms("nobody").rpartition("$")[0] == SALT.rpartition("$")[0]
    granted = wire.login(manager.name.upper(), b"raw key")
    assert granted["secret"] == wire.login(manager.name, b"raw key")["secret"]
    assert bytes.fromhex(granted["secret"]) != counter.secret(
        manager.user_id or uuid4()
    )  # of no password yet
    assert [wire.login(manager.name, b"x")["refused"] for _ in range(6)] == ["SY020"] * 5 + ["SY021"]
    assert 0 < wire.login(manager.name, b"raw key")["seconds"] <= 30
    assert wire.login("nobody", b"x") == {"refused": "SY020"}
    office.owner.execute("UPDATE sync.credential SET locked_until = NULL")
    office.owner.execute("UPDATE lineside.user_account SET disabled = true")
    assert wire.login(manager.name, b"raw key") == {"refused": "SY022"}


def test_nobody_sets_the_password_of_another_but_an_administrator(
    office: Office, counter: Counter, manager: Actor, wire: ServerConnection
) -> None:
    operator, admin = office.person(Role.OPERATOR), office.person(Role.ADMIN)
    for author, accepted in ((operator, False), (admin, True)):
        body = note(manager, b"k", actor_id=str(author.user_id))
        mac = counter.mac(body, author.user_id)
        if accepted:
            wire.set_password(body, mac)
            continue
        with pytest.raises(Refused, match="only their own password"):
            wire.set_password(body, mac)


def test_others_see_who_looks_at_what(office: Office, counter: Counter, wire: ServerConnection) -> None:
    office.counter("08")
    row_id = uuid4()
    wire.look_at("work_order", row_id, "Ann")
    wire.look_at("work_order", row_id, "Ann")
    assert wire.lookers() == []
    with ServerConnection.open(office.server.station_url("08")) as other:
        (looker,) = other.lookers()
        assert (looker.station, looker.actor, looker.entity, looker.id) == ("07", "Ann", "work_order", row_id)
        wire.look_at("work_order", row_id, "Ann", True)
        assert [one.editing for one in other.lookers()] == [True]
        wire.look_at(None, None, "Ann")
        assert other.lookers() == []


def test_what_others_change_is_heard_of(counter: Counter, manager: Actor, wire: ServerConnection) -> None:
    wire.listen()
    assert not wire.wait_for_news(0)
    machine(counter, manager)
    assert wire.wait_for_news(30)


def test_changing_a_row_that_is_not_there_is_a_conflict(counter: Counter, manager: Actor) -> None:
    answer = counter.push_rows(manager, changed("equipment", uuid4(), 2, name=("a", "b")))
    assert answer["reason"]["sentence"] == "The server does not have what this changes."
