"""Each shared table says what the server may accept of it, in names that exist."""

from __future__ import annotations

from enum import StrEnum
from itertools import product

import pytest

from app.domain.alarms.verbs import NEEDED, Verb
from app.domain.orders import CANCELLATIONS, FILE_CHANGES, LEGAL_CHANGES, OrderStatus, status_from_stages
from app.domain.people import Permission
from app.domain.sharing import ANY_FIELD, BIRTH, Sharing, setting, steps
from app.domain.stages import FILE_MOVES, LEGAL_MOVES, StageStatus, out_of_order
from app.store.tables import AlarmAction, Base, Issue, Record, Stage, UserAccount, WorkOrder

TABLES: list[type[Record]] = sorted(
    (mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Record)),
    key=lambda table: table.__tablename__,
)


def columns_of(table: type[Record]) -> set[str]:
    return {column.key for column in table.__table__.columns} - {"id", "version"}


def choices_of(table: type[Record], column: str) -> set[str]:
    enum_class: type[StrEnum] | None = getattr(table.__table__.columns[column].type, "enum_class", None)
    return {choice.value for choice in enum_class} if enum_class is not None else set()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__tablename__)
def test_every_shared_table_declares_its_rules_in_columns_and_permissions_that_there_are(
    table: type[Record],
) -> None:
    assert "sharing" in vars(table), "a table without a declaration is refused by the server"
    sharing = table.sharing
    columns = columns_of(table)
    ways = [*sharing.create, *(way for several in sharing.change.values() for way in several)]
    assert sharing.create, "nobody could make such a row"
    assert all(isinstance(way.permission, Permission) for way in ways)
    assert {way.own for way in ways} - {""} <= columns | {"id"}
    assert not any(way.own for way in sharing.create), "a new row has no owner yet"
    assert set(sharing.change) - {ANY_FIELD} <= columns
    assert all(sharing.change.values())
    named = [
        *sharing.together,
        sharing.actor_ids,
        sharing.actor_names,
        sharing.by_server,
        sharing.moves.keys(),
    ]
    assert all(set(group) <= columns for group in named)
    assert not sharing.by_server & set(sharing.change)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__tablename__)
def test_a_group_of_columns_is_set_by_the_same_people(table: type[Record]) -> None:
    for group in table.sharing.together:
        ways = {table.sharing.change.get(column) for column in group}
        assert len(ways) == 1, f"{sorted(group)} travel together, so whoever may set one may set all"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__tablename__)
def test_moves_name_values_that_there_are(table: type[Record]) -> None:
    for column, moves in table.sharing.moves.items():
        known = choices_of(table, column) or {verb.value for verb in Verb}
        assert {before for before, _ in moves} <= known | {BIRTH}
        assert {after for _, after in moves} <= known
        onward = [move for move in moves if move[0] != BIRTH]
        assert not onward or column in table.sharing.change


def test_columns_that_say_who_did_it_are_known_to_the_rules() -> None:
    """A reference to an account is the actor's own, but for whom a stage is given to."""
    for table in TABLES:
        references = {
            column.key
            for column in table.__table__.columns
            if any(key.column.table is UserAccount.__table__ for key in column.foreign_keys)
        }
        assert references - {"assignee_id"} == set(table.sharing.actor_ids)
        names = {"actor", "author"} & columns_of(table)
        assert names <= table.sharing.actor_names


def test_an_order_changes_as_the_moves_of_its_stages_make_it() -> None:
    made: set[tuple[OrderStatus, OrderStatus]] = set()
    for stages in product(StageStatus, repeat=3):
        if out_of_order([("", status) for status in stages]) is not None:
            continue
        for place, status in enumerate(stages):
            for after in LEGAL_MOVES[status]:
                moved = [*stages[:place], after, *stages[place + 1 :]]
                if out_of_order([("", status) for status in moved]) is None:
                    made.add((status_from_stages(stages), status_from_stages(moved)))
    told = {(before, after) for before, reachable in LEGAL_CHANGES.items() for after in reachable}
    assert {(before, after) for before, after in made if before is not after} <= told


def test_moves_come_from_the_tables_that_the_operations_ask() -> None:
    stage = Stage.sharing.moves["status"]
    assert {move for move, needed in stage.items() if not needed} == set(steps(LEGAL_MOVES))
    assert {move for move, needed in stage.items() if needed == (Permission.IMPORT,)} == set(
        steps(FILE_MOVES)
    )
    order = WorkOrder.sharing.moves["status"]
    assert set(order) == {*steps(LEGAL_CHANGES), *steps(FILE_CHANGES), *steps(CANCELLATIONS)}
    assert all(Permission.MOVE_OWN_STAGES not in order[move] and order[move] for move in steps(CANCELLATIONS))
    assert (BIRTH, "open") in Issue.sharing.moves["status"]
    assert {move[1] for move in AlarmAction.sharing.moves["action"]} == {verb.value for verb in NEEDED}


def test_companions_are_the_rest_of_the_groups_that_are_touched() -> None:
    sharing = Sharing((), together=(frozenset("ab"), frozenset("cde")))
    assert sharing.companions("a") == {"b"}
    assert sharing.companions("adx") == {"b", "c", "e"}
    assert sharing.companions("ab") == sharing.companions("x") == frozenset()
    assert setting("a b") == {"a": (), "b": ()}
