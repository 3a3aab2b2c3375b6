"""Entries in somebody else's name, changed on their way, offered twice, or about what is not the station's business."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.domain.people import THE_PLANT, Role
from tests.sync.attack.fort import NOW, Fort, new_order, new_quantity
from tests.sync.counter import changed, created, entry, signed


def log_length(fort: Fort) -> int:
    with fort.own() as owner:
        found = owner.execute("SELECT count(*) FROM sync.log").fetchone()
    assert found is not None
    return int(found[0])


def test_nobody_is_named_as_the_author_without_having_logged_in_on_the_station(fort: Fort) -> None:
    admin, operator = fort.people[Role.ADMIN], fort.people[Role.OPERATOR]
    with fort.counter("X7") as here, fort.counter("X8") as there:
        body = entry(admin, new_order(uuid4()))
        assert admin.user_id is not None
        assert operator.user_id is not None
        macs = {
            "guessed": signed(b"guess", body),
            "of the station": signed(here.key, body),
            "of an operator": signed(here.secret(operator.user_id), body),
            "of another station": signed(there.secret(admin.user_id), body),
            "none": "",
            "no hex": "ü" * 64,
            "of an empty secret": signed(b"", body),
            "plain hash": hashlib.sha256(body.encode()).hexdigest(),
        }
        for why, mac in macs.items():
            facts = json.dumps(json.loads(body) | {"change": str(uuid4())})
            answer = here.push(facts if why in ("none", "no hex") else body, None, mac)
            assert answer["verdict"] == "denied", why
            here.open()
        answer = here.push(json.dumps({**json.loads(body), "actor_id": None, "change": str(uuid4())}), None)
        assert answer["verdict"] == "denied"


def test_a_signature_holds_for_the_very_text_that_was_signed(fort: Fort) -> None:
    planner = fort.people[Role.PLANNER]
    with fort.counter("X7") as counter:
        body = entry(planner, new_order(uuid4()))
        mac = counter.mac(body, planner.user_id)
        for tampered in (
            body.replace('"quantity": [null, 5]', '"quantity": [null, 6]'),
            body.replace(planner.name, "admin"),
            body + " ",
            json.dumps(json.loads(body)),
        ):
            if tampered != body:
                answer = counter.push(tampered, None, mac)
                assert answer["verdict"] in ("denied", "rejected")  # rejected: its id was offered before


def test_an_entry_counts_once_under_whatever_number_it_is_offered_again(fort: Fort) -> None:
    supervisor = fort.people[Role.SUPERVISOR]
    with fort.counter("X7") as counter, fort.counter("X8") as other:
        body = entry(supervisor, new_order(order_id := uuid4()))
        mac = counter.mac(body, supervisor.user_id)
        first = counter.push(body, None, mac)
        length = log_length(fort)
        again = counter.push(body, None, mac)
        assert (again["verdict"], again["seq"], again["replay"]) == ("applied", first["seq"], True)
        elsewhere = other.push(body, None, mac)
        assert elsewhere["seq"] == first["seq"]
        assert log_length(fort) == length
        assert counter.row("work_order", order_id)["version"] == 1
        renamed = json.dumps(json.loads(body) | {"change": str(uuid4())})
        assert counter.push(renamed, None, mac)["verdict"] == "denied"


def test_history_is_not_written_anew(fort: Fort) -> None:
    planner = fort.people[Role.PLANNER]
    with fort.counter("X7") as counter:
        body = entry(planner, new_order(uuid4()))
        counter.push(body, planner.user_id)
        other = entry(planner, new_order(uuid4()))
        push = "SELECT sync.push(%s, %s, %s, %s)"
        mac = counter.mac(other, planner.user_id)
        for n, state in ((1, "SY002"), (3, "SY003"), (0, "SY003"), (-1, "SY003"), (2**62, "SY003")):
            with pytest.raises(psycopg.Error) as raised:
                counter.connection.execute(push, (counter.source, n, other, mac))
            assert raised.value.sqlstate == state, n
        with pytest.raises(psycopg.Error) as raised:
            counter.connection.execute(push, (uuid4(), 1, other, mac))
        assert raised.value.sqlstate == "SY001"
    with fort.own() as owner:
        assert owner.execute("SELECT sync.verify()").fetchone() == (None,)


def test_the_source_of_another_station_is_out_of_reach(fort: Fort) -> None:
    planner = fort.people[Role.PLANNER]
    with fort.counter("X7") as mine, fort.counter("X8") as theirs:
        body = entry(planner, new_order(uuid4()))
        with pytest.raises(psycopg.Error) as raised:
            mine.connection.execute("SELECT sync.open_source(%s, 1)", (theirs.source,))
        assert raised.value.sqlstate == "42501"
        with pytest.raises(psycopg.Error) as raised:
            replace(mine, source=theirs.source).connection.execute(
                "SELECT sync.push(%s, 1, %s, %s)", (theirs.source, body, mine.mac(body, planner.user_id))
            )
        assert raised.value.sqlstate == "SY001"


def test_a_person_who_was_disabled_is_heard_no_more(fort: Fort) -> None:
    admin, inspector = fort.people[Role.ADMIN], fort.people[Role.INSPECTOR]
    note = created("note", uuid4(), at=NOW, text="x", written_at=NOW, author=inspector.name)
    assert inspector.user_id is not None
    with fort.counter("X7") as counter:
        version = counter.row("user_account", inspector.user_id)["version"]
        assert counter.push_rows(inspector, note)["verdict"] == "applied"
        shut = changed("user_account", inspector.user_id, version + 1, disabled=(False, True))
        assert counter.push_rows(admin, shut)["verdict"] == "applied"
        again = counter.push_rows(inspector, note | {"id": str(uuid4())})
        assert again["verdict"] == "denied"
        assert "disabled" in again["reason"]["sentence"]
        opened = changed("user_account", inspector.user_id, version + 2, disabled=(True, False))
        assert counter.push_rows(inspector, opened)["verdict"] == "denied"
        assert counter.push_rows(admin, opened)["verdict"] == "applied"


def test_a_role_is_what_the_server_says_and_not_what_the_entry_says(fort: Fort) -> None:
    operator, admin = fort.people[Role.OPERATOR], fort.people[Role.ADMIN]
    assert operator.user_id is not None
    with fort.counter("X7") as counter:
        version = counter.row("user_account", operator.user_id)["version"]
        tries: list[tuple[dict[str, Any], dict[str, Any]]] = [
            (changed("user_account", operator.user_id, version + 1, role=("operator", "admin")), {}),
            (new_quantity(fort, 5, 9, 2), {"role": "admin", "needs": None}),
            (new_order(uuid4()), {"operation": "create_work_order"}),
            (changed("work_order", fort.order_id, 2, status=("planned", "cancelled")), {}),
            (changed("work_order", fort.order_id, 2, deleted=(False, True)), {}),
            (created("note", uuid4(), at=NOW, text="x", written_at=NOW, author=admin.name), {}),
            (created("note", uuid4(), at=NOW, text="x", written_at=NOW, author=""), {}),
            (created("alarm_action", uuid4(), alarm="a", action="shelve", at=NOW, actor=operator.name), {}),
            (created("alarm_action", uuid4(), alarm="a", action="dance", at=NOW, actor=operator.name), {}),
            (
                {
                    "e": "alarm_action", "k": "m", "ids": [str(uuid4()), str(uuid4())],
                    "columns": ["alarm", "action", "comment", "until", "permit", "at", "actor"],
                    "rows": [["a", action, "", None, "", NOW, operator.name] for action in ("reset", "shelve")],
                },
                {},
            ),
        ]  # fmt: skip
        for row, head in tries:
            assert counter.push_rows(operator, row, **head)["verdict"] == "denied", row
        assert counter.row("work_order", fort.order_id)["version"] == 1


def test_the_plant_itself_may_nothing_once_the_station_has_brought_its_data(fort: Fort) -> None:
    with fort.counter("X7") as counter:
        assert counter.push_rows(THE_PLANT, new_order(uuid4()))["verdict"] == "denied"
        named = json.loads(entry(fort.people[Role.ADMIN], new_order(uuid4())))
        assert counter.push(json.dumps(named | {"f": 1}), None)["verdict"] == "denied"


def test_rows_that_are_not_shared_and_columns_that_are_not_there_are_parked(fort: Fort) -> None:
    admin = fort.people[Role.ADMIN]
    odd = [
        {"e": "log", "id": str(uuid4()), "k": "c", "v": 1, "set": {"seq": [None, 1]}},
        {"e": "login_grant", "id": str(uuid4()), "k": "u", "v": 2, "set": {"secret": ["", "x"]}},
        {
            "e": 'note"; DROP TABLE sync.log; --',
            "id": str(uuid4()),
            "k": "c",
            "v": 1,
            "set": {"a": [None, 1]},
        },
        {
            "e": "pg_catalog.pg_authid",
            "id": str(uuid4()),
            "k": "u",
            "v": 2,
            "set": {"rolsuper": [False, True]},
        },
        changed("work_order", fort.order_id, 2, id=(str(fort.order_id), str(uuid4()))),
        {"e": "work_order", "id": str(fort.order_id), "k": "u", "v": 2, "set": {"version": [1, 99]}},
        changed("work_order", fort.order_id, 2, xmin=(1, 2)),
        changed("work_order", fort.order_id, 2, **{"note\" = 'x', \"line": ("", "x")}),
        changed("work_order", fort.order_id, 2, number=(f"N-{fort.order_id}", "mine")),
        changed("work_order", fort.order_id, 2, quantity=(5, "x")),
        new_order(uuid4(), quantity=10**30),
        {"e": "note", "k": "m", "ids": [str(uuid4())], "columns": ["at), (text"], "rows": [[NOW]]},
        {"e": "note", "k": "x"},
        {"e": "note"},
    ]
    with fort.counter("X7") as counter:
        for row in odd:
            answer = counter.push_rows(admin, row)
            assert answer["verdict"] in ("rejected", "denied"), row
        for body in (
            "",
            "{",
            "[]",
            "null",
            "1",
            '"x"',
            '{"rows": []}',
            '{"change": "x", "rows": [null]}',
            "{\x01}",
        ):
            answer = counter.push(body, None)
            assert answer["verdict"] in ("rejected", "denied"), body
        deep = "[" * 100_000 + "]" * 100_000
        assert counter.push(deep, None)["verdict"] == "rejected"
        assert counter.row("work_order", fort.order_id)["version"] == 1


def test_settling_conflicts_of_others_takes_the_right_to(fort: Fort) -> None:
    technician, operator = fort.people[Role.TECHNICIAN], fort.people[Role.OPERATOR]
    with fort.counter("X7") as counter:
        assert counter.push_rows(technician, new_order(uuid4()))["verdict"] == "denied"
        parked = [[str(counter.source), counter.n]]
        assert counter.push_rows(operator, resolves=parked)["verdict"] == "denied"
        settled = counter.push_rows(fort.people[Role.SUPERVISOR], resolves=parked)
        assert counter.record(settled["seq"])["resolves"] == parked
        late = counter.push_rows(technician, resolves=parked)
        assert "resolves" not in counter.record(late["seq"])


def test_a_password_is_set_by_oneself_or_by_whoever_manages_people(fort: Fort) -> None:
    operator, planner = fort.people[Role.OPERATOR], fort.people[Role.PLANNER]
    note = {
        "user": str(planner.user_id),
        "terms": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ",
        "key_hash": "ab" * 32,
        "at": NOW,
        "actor_id": str(operator.user_id),
    }
    with fort.counter("X7") as counter:
        for who, signer in ((operator, operator), (planner, operator), (THE_PLANT, None)):
            said = None if who is THE_PLANT else str(who.user_id)
            body = json.dumps(note | {"actor_id": said, "nonce": str(uuid4())})
            mac = counter.mac(body, signer.user_id if signer else None)
            with pytest.raises(psycopg.Error) as raised:
                counter.connection.execute("SELECT sync.set_password(%s, %s)", (body, mac))
            assert raised.value.sqlstate == "42501"
        body = json.dumps(note | {"user": str(operator.user_id), "nonce": str(uuid4())})
        mac = counter.mac(body, operator.user_id)
        counter.connection.execute("SELECT sync.set_password(%s, %s)", (body, mac))
    with fort.own() as owner:
        found = owner.execute("SELECT user_id FROM sync.credential").fetchall()
        owner.execute("DELETE FROM sync.credential")
    assert found == [(operator.user_id,)]
