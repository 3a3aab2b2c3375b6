"""Fills a fresh store with a believable week: every row goes through the door, with the clock of that day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import Refused
from app.domain.inspections import InspectionItem, ItemKind
from app.domain.issues import IssueType
from app.domain.maintenance import MaintenanceKind, MaintenancePriority
from app.domain.people import THE_PLANT, Actor, Role
from app.domain.plant import Plant
from app.domain.stages import RouteStep, StageStatus
from app.operations.change import Intent
from app.operations.door import Door
from app.operations.inspections import log_inspection
from app.operations.issues import acknowledge_issue, raise_issue, resolve_issue
from app.operations.maintenance import plan_maintenance
from app.operations.orders import create_work_order, set_route
from app.operations.people import add_user, create_first_admin
from app.operations.plant import apply_plant
from app.operations.stages import assign_stages, move_stage
from app.plant import House
from app.store.tables import Stage

R = TypeVar("R")

DEMO_PASSWORD = "show me the workshop"
SUPERVISOR = "Kim Osei"
TECHNICIAN = "Tom Keller"
PEOPLE = (
    (SUPERVISOR, Role.SUPERVISOR),
    ("Ada Lindqvist", Role.MANAGER),
    ("Piotr Nowak", Role.PLANNER),
    ("Ines Duarte", Role.INSPECTOR),
    (TECHNICIAN, Role.TECHNICIAN),
    ("Rosa Blanc", Role.OPERATOR),
    ("Jan Novotny", Role.OPERATOR),
)
_PRODUCTS = (
    ("FRAME-M", "Frame M, welded"),
    ("RAIL-S", "Guide rail S"),
    ("COVER-12", "Cover plate 12"),
    ("BRACKET-L", "Bracket left"),
    ("BRACKET-R", "Bracket right"),
    ("TANK-80", "Tank 80 l"),
    ("HINGE-K2", "Hinge K2"),
    ("HOUSING-A", "Gear housing A"),
)
_CUSTOMERS = ("Brandt Pumps", "Nordhafen", "Atelier Moreau", "Kowalski i Syn", "Hall 3 stock", "Okafor Rail")
_FRAME = (("Cut", 480), ("Weld", 960), ("Paint", 720), ("Inspect", 240), ("Pack", 240))
_BRACKET = (("Cut", 360), ("Weld", 480), ("Inspect", 120), ("Pack", 120))  # not painted: they come galvanised
_ROUTES = {
    "": [RouteStep(*step) for step in _FRAME],
    "BRACKET-L": [RouteStep(*step) for step in _BRACKET],
    "BRACKET-R": [RouteStep(*step) for step in _BRACKET],
}
_LINES = ("Line 1", "Line 2", "Line 3")
_ISSUES = (
    (IssueType.MATERIAL, "Sheet 3 mm arrived with rust", "Three of twelve sheets; the rest can be used."),
    (IssueType.QUALITY, "Runs in the paint on the left side", "Seen under the lamp, about 10 cm."),
    (IssueType.MACHINE, "Welding source 2 loses its arc", "After about ten minutes of work."),
    (IssueType.TOOLING, "Drill 8.5 mm is worn out", ""),
    (
        IssueType.DRAWING,
        "Drawing shows the old hole pattern",
        "Revision C is on the pallet, B in the folder.",
    ),
)
_MAINTENANCE = (
    # machine type, title, kind, priority, planned days ago, due in days (below 0: late), what to do
    ("cnc-mill", "Grease the spindle", "preventive", "medium", 9, 2.3, "Two strokes of LGMT 2."),
    ("cnc-mill", "Renew the coolant", "preventive", "low", 12, 6.1, ""),
    ("conveyor", "Belt runs off to the left", "corrective", "high", 2, 0.2, "Align, then tension."),
    ("robot", "Check the emergency stops", "preventive", "critical", 10, -0.6, "All four of the line."),
    (
        "injection-molding",
        "Heating zone 3 is slow",
        "corrective",
        "medium",
        4,
        3.4,
        "Measure the band first.",
    ),
    ("scanner", "Clean the camera window", "preventive", "low", 6, 1.1, ""),
)
_BLOCKS = (
    "Waiting for sheet 3 mm",
    "Paint booth is being cleaned",
    "Drawing to be confirmed by the customer",
)


@dataclass(frozen=True, slots=True)
class DemoFacts:
    """What was made, who stands at the screen, and who looks after the machines."""

    supervisor: Actor
    technician: Actor
    orders: int
    moves: int
    issues: int
    inspections: int


class _Past:
    """The door with a clock that can be set back, so that times of the past are real times of real changes."""

    def __init__(self, door: Door, now: datetime) -> None:
        self._door = door
        self._at = now

    def __call__(self) -> datetime:
        return self._at

    def do(self, intent: Intent[R], actor: Actor, at: datetime) -> R:
        self._at = at
        return self._door.perform(intent, actor).result


@contextmanager
def _set_back(door: Door, now: datetime) -> Iterator[_Past]:
    clock: Callable[[], datetime] = door.clock
    past = _Past(door, now)
    door.clock = past
    try:
        yield past
    finally:
        door.clock = clock


def furnish(house: House, plant: Plant, *, seed: int = 7, orders: int = 64) -> DemoFacts:
    """Make people, routes, machines and a week of work in an empty store; the same seed makes the same week."""
    now = house.door.clock()
    with _set_back(house.door, now - timedelta(days=14)) as past:
        people = _hire(past, now - timedelta(days=14))
        supervisor, planner = people[SUPERVISOR], people["Piotr Nowak"]
        past.do(apply_plant(plant=plant), THE_PLANT, now - timedelta(days=14))
        for product, steps in _ROUTES.items():
            past.do(set_route(product=product, steps=steps), planner, now - timedelta(days=13))
        week = _Week(house, past, people, Random(seed), now)
        for number in range(orders):
            week.make_order(number)
        _plan_maintenance(past, plant, people, now)
    return DemoFacts(supervisor, people[TECHNICIAN], orders, week.moves, week.issues, week.inspections)


def _hire(past: _Past, at: datetime) -> dict[str, Actor]:
    admin_id = past.do(create_first_admin(name="admin", password=DEMO_PASSWORD), THE_PLANT, at)
    admin = Actor(admin_id, "admin", Role.ADMIN)
    people = {"admin": admin}
    for name, role in PEOPLE:
        intent = add_user(name=name, role=role, password=DEMO_PASSWORD, must_change_password=False)
        people[name] = Actor(past.do(intent, admin, at), name, role)
    return people


def _plan_maintenance(past: _Past, plant: Plant, people: dict[str, Actor], now: datetime) -> None:
    """Some for the technician, some for whoever is free; what the plant has no machine for is left out."""
    machines = {machine.type: machine.name for machine in plant.equipment}
    for turn, (machine, title, kind, priority, ago, due, description) in enumerate(_MAINTENANCE):
        if machine not in machines:
            continue
        planned = plan_maintenance(
            title=title,
            description=description,
            kind=MaintenanceKind(kind),
            priority=MaintenancePriority(priority),
            equipment=machines[machine],
            assignee=TECHNICIAN if turn % 2 == 0 else "",
            due_at=now + timedelta(days=due),
        )
        past.do(planned, people[SUPERVISOR], now - timedelta(days=ago))


class _Week:
    """One order after the other, each as far as it would have come by now."""

    def __init__(
        self, house: House, past: _Past, people: dict[str, Actor], chance: Random, now: datetime
    ) -> None:
        self._house = house
        self._past = past
        self._people = people
        self._chance = chance
        self._now = now
        self.moves = self.issues = self.inspections = 0

    def make_order(self, number: int) -> None:
        chance = self._chance
        product, name = chance.choice(_PRODUCTS)
        begins = chance.choices(((-130, -60), (-60, -6), (-6, 40)), (3, 5, 2))[0]
        start = self._now + timedelta(hours=chance.uniform(*begins))
        minutes = sum(step.planned_minutes for step in _ROUTES.get(product, _ROUTES[""]))
        end = start + timedelta(minutes=minutes * chance.uniform(1.05, 1.7))
        created = min(start, self._now) - timedelta(hours=chance.uniform(5, 40))
        quantity = chance.choice((1, 6, 12, 20, 40, 60, 120, 250))
        order_id = self._past.do(
            create_work_order(
                number=f"WO-{1001 + number}",
                product=product,
                product_name=name,
                lot=f"L{start:%y%W}-{number % 9 + 1}",
                quantity=quantity,
                planned_start=start,
                planned_end=end,
                priority=chance.choices((1, 2, 3, 4, 5), (1, 3, 9, 3, 1))[0],
                customer=chance.choice(_CUSTOMERS),
                line=chance.choice(_LINES),
            ),
            self._people["Piotr Nowak"],
            created,
        )
        stages = self._stages(order_id)
        self._assign(stages, created)
        self._work(stages, start)

    def _stages(self, order_id: UUID) -> list[Stage]:
        with self._house.store.reader() as session:
            found = select(Stage).where(Stage.work_order_id == order_id).order_by(Stage.position)
            return list(session.execute(found).scalars())

    def _assign(self, stages: list[Stage], at: datetime) -> None:
        for name in ("Rosa Blanc", "Jan Novotny"):
            mine = [stage.id for stage in stages if self._chance.random() < 0.3]
            if mine:
                self._past.do(
                    assign_stages(ids=mine, assignee_id=self._people[name].user_id),
                    self._people[SUPERVISOR],
                    at,
                )

    def _work(self, stages: list[Stage], start: datetime) -> None:
        """Stages one after the other, each a little faster or slower than planned, until the present is reached."""
        chance = self._chance
        at = start + timedelta(hours=chance.uniform(0, 6))
        pace = chance.choice((0.85, 0.9, 1.0, 1.0, 1.1, 1.5))
        for stage in stages:
            if at > self._now:
                return
            self._move(stage, StageStatus.IN_PROGRESS, at)
            finish = at + timedelta(minutes=stage.planned_minutes * pace * chance.uniform(0.85, 1.25))
            self._happen(stage, at, min(finish, self._now))
            if finish > self._now:
                if chance.random() < 0.15:
                    self._move(
                        stage, StageStatus.BLOCKED, self._now - timedelta(minutes=30), chance.choice(_BLOCKS)
                    )
                return
            self._move(stage, StageStatus.DONE, finish)
            at = finish + timedelta(minutes=chance.uniform(2, 180))

    def _move(self, stage: Stage, to: StageStatus, at: datetime, reason: str = "") -> None:
        self._past.do(move_stage(stage_id=stage.id, to=to, reason=reason), self._people[SUPERVISOR], at)
        self.moves += 1

    def _happen(self, stage: Stage, since: datetime, until: datetime) -> None:
        """An inspection on most inspecting stages, an issue now and then."""
        middle = since + (until - since) / 2
        if stage.name == "Inspect":
            self._past.do(
                log_inspection(stage_id=stage.id, items=_items(self._chance)),
                self._people["Ines Duarte"],
                middle,
            )
            self.inspections += 1
        if self._chance.random() < 0.1:
            self._raise_issue(stage, middle)

    def _raise_issue(self, stage: Stage, at: datetime) -> None:
        kind, title, description = self._chance.choice(_ISSUES)
        raised = raise_issue(stage_id=stage.id, title=title, type=kind, description=description)
        issue_id = self._past.do(raised, self._people["Rosa Blanc"], at)
        self.issues += 1
        later = at + timedelta(minutes=25)
        if later > self._now or self._chance.random() < 0.3:
            return
        self._past.do(acknowledge_issue(issue_id=issue_id), self._people[TECHNICIAN], later)
        if self._chance.random() < 0.6:
            words = resolve_issue(issue_id=issue_id, resolution="Replaced and checked")
            self._past.do(words, self._people[TECHNICIAN], min(later + timedelta(hours=2), self._now))


def _items(chance: Random) -> list[InspectionItem]:
    bore = round(chance.gauss(12.0, 0.02), 3)
    film = round(chance.gauss(82, 6), 1)
    return [
        InspectionItem(ItemKind.CHECK, "No visible cracks", passed=True),
        InspectionItem(ItemKind.CHECK, "Edges deburred", passed=chance.random() > 0.05),
        InspectionItem(ItemKind.MEASURE, "Bore", value=bore, unit="mm", lower=11.95, upper=12.05),
        InspectionItem(ItemKind.MEASURE, "Paint film", value=film, unit="µm", lower=60.0, upper=100.0),
    ]


def refuse_used_folder(house: House) -> None:
    """Raise `Refused` when the store already holds people: the demo is for an empty folder."""
    from app.store.tables import UserAccount

    with house.store.reader() as session:
        used: Any = session.execute(select(UserAccount.id).limit(1)).first()
    if used is not None:
        raise Refused(f"{house.folder} holds data already; give the demo an empty folder.")
