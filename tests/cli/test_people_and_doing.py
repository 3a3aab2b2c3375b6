"""Accounts, any operation by name, and what the audit trail keeps of it."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.domain.people import Permission, Role, denial
from app.operations.login import log_in
from app.plant import opened_house
from tests.cli.conftest import Lineside

SECRET = "a good long sentence"


def log_in_works(folder: Path, name: str, password: str) -> bool:
    """Logs in, and gives whether a new password is due."""
    with opened_house(folder) as house:
        return log_in(house.door, name, password).must_change_password


def test_a_password_comes_from_the_environment_from_standard_input_or_is_made_up(
    done: Lineside, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINESIDE_PASSWORD", SECRET)
    assert SECRET not in done("user", "add", "Ada", "--role", "admin").out
    monkeypatch.delenv("LINESIDE_PASSWORD")
    monkeypatch.setattr("sys.stdin", io.StringIO("another good sentence\n"))
    assert done("user", "add", "Piotr", "--role", "planner", "--json").json == {"name": "Piotr"}
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    made_up = done("user", "add", "Olu", "--role", "operator", "--as", "Ada", "--json").json[
        "one_time_password"
    ]
    assert not log_in_works(data_dir, "ada", SECRET)
    assert not log_in_works(data_dir, "Piotr", "another good sentence")
    assert log_in_works(data_dir, "Olu", made_up)
    reset = done("user", "reset-password", "Piotr", "--json").json["one_time_password"]
    assert log_in_works(data_dir, "Piotr", reset)
    listed = {user["name"]: user["role"] for user in done("user", "list", "--json").json}
    assert listed == {"Ada": "admin", "Piotr": "planner", "Olu": "operator"}
    logged = "".join(file.read_text() for file in (data_dir / "logs").iterdir())
    for password in (SECRET, made_up, reset):
        assert password not in logged


def test_accounts_are_refused_in_words(
    shop: Path,
    done: Lineside,
    refused: Callable[..., str],
    misused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LINESIDE_PASSWORD", "short")
    assert "at least 10 characters" in refused("user", "add", "Ada", "--role", "admin")
    monkeypatch.setenv("LINESIDE_PASSWORD", SECRET)
    assert "already a user called admin" in refused("user", "add", "admin", "--role", "admin")
    assert "Enter a user name" in refused("user", "add", "  ", "--role", "admin")
    assert "no user called Nobody" in refused("user", "disable", "Nobody")
    assert "no user called Nobody" in refused("user", "reset-password", "Nobody")
    assert "only administrator" in refused("user", "disable", "admin")
    assert "may not manage users" in refused("user", "add", "Ada", "--role", "admin", "--as", "operator")
    assert "'admin', 'manager'" in misused("user", "add", "Ada", "--role", "king")
    done("user", "disable", "operator")
    assert "is disabled" in refused(
        "do", "raise_issue", "--as", "operator", "stage_id=" + "0" * 32, "title=x"
    )


def test_an_order_lives_through_its_day_by_names_that_people_use(shop: Path, done: Lineside) -> None:
    do = ("do", "--as", "supervisor")
    done(*do, "create-work-order", "number=WO-1", "product=FRAME-M", "quantity=60")
    created = done(*do, "create_work_order", "product=FRAME-M", "quantity=6", "--json").json
    assert created["done"] == "Created work order A-WO-000001"
    done(*do, "edit_work_orders", "ids=WO-1,A-WO-000001", "customer=Brandt Pumps")
    done(*do, "advance_work_order", "order_id=WO-1")
    done(*do, "move_order_to_stage", "order_id=WO-1", "stage_name=Weld")
    done(*do, "assign_stages", "ids=WO-1/Weld,WO-1/Paint", "assignee_id=operator")
    done(*do, "move_stage", "stage_id=WO-1/Weld", "to=blocked", "reason=no gas")
    done("do", "--as", "operator", "raise_issue", "stage_id=WO-1/Weld", "title=No gas", "type=material")
    done(*do, "acknowledge_issue", "issue_id=A-IS-000001")
    done(*do, "resolve_issue", "issue_id=A-IS-000001", "resolution=New bottle")
    checks = (
        '[{"kind": "measure", "name": "bore", "value": 12.2, "lower": 11.9, "upper": 12.1, "unit": "mm"}]'
    )
    done("do", "--as", "inspector", "log_inspection", "stage_id=WO-1/Weld", f"items={checks}")
    stages = done("list", "stages", "--where", "order=WO-1", "--sort", "position", "--json").json
    shown = [(s["name"], s["status"], s["assignee"]) for s in stages[:3]]
    assert shown == [("Cut", "done", None), ("Weld", "blocked", "operator"), ("Paint", "planned", "operator")]
    assert done("list", "inspections", "--json").json[0]["verdict"] == "fail"
    assert done("list", "issues", "--json").json[0]["status"] == "resolved"
    cancelled = done(*do, "cancel_work_orders", "ids=A-WO-000001", "--json").json
    done(*do, "undo", f"change_id={cancelled['change_id']}")
    statuses = {o["number"]: o["status"] for o in done("list", "work-orders", "--json").json}
    assert statuses == {"WO-1": "blocked", "A-WO-000001": "planned"}
    assert done("sync", "--status", "--json").json["waiting"] > 10
    assert done("audit", "verify").out == "The audit trail is whole.\n"


def test_what_a_role_may_not_do_is_refused_and_stays_in_the_audit_trail(
    shop: Path, done: Lineside, refused: Callable[..., str]
) -> None:
    sentence = refused("do", "create_work_order", "--as", "operator", "product=X", "quantity=1")
    assert sentence == denial(Role.OPERATOR, Permission.PLAN_ORDERS)
    line = done("list", "audit", "--limit", "1", "--json").json[0]
    assert (line["actor"], line["operation"], line["outcome"]) == ("operator", "create_work_order", "denied")
    assert line["sentence"] == sentence
    assert done("list", "work-orders", "--json").json == []
    refused("do", "create_work_order", "--as", "planner", "product=X", "quantity=0")
    assert done("list", "audit", "--limit", "1", "--json").json[0]["outcome"] == "refused"


def test_doing_needs_a_name_an_operation_and_keys(
    shop: Path, refused: Callable[..., str], misused: Callable[..., str]
) -> None:
    assert "--as USER" in misused("do", "create_work_order", "product=X", "quantity=1")
    assert "no operation fly" in misused("do", "fly", "--as", "admin")
    assert "key=value" in misused("do", "create_work_order", "--as", "admin", "product")
    assert "no user called Nobody" in refused("do", "undo", "--as", "Nobody", "change_id=" + "0" * 32)


def test_a_changed_audit_line_is_found(shop: Path, done: Lineside, refused: Callable[..., str]) -> None:
    for number in range(3):
        done("do", "create_work_order", "--as", "admin", f"number=WO-{number}", "product=X", "quantity=1")
    with closing(sqlite3.connect(shop / "lineside.sqlite")) as store:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            store.execute("UPDATE audit SET sentence = 'Nothing happened' WHERE seq = 2")
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute("UPDATE audit SET sentence = 'Nothing happened' WHERE seq = 2")
        store.commit()
    assert refused("audit", "verify") == "The audit trail is broken from line 2 on."
