"""Entries of two stations meet at the server: each field from what its author saw, or a conflict; nothing silent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.people import Actor, Role
from app.store.tables import WorkOrder
from tests.chance import examples
from tests.sync.attack.fort import new_order
from tests.sync.counter import Counter, changed, entry

FIELDS: dict[str, list[Any]] = {
    "product": ["A", "B"],
    "product_name": ["of A", "of B"],
    "lot": ["1", "2", "3"],
    "quantity": [5, 6, 7],
    "note": ["", "x", "y"],
    "planned_start": ["2026-04-15T12:00:00+00:00", "2026-04-14T12:00:00+00:00"],
    "planned_end": ["2026-04-16T12:00:00+00:00", "2026-04-17T12:00:00+00:00"],
    "deleted": [False, True],
}


@dataclass
class Desk:
    """A station with the row as it last saw it, under its own changes since."""

    counter: Counter
    seen: dict[str, Any] = field(default_factory=dict)

    def look(self, order_id: UUID) -> None:
        self.seen = self.counter.row("work_order", order_id)


@pytest.fixture(scope="module")
def supervisor(joined: Counter) -> Actor:
    actor = Actor(uuid4(), f"Sam {uuid4()}", Role.ADMIN)
    joined.owner.execute(
        "INSERT INTO lineside.user_account (id, name, name_key, role, created_at) VALUES (%s, %s, %s, 'admin', now())",
        (actor.user_id, actor.name, actor.name),
    )
    return actor


def verdict(
    now: dict[str, Any], seen: dict[str, Any], wanted: dict[str, Any], carried: dict[str, Any]
) -> str:
    """What must become of `wanted` by somebody who saw `seen`, where the row is `now`; `carried` travels along."""
    moved = {name for name, value in wanted.items() if now[name] != value}
    for name, value in (wanted | carried).items():
        if now[name] not in (seen[name], value):
            return "conflict"
    if moved and now["deleted"] and wanted.get("deleted") is not False:
        return "conflict"
    if "deleted" in moved and wanted["deleted"] and now["version"] != seen["version"]:
        return "conflict"
    return "applied"


Step = tuple[int, bool, dict[str, Any]]
_STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.booleans(),
        st.sets(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=3).flatmap(
            lambda names: st.fixed_dictionaries(
                {name: st.sampled_from(FIELDS[name]) for name in sorted(names)}
            )
        ),
    ),
    max_size=8,
)


@examples(40, same_fixtures=True)
@given(steps=_STEPS)
def test_two_stations_merge_or_conflict_and_never_overwrite(
    joined: Counter, supervisor: Actor, steps: list[Step]
) -> None:
    order_id = uuid4()
    desks = [Desk(joined), Desk(Counter(joined.connection, joined.owner, joined.station, joined.key))]
    first = joined.push_rows(supervisor, new_order(order_id))
    said: dict[tuple[str, int], dict[str, Any]] = {}
    for desk in desks:
        desk.look(order_id)
    for which, fresh, wanted in steps:
        desk = desks[which]
        if fresh:
            desk.look(order_id)
        before, seen = joined.row("work_order", order_id), desk.seen
        asked = {name: value for name, value in wanted.items() if seen[name] != value}
        if not asked or (seen["deleted"] and "deleted" not in asked):
            continue
        carried = {name: seen[name] for name in WorkOrder.sharing.companions(asked)}
        fields = {name: (seen[name], value) for name, value in (asked | carried).items()}
        patch = changed("work_order", order_id, seen["version"] + 1, **fields)
        answer = desk.counter.push_rows(supervisor, patch)
        said[str(desk.counter.source), desk.counter.n] = patch["set"]
        assert answer["verdict"] == verdict(before, seen, asked, carried), (before, seen, asked, answer)
        after = joined.row("work_order", order_id)
        if answer["verdict"] == "conflict":
            assert after == before
            disputed = {dispute["field"]: dispute for dispute in answer["reason"]["fields"]}
            for name in disputed.keys() & asked.keys() - {"deleted"}:
                assert (disputed[name]["mine"], disputed[name]["theirs"]) == (asked[name], before[name])
            desk.look(order_id)
        else:
            assert {name: after[name] for name in FIELDS} == {n: (before | asked)[n] for n in FIELDS}
            told = {name for merged in answer["merged"] or () for name in merged["fields"]}
            assert told <= set(FIELDS) - set(fields)
            assert not (told and seen["version"] == before["version"])
            desk.seen = seen | asked | {"version": seen["version"] + 1}
    _replay(joined, order_id, first["seq"], said)


def _replay(
    counter: Counter, order_id: UUID, since: int, said: dict[tuple[str, int], dict[str, Any]]
) -> None:
    """Every value that the log says was replaced is the one that stood there, and the author had seen it."""
    row: dict[str, Any] = {}
    records = counter.owner.execute(
        "SELECT body FROM sync.log WHERE seq >= %s ORDER BY seq", (since,)
    ).fetchall()
    for record in (json.loads(body) for (body,) in records):
        for change in record.get("rows", ()):
            assert change["id"] == str(order_id)
            if change["k"] == "u":
                assert change["was"] == {name: row[name] for name in change["was"]}
                asked = said[record["src"], record["n"]]
                assert {name: was for name, (was, _) in asked.items() if name in change["was"]} == change[
                    "was"
                ]
            assert change["v"] == row.get("version", 0) + 1
            row |= change["set"] | {"version": change["v"]}
    now = counter.row("work_order", order_id)
    assert {name: row[name] for name in FIELDS} == {name: now[name] for name in FIELDS}


def test_fields_that_belong_together_conflict_as_one_even_if_an_entry_names_only_its_own(
    joined: Counter, supervisor: Actor
) -> None:
    """An entry of a program that does not yet know the group, against a change of the other half by another station."""
    order_id = uuid4()
    other = Counter(joined.connection, joined.owner, joined.station, joined.key)
    joined.push_rows(supervisor, new_order(order_id, product="A", product_name="of A"))
    renamed = changed("work_order", order_id, 2, product_name=("of A", "of B"))
    assert other.push_rows(supervisor, renamed)["verdict"] == "applied"
    alone = changed("work_order", order_id, 2, product=("A", "C"))
    assert joined.push_rows(supervisor, alone)["verdict"] == "conflict"
    lot = changed("work_order", order_id, 2, lot=("", "7"))
    assert joined.push_rows(supervisor, lot)["merged"][0]["fields"] == ["product_name"]


def test_what_is_offered_in_one_call_gets_an_answer_each(joined: Counter, supervisor: Actor) -> None:
    bodies = [entry(supervisor, new_order(uuid4())) for _ in range(3)]
    bodies.insert(1, "{")
    macs = [joined.mac(body, supervisor.user_id) for body in bodies]
    answers = joined.connection.execute(
        "SELECT sync.push_many(%s, %s, %s, %s)", (joined.source, joined.n + 1, bodies, macs)
    ).fetchone()
    assert answers is not None
    assert [answer["verdict"] for answer in answers[0]] == ["applied", "rejected", "applied", "applied"]
    joined.n += len(bodies)
