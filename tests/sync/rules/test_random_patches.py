"""Whatever anybody tries to set in any table, the server answers as the declarations read in Python say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import JSON, Boolean, Float, Integer
from sqlalchemy.sql.elements import KeyedColumnElement

from app.domain.orders import status_from_stages
from app.domain.people import PERMISSIONS, Actor, Role
from app.domain.sharing import ANY_FIELD, BIRTH, Allowed, Sharing
from app.domain.stages import StageStatus
from app.store.tables import Record
from app.store.tables.base import UtcDateTime
from app.sync.server.rules import shared_classes
from tests.chance import examples
from tests.sync.counter import Counter, changed

TIMES = [f"2026-04-{day:02d}T12:00:00+00:00" for day in range(10, 20)]
OWNER = Role.OPERATOR
"""Whose the rows are."""


@dataclass
class Ground:
    """A row in every shared table, all of them the operator's where they are somebody's."""

    counter: Counter
    people: dict[Role, Actor]
    rows: dict[str, UUID]


def _known(table: type[Record], column: KeyedColumnElement[Any], ground: Ground) -> list[Any]:
    """A few values that a column may hold."""
    choices: type[StrEnum] | None = getattr(column.type, "enum_class", None)
    if choices is not None:
        return [choice.value for choice in choices]
    if column.foreign_keys:
        parent = next(iter(column.foreign_keys)).column.table.name
        people = [str(actor.user_id) for actor in ground.people.values()]
        return people if parent == "user_account" else [str(ground.rows[parent])]
    if column.key in table.sharing.actor_names:
        return [actor.name for actor in ground.people.values()]
    if column.key in table.sharing.moves:
        return [after for _, after in table.sharing.moves[column.key]]
    if isinstance(column.type, UtcDateTime):
        return TIMES
    if isinstance(column.type, Boolean):
        return [False, True]
    if isinstance(column.type, Integer | Float):
        return list(range(1, 9))
    if isinstance(column.type, JSON):
        return [{"a": number} for number in range(5)]
    if column.type.__visit_name__ == "uuid":
        return [str(uuid4()) for _ in range(5)]
    return [f"text {number}" for number in range(20)]


@pytest.fixture(scope="module")
def ground(joined: Counter) -> Ground:
    made = Ground(joined, {role: Actor(uuid4(), f"the {role.value}", role) for role in Role}, {})
    for actor in made.people.values():
        joined.owner.execute(
            "INSERT INTO lineside.user_account (id, name, name_key, role, created_at) VALUES (%s, %s, %s, %s, now())",
            (actor.user_id, actor.name, actor.name, actor.role.value),
        )
    joined.owner.execute("BEGIN; SET CONSTRAINTS ALL DEFERRED; SET LOCAL session_replication_role = replica")
    for actor in made.people.values():
        assert actor.user_id is not None
        joined.secret(actor.user_id)
    made.rows = {table.__tablename__: uuid4() for table in shared_classes()}
    for table in shared_classes():
        _insert(table, made)
    joined.owner.execute("COMMIT")
    return made


def _insert(table: type[Record], ground: Ground) -> None:
    from psycopg.types.json import Jsonb

    columns = [c for c in table.__table__.columns if c.key not in ("id", "version", "deleted")]
    values: dict[str, Any] = {c.key: _known(table, c, ground)[0] for c in columns}
    values |= {name: str(ground.people[OWNER].user_id) for name in table.sharing.actor_ids}
    values |= dict.fromkeys(table.sharing.actor_names, ground.people[OWNER].name)
    values |= {"assignee_id": str(ground.people[OWNER].user_id)} if table.__tablename__ == "stage" else {}
    values |= {"id": str(ground.rows[table.__tablename__]), "version": 1, "deleted": False}
    ground.counter.owner.execute(
        f"INSERT INTO lineside.{table.__tablename__}"
        f" SELECT * FROM jsonb_populate_record(NULL::lineside.{table.__tablename__}, %s)",
        (Jsonb(values),),
    )


def has_parts(entity: str) -> bool:
    """Whether rows of another table are part of this one's, and do not stay without it; on the ground there is one."""
    return any(
        entity in parents and column not in shared.sharing.outlives
        for shared in shared_classes()
        for column, parents in shared.parts().items()
    )


def tears_order(ground: Ground, entity: str, row: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether the only stage of the order would stand against the status of its order; see `status_from_stages`."""
    if entity != "stage" or "status" not in asked or (row | asked)["deleted"]:
        return False
    order = ground.counter.row("work_order", ground.rows["work_order"])
    return bool(order["status"] != status_from_stages([StageStatus(asked["status"])]).value)


def expected(entity: str, sharing: Sharing, actor: Actor, row: dict[str, Any], asked: dict[str, Any]) -> str:
    """The verdict on setting `asked` (which differ from `row`), judged from the declaration alone."""

    def open_to(way: Allowed) -> bool:
        mine = (str(actor.user_id), actor.name)
        return actor.role in PERMISSIONS[way.permission] and (not way.own or row[way.own] in mine)

    for name, value in asked.items():
        ways = sharing.change.get(name, sharing.change.get(ANY_FIELD, ()))
        if name in sharing.by_server or not any(map(open_to, ways)):
            return "denied"
        if name in sharing.actor_ids and value not in (None, str(actor.user_id)):
            return "denied"
        if name in sharing.actor_names and value != actor.name:
            return "denied"
    if asked and row["deleted"] and asked.get("deleted") is not False:
        return "conflict"
    for name, value in asked.items():
        if name not in sharing.moves:
            continue
        onward = {step: needed for step, needed in sharing.moves[name].items() if step[0] != BIRTH}
        needed = onward.get((row[name], value))
        if onward and needed is None:
            return "conflict"
        if needed and not any(actor.may(permission) for permission in needed):
            return "denied"
    return "conflict" if asked.get("deleted") and has_parts(entity) else "applied"


@examples(90, same_fixtures=True)
@given(data=st.data())
def test_the_server_judges_a_patch_as_the_declaration_says(ground: Ground, data: st.DataObject) -> None:
    """Up to four patches one after the other, taken back at the end so that every example begins alike."""
    table = data.draw(st.sampled_from(shared_classes()))
    before = ground.counter.n
    try:
        with ground.counter.connection.transaction(force_rollback=True):
            for _ in range(data.draw(st.integers(1, 4))):
                _try(ground, table, data)
    finally:
        ground.counter.n = before


def _try(ground: Ground, table: type[Record], data: st.DataObject) -> None:
    counter, entity = ground.counter, table.__tablename__
    row_id = ground.rows[entity]
    row = counter.row(entity, row_id)
    columns = {c.key: c for c in table.__table__.columns if c.key not in ("id", "version")}
    all_columns = st.sampled_from(sorted(columns))
    named = st.sampled_from(sorted(set(table.sharing.change)) or sorted(columns))
    names = data.draw(st.sets(named, min_size=1, max_size=2) | st.sets(all_columns, min_size=1, max_size=3))
    wanted = {n: data.draw(st.sampled_from(_known(table, columns[n], ground))) for n in sorted(names)}
    actor = ground.people[data.draw(st.sampled_from(Role))]
    asked = {name: value for name, value in wanted.items() if value != row[name]}
    patch = changed(entity, row_id, row["version"] + 1, **{n: (row[n], value) for n, value in wanted.items()})
    verdict = expected(entity, table.sharing, actor, row, asked)
    if verdict == "applied" and tears_order(ground, entity, row, asked):
        verdict = "conflict"
    answer = counter.push_rows(actor, patch)
    assert answer["verdict"] == verdict, (actor.role, asked, answer)
    applied = answer["verdict"] == "applied"
    told = row | asked | {"version": row["version"] + 1} if applied else row
    assert counter.row(entity, row_id) == told
