"""Every operation of the catalogue passes the server's rules for each role that may use it, and for no other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select

from app.domain.conflicts import Take
from app.domain.people import PERMISSIONS, THE_PLANT, Actor, Role
from app.domain.stages import StageStatus
from app.operations.attachments import remove_attachment
from app.operations.catalogue import OPERATIONS
from app.operations.change import Intent, Outcome
from app.operations.conflicts import bring_back, settle_conflict
from app.operations.notes import edit_note
from app.operations.orders import create_work_order, edit_work_orders
from app.operations.people import create_first_admin
from app.operations.saved_views import rename_view
from app.operations.stages import move_stage
from app.operations.undo import undo
from app.plant import opened_house
from app.store.tables import Outbox, UserAccount
from tests.operations.shop import open_shop
from tests.parking import Parking
from tests.sync.attack.fort import new_order
from tests.sync.conftest import ServerDatabase
from tests.sync.counter import Counter, changed, created
from tests.sync.rules.examples import ELSEWHERE, EXAMPLES, NOTHING_SHARED, PASSWORD, Scene

NAMES = sorted(set(OPERATIONS) - ELSEWHERE - NOTHING_SHARED)


@dataclass
class Traffic:
    """A shop whose entries go to the server, and a second source for what it must refuse."""

    scene: Scene
    counter: Counter
    forger: Counter
    position: int = 0

    def waiting(self) -> list[Outbox]:
        with self.scene.shop.house.store.reader() as session:
            found = select(Outbox).where(Outbox.position > self.position).order_by(Outbox.position)
            return list(session.execute(found).scalars())

    def hand_in(self, entry: Outbox) -> dict[str, Any]:
        facts = json.loads(entry.body)
        actor = next(a for a in self.scene.shop.people.values() if str(a.user_id) == facts["actor_id"])
        if self.counter.source != entry.source:
            self.counter.connection.execute("SELECT sync.open_source(%s, 1)", (entry.source,))
            self.counter.source, self.counter.n = entry.source, entry.n - 1
        answer = self.counter.push(entry.body, actor.user_id)
        self.position = entry.position
        return answer

    def hand_in_all(self) -> None:
        """Everything that waits, which the server takes without a word."""
        for entry in self.waiting():
            answer = self.hand_in(entry)
            assert answer["verdict"] == "applied", (json.loads(entry.body)["operation"], answer["reason"])

    def forge(self, body: str, author: Actor, forger: Actor) -> dict[str, Any]:
        """The same entry in the name of somebody else, who signs it."""
        names = {str(author.user_id): str(forger.user_id), author.name: forger.name}
        facts = json.loads(body)
        for row in facts["rows"]:
            if row["k"] == "m":
                row["rows"] = [[_renamed(cell, names) for cell in cells] for cells in row["rows"]]
            else:
                row["set"] = {
                    f: [before, _renamed(after, names)] for f, (before, after) in row["set"].items()
                }
        facts |= {"change": str(uuid4()), "actor": forger.name, "actor_id": str(forger.user_id)}
        return self.forger.push(json.dumps(facts), forger.user_id)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    return names.get(value, value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def traffic(joined: Counter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traffic]:
    folder = tmp_path_factory.mktemp("traffic")
    with open_shop(folder / "data") as shop:
        with shop.house.store.reader() as session:
            rows = [_plainly(account) for account in session.execute(select(UserAccount)).scalars()]
        joined.owner.execute(
            "INSERT INTO lineside.user_account SELECT * FROM jsonb_populate_recordset(NULL::lineside.user_account, %s)",
            (json.dumps(rows),),
        )
        forger = replace(joined, source=uuid4(), n=0)
        yield Traffic(Scene(shop, folder), joined, forger)


def _plainly(account: UserAccount) -> dict[str, Any]:
    row = {column.key: getattr(account, column.key) for column in UserAccount.__table__.columns}
    return {name: value if isinstance(value, bool | int) else str(value) for name, value in row.items()}


def test_the_table_of_examples_names_every_operation() -> None:
    assert set(EXAMPLES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_whoever_may_use_it_is_heard_and_nobody_else(traffic: Traffic, name: str) -> None:
    scene, needed = traffic.scene, OPERATIONS[name].permission
    allowed = PERMISSIONS[needed] if needed is not None else frozenset(Role)
    roles = [role for role in Role if role in allowed]
    for example in EXAMPLES[name]:
        for scene.role in roles:
            intent = example(scene)
            traffic.hand_in_all()
            outcome = scene.own(intent)
            (entry,) = traffic.waiting()
            if scene.role is roles[0]:
                _refuse_others(traffic, entry.body, [role for role in Role if role not in allowed])
            traffic.hand_in_all()
            if scene.role in (roles[0], roles[-1]) and outcome.undoable:
                _back_and_forth(traffic, outcome)


def _refuse_others(traffic: Traffic, body: str, others: Iterable[Role]) -> None:
    scene, operation = traffic.scene, json.loads(body)["operation"]
    for role in others:
        refused = traffic.forge(body, scene.actor, scene.shop.people[role])
        assert refused["verdict"] == "denied", (operation, role, refused)
        assert traffic.counter.record(refused["seq"])["entry"]["operation"] == operation


def _back_and_forth(traffic: Traffic, outcome: Outcome[Any]) -> None:
    """What can be undone is undone, and done again, by the person who did it."""
    undone = traffic.scene.own(undo(change_id=outcome.change_id))
    traffic.hand_in_all()
    traffic.scene.own(undo(change_id=undone.change_id))
    traffic.hand_in_all()


def test_nobody_but_its_owner_changes_what_is_ones_own(traffic: Traffic) -> None:
    """A note, a view, a photo, and a stage that is given to somebody else."""
    scene, others = traffic.scene, (Role.OPERATOR, Role.TECHNICIAN)
    scene.role = Role.INSPECTOR
    name = f"View {next(scene.numbers)}"
    own: list[Intent[Any]] = [
        edit_note(note_id=scene.note(), text="Door shut"),
        rename_view(view_id=scene.view(), name=name),
        remove_attachment(attachment_id=scene.own(scene.photo()).result),
    ]
    scene.role = Role.TECHNICIAN
    own.append(move_stage(stage_id=scene.stage(), to=StageStatus.BLOCKED, reason="no steel"))
    for intent in own:
        scene.role = Role.TECHNICIAN if intent is own[-1] else Role.INSPECTOR
        traffic.hand_in_all()
        scene.own(intent)
        (entry,) = traffic.waiting()
        for other in others:
            if other is not scene.role:
                refused = traffic.forge(entry.body, scene.actor, scene.shop.people[other])
                assert refused["verdict"] == "denied", (intent.operation.name, other)
        traffic.hand_in_all()


def test_a_supervisor_takes_back_what_others_did_and_an_operator_does_not(traffic: Traffic) -> None:
    scene, supervisor = traffic.scene, traffic.scene.shop.people[Role.SUPERVISOR]
    scene.role = Role.OPERATOR
    did = [scene.own(edit_note(note_id=scene.note(), text="Door shut"))]
    did.append(scene.own(move_stage(stage_id=scene.stage(), to=StageStatus.IN_PROGRESS)))
    traffic.hand_in_all()
    for outcome in did:
        scene.shop.do(undo(change_id=outcome.change_id), Role.SUPERVISOR)
        (entry,) = traffic.waiting()
        for role in (Role.TECHNICIAN, Role.INSPECTOR):
            assert traffic.forge(entry.body, supervisor, scene.shop.people[role])["verdict"] == "denied"
        traffic.hand_in_all()


def test_saying_that_one_undoes_something_frees_nobody_from_the_rules(traffic: Traffic) -> None:
    """What an entry calls an undo is one only where values go back to what they were before."""
    scene = traffic.scene
    order_id = scene.order()
    scene.role = Role.OPERATOR
    operator = scene.actor
    stage_id = scene.own_stages(order_id)[0]
    moved = scene.own(move_stage(stage_id=stage_id, to=StageStatus.IN_PROGRESS))
    traffic.hand_in_all()
    row = traffic.counter.row("stage", stage_id)
    for undone in (str(moved.change_id), str(uuid4())):
        for fields in (
            {"assignee_id": (row["assignee_id"], None)},
            {"deleted": (False, True)},
            {"planned_start": (row["planned_start"], row["planned_end"])},
        ):
            change = changed("stage", stage_id, row["version"] + 1, **fields)
            assert traffic.forger.push_rows(operator, change, undoes=undone)["verdict"] == "denied"
        back = changed("stage", stage_id, row["version"] + 1, status=("in_progress", "planned"))
        answer = traffic.forger.push_rows(operator, back, undoes=str(uuid4()))
        assert answer["verdict"] == "conflict"
        issue = created(
            "issue", uuid4(), number=str(uuid4()), stage_id=str(stage_id), work_order_id=str(order_id), type="other",
            status="open", title="Scratch", raised_at="2026-04-15T12:00:00Z",
            raised_by_id=str(scene.shop.people[Role.ADMIN].user_id),
        )  # fmt: skip
        heads: list[dict[str, Any]] = [
            {"undoes": undone},
            {"resolves": []},
            {"resolves": [[str(uuid4()), 1]]},
        ]
        for head in heads:
            assert traffic.forger.push_rows(operator, issue, **head)["verdict"] == "denied"
    traffic.forger.open()


@pytest.mark.parametrize("take", Take)
def test_a_conflict_is_settled_by_its_author_or_a_supervisor_and_by_nobody_else(
    traffic: Traffic, take: Take
) -> None:
    scene, counter = traffic.scene, traffic.counter
    order_id = scene.order()
    traffic.hand_in_all()
    version = counter.row("work_order", order_id)["version"] + 1
    elsewhere = changed("work_order", order_id, version, quantity=(60, 70))
    assert traffic.forger.push_rows(scene.shop.people[Role.ADMIN], elsewhere)["verdict"] == "applied"
    scene.role = Role.PLANNER
    scene.own(edit_work_orders(ids=[order_id], quantity=80))
    (entry,) = traffic.waiting()
    answer = traffic.hand_in(entry)
    assert answer["verdict"] == "conflict"
    parking = Parking(scene.shop.house)
    parked = parking.park(entry, fields=answer["reason"]["fields"])
    parking.set_row("work_order", order_id, quantity=70, version=version)
    name: dict[str, Any] = {"source": parked.source, "n": parked.n}
    values = {"quantity": 75} if take is Take.OTHER else {}
    scene.own(settle_conflict(**name, take=take, values=values))
    (settling,) = traffic.waiting()
    refused = traffic.forge(settling.body, scene.actor, scene.shop.people[Role.OPERATOR])
    assert refused["verdict"] == "denied"
    settled = counter.record(traffic.hand_in(settling)["seq"])
    assert settled["resolves"] == [[str(parked.source), parked.n]]
    wanted = {Take.MINE: 80, Take.THEIRS: 70, Take.OTHER: 75}[take]
    assert counter.row("work_order", order_id)["quantity"] == wanted
    parking.settle(parked)
    if take is Take.THEIRS:
        scene.shop.do(bring_back(**name), Role.SUPERVISOR)
        traffic.hand_in_all()
        assert counter.row("work_order", order_id)["quantity"] == 80


def test_what_was_done_before_a_station_joined_is_taken_in_whoever_did_it(
    server: ServerDatabase, tmp_path: Path
) -> None:
    """The first administrator too, whom the plant itself made; once the station has brought all, it may no more."""
    server.add_station("B1", bring_data=True)
    with opened_house(tmp_path / "old") as house:
        ann = house.door.perform(create_first_admin(name="Ann", password=PASSWORD), THE_PLANT).result
        admin = Actor(ann, "Ann", Role.ADMIN)
        made = house.door.perform(create_work_order(product="FRAME-M", quantity=5), admin)
        house.door.perform(undo(change_id=made.change_id), admin)
        with house.store.reader() as session:
            bodies = [row.body for row in session.execute(select(Outbox).order_by(Outbox.position)).scalars()]
    with psycopg.connect(server.station_url("B1"), autocommit=True) as station, server.connect() as owner:
        counter = Counter(station, owner, "B1", server.station_key("B1"))
        for body in bodies:
            assert counter.push(body, None)["verdict"] == "applied"
        assert counter.row("user_account", ann)["role"] == "admin"
        assert counter.row("work_order", made.result)["deleted"]
        station.execute("SELECT sync.end_bringing()")
        assert counter.push_rows(THE_PLANT, new_order(uuid4()))["verdict"] == "denied"
        assert counter.push_rows(admin, new_order(uuid4()))["verdict"] == "applied"
