"""One way to use each operation, by a person of any role, each time on rows of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from app.domain.corrections import CorrectionKind
from app.domain.inspections import InspectionItem, ItemKind
from app.domain.people import Actor, Role
from app.domain.plant import Connection, Equipment, Limits, Tag, Writing
from app.domain.stages import RouteStep, StageStatus
from app.operations import (
    alarms,
    attachments,
    corrections,
    imports,
    inspections,
    issues,
    machines,
    maintenance,
    notes,
    orders,
    people,
    plant,
    saved_views,
    stages,
)
from app.operations.change import Intent, Outcome
from app.operations.import_runs import ImportChoices, begin_draft
from app.store.queries.plant import read_plant
from app.store.workbooks import read_workbook
from tests.operations.sheets import order_book, order_row
from tests.operations.shop import Shop

PASSWORD, OTHER_PASSWORD = "a quiet winter morning", "a loud summer evening"


@dataclass
class Scene:
    """A shop in which the administrator prepares what a person of `role` is about to do."""

    shop: Shop
    folder: Path
    role: Role = Role.ADMIN
    numbers: count[int] = field(default_factory=lambda: count(1))

    @property
    def actor(self) -> Actor:
        return self.shop.people[self.role]

    def own(self, intent: Intent[Any]) -> Outcome[Any]:
        """Something that the person did before."""
        return self.shop.do(intent, self.role)

    def order(self) -> UUID:
        return self.shop.order(product=f"FRAME-{next(self.numbers)}")

    def own_stages(self, order_id: UUID) -> list[UUID]:
        """The stages of an order, all given to the person."""
        ids = [stage.id for stage in self.shop.stages(order_id)]
        self.shop.do(stages.assign_stages(ids=ids, assignee_id=self.actor.user_id))
        return ids

    def stage(self, *moves: StageStatus) -> UUID:
        """The person's first stage of a new order, after these moves."""
        first = self.own_stages(self.order())[0]
        for to in moves:
            self.shop.do(stages.move_stage(stage_id=first, to=to, reason="no steel"))
        return first

    def issue(self, *, acknowledged: bool = False, resolved: bool = False) -> UUID:
        issue_id: UUID = self.shop.do(issues.raise_issue(stage_id=self.stage(), title="Scratch")).result
        if acknowledged:
            self.shop.do(issues.acknowledge_issue(issue_id=issue_id))
        if resolved:
            self.shop.do(issues.resolve_issue(issue_id=issue_id, resolution="Polished"))
        return issue_id

    def machine(self) -> str:
        """A machine with its connection and a tag; returns the name of all three."""
        name = f"M{next(self.numbers)}"
        self.shop.do(
            plant.save_machine(
                connection=connection(name), equipment=[Equipment(name, name)], tags=[tag(name)]
            )
        )
        return name

    def account(self, role: Role = Role.OPERATOR) -> UUID:
        name = f"Person {next(self.numbers)}"
        intent = people.add_user(name=name, role=role, password=PASSWORD, must_change_password=False)
        user_id: UUID = self.shop.do(intent).result
        return user_id

    def disabled(self) -> UUID:
        user_id = self.account()
        self.shop.do(people.disable_user(user_id=user_id))
        return user_id

    def note(self) -> UUID:
        note_id: UUID = self.own(notes.write_note(at=self.shop.now, text="Door open")).result
        return note_id

    def view(self) -> UUID:
        intent = saved_views.save_view(place="charts", name=f"View {next(self.numbers)}", content={"a": [1]})
        view_id: UUID = self.own(intent).result
        return view_id

    def correction(self) -> Intent[UUID]:
        return corrections.correct_history(
            tag=self.machine(),
            start=self.shop.now - timedelta(hours=2),
            end=self.shop.now - timedelta(hours=1),
            kind=CorrectionKind.OFFSET,
            amount=1.5,
            reason="Probe was off",
        )

    def photo(self) -> Intent[UUID]:
        return attachments.attach_file(
            owner="work_order", owner_id=self.order(), name="weld.jpg", sha256="ab" * 32, size=10
        )

    def imported(self, path: Path, target: str) -> Intent[Any]:
        draft = begin_draft(self.shop.house.store, read_workbook(path), ImportChoices(target))
        return imports.apply_import(plan=draft.plan, file_name=path.name, digest="d", skip_errors=True)

    def order_file(self, rows: list[list[object]]) -> Intent[Any]:
        return self.imported(
            order_book(self.folder, rows, f"orders-{next(self.numbers)}.xlsx"), "work-orders"
        )

    def changing_file(self) -> Intent[Any]:
        """A file that changes what an earlier one made: done, blocked, begun, cancelled, other dates and notes."""
        first = next(self.numbers) * 100
        rows = [order_row(first + n) for n in range(5)]
        self.shop.do(self.order_file(rows))
        said = ("Fertig", "Gesperrt", "In Arbeit", "Storniert", "geplant")
        for row, status in zip(rows, said, strict=True):
            row[2], row[5], row[6] = 77, status, "Anders"
        return self.order_file(rows)

    def maintenance_file(self) -> Intent[Any]:
        number = next(self.numbers)
        path = self.folder / f"maintenance-{number}.csv"
        path.write_text(f"Number,Title,Priority,Status\nX-{number},Grease,HIGH,Open\n")
        return self.imported(path, "maintenance")

    def present_plant(self) -> Any:
        with self.shop.house.store.reader() as session:
            return read_plant(session)


def connection(name: str) -> Connection:
    return Connection(name, "modbus-tcp", "tcp://10.0.0.1:502")


def tag(name: str, **values: Any) -> Tag:
    given = {"unit": "°C", "limits": Limits(hi=80.0), "writing": Writing(0.0, 200.0), **values}
    return Tag(name, name, name, "hr:100:float32", **given)


def _advance(scene: Scene) -> Intent[Any]:
    order_id = scene.order()
    scene.own_stages(order_id)
    return stages.advance_work_order(order_id=order_id)


def _drop(scene: Scene) -> Intent[Any]:
    order_id = scene.order()
    first, second = scene.own_stages(order_id)[:2]
    scene.shop.do(stages.move_stage(stage_id=first, to=StageStatus.IN_PROGRESS))
    name = next(stage.name for stage in scene.shop.stages(order_id) if stage.id == second)
    return stages.move_order_to_stage(order_id=order_id, stage_name=name)


def _finish(scene: Scene) -> Intent[Any]:
    """The last stage of an order, with which the order is done."""
    order_id = scene.order()
    ids = scene.own_stages(order_id)
    for stage_id in ids[:-1]:
        for to in (StageStatus.IN_PROGRESS, StageStatus.DONE):
            scene.shop.do(stages.move_stage(stage_id=stage_id, to=to))
    scene.shop.do(stages.move_stage(stage_id=ids[-1], to=StageStatus.IN_PROGRESS))
    return stages.move_stage(stage_id=ids[-1], to=StageStatus.DONE)


def _new_plan(scene: Scene) -> Intent[Any]:
    start = scene.shop.now + timedelta(days=1)
    return orders.edit_work_orders(
        ids=[scene.order(), scene.order()],
        product="PANEL-L",
        product_name="Panel",
        quantity=9,
        quantity_done=3,
        note="in a hurry",
        planned_start=start,
        planned_end=start + timedelta(days=2),
    )


def _another_plant(scene: Scene) -> Intent[Any]:
    """A file without one machine and everything of it, and with a new one."""
    gone, name = scene.machine(), f"M{next(scene.numbers)}"
    present = scene.present_plant()
    wanted = type(present)(
        (*(e for e in present.equipment if e.code != gone), Equipment(name, name)),
        (*(c for c in present.connections if c.name != gone), connection(name)),
        (*(t for t in present.tags if t.name != gone), tag(name)),
    )
    return plant.apply_plant(plant=wanted)


def _inspection(scene: Scene) -> Intent[Any]:
    items = [
        InspectionItem(ItemKind.CHECK, "Clean", passed=True),
        InspectionItem(ItemKind.MEASURE, "Width", value=10.5, unit="mm", lower=10.0, upper=11.0),
    ]
    return inspections.log_inspection(stage_id=scene.stage(), items=items, note="fine")


def _route(scene: Scene) -> Intent[Any]:
    product = f"P{next(scene.numbers)}"
    scene.shop.do(orders.set_route(product=product, steps=[RouteStep("Cut", 10)]))
    return orders.set_route(product=product, steps=[RouteStep("Saw", 20), RouteStep("Glue", 30)])


def _template(scene: Scene) -> Intent[Any]:
    name = f"Plan {next(scene.numbers)}"
    scene.shop.do(imports.save_import_template(name=name, target="work-orders", headers={"A": "product"}))
    return imports.save_import_template(name=name, target="work-orders", headers={"B": "product"})


def _other_password(scene: Scene) -> Intent[Any]:
    assert scene.actor.user_id is not None
    scene.shop.do(people.reset_password(user_id=scene.actor.user_id, password=PASSWORD))
    return people.change_own_password(old_password=PASSWORD, new_password=OTHER_PASSWORD)


Example = Callable[[Scene], Intent[Any]]

EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "create_work_order": (lambda s: orders.create_work_order(product="FRAME-M", quantity=5),),
    "edit_work_orders": (_new_plan,),
    "cancel_work_orders": (lambda s: orders.cancel_work_orders(ids=[s.order()]),),
    "delete_work_orders": (lambda s: orders.delete_work_orders(ids=[s.order(), s.order()]),),
    "set_route": (_route,),
    "move_stage": (
        lambda s: stages.move_stage(stage_id=s.stage(), to=StageStatus.IN_PROGRESS),
        lambda s: stages.move_stage(stage_id=s.stage(), to=StageStatus.BLOCKED, reason="no steel"),
        lambda s: stages.move_stage(stage_id=s.stage(StageStatus.BLOCKED), to=StageStatus.PLANNED),
        _finish,
    ),
    "advance_work_order": (_advance,),
    "move_order_to_stage": (_drop,),
    "assign_stages": (
        lambda s: stages.assign_stages(ids=[s.stage()], assignee_id=s.shop.people[Role.INSPECTOR].user_id),
        lambda s: stages.assign_stages(ids=[s.stage()], assignee_id=None),
    ),
    "raise_issue": (lambda s: issues.raise_issue(stage_id=s.stage(), title="Scratch"),),
    "acknowledge_issue": (lambda s: issues.acknowledge_issue(issue_id=s.issue()),),
    "resolve_issue": (
        lambda s: issues.resolve_issue(issue_id=s.issue(), resolution="Polished"),
        lambda s: issues.resolve_issue(issue_id=s.issue(acknowledged=True), resolution="Polished"),
    ),
    "reopen_issue": (lambda s: issues.reopen_issue(issue_id=s.issue(acknowledged=True, resolved=True)),),
    "log_inspection": (_inspection,),
    "attach_file": (Scene.photo,),
    "remove_attachment": (
        lambda s: attachments.remove_attachment(attachment_id=s.own(s.photo()).result),
    ),
    "plan_maintenance": (lambda s: maintenance.plan_maintenance(title="Oil", equipment="Saw"),),
    "apply_plant": (_another_plant,),
    "save_machine": (
        lambda s: plant.save_machine(connection=connection(f"M{next(s.numbers)}")),
        lambda s: plant.save_machine(connection=connection(f"M{next(s.numbers)}"), connection_was=s.machine()),
    ),
    "save_equipment": (lambda s: plant.save_equipment(equipment=Equipment(s.machine(), "Saw", "Hall B", "saw")),),
    "save_tags": (lambda s: plant.save_tags(tags=[tag(s.machine(), unit="K")]),),
    "rename_tag": (lambda s: plant.rename_tag(tag=s.machine(), name=f"T{next(s.numbers)}"),),
    "delete_tags": (lambda s: plant.delete_tags(tags=[s.machine()]),),
    "delete_connection": (lambda s: plant.delete_connection(connection=s.machine()),),
    "enable_connection": (lambda s: plant.enable_connection(connection=s.machine(), enabled=False),),
    "set_limits": (lambda s: plant.set_limits(tag=s.machine(), hi=70.0, hihi=75.0),),
    "set_maintenance": (lambda s: plant.set_maintenance(equipment=s.machine(), in_maintenance=True),),
    "acknowledge_alarm": (lambda s: alarms.acknowledge_alarm(alarm=s.machine(), comment="seen"),),
    "acknowledge_alarms": (lambda s: alarms.acknowledge_alarms(alarms=[s.machine(), s.machine()]),),
    "reset_alarm": (lambda s: alarms.reset_alarm(alarm=s.machine()),),
    "shelve_alarm": (
        lambda s: alarms.shelve_alarm(alarm=s.machine(), minutes=5, reason="probe"),
        lambda s: alarms.shelve_alarm(alarm=s.machine(), minutes=5, reason="probe", one_shot=True),
    ),
    "unshelve_alarm": (lambda s: alarms.unshelve_alarm(alarm=s.machine()),),
    "take_alarm_out_of_service": (
        lambda s: alarms.take_alarm_out_of_service(alarm=s.machine(), reason="probe", permit="P-1"),
    ),
    "return_alarm_to_service": (lambda s: alarms.return_alarm_to_service(alarm=s.machine()),),
    "write_to_machine": (lambda s: machines.write_to_machine(tag=s.machine(), value=12.5, reason="test"),),
    "take_over_machine": (lambda s: machines.take_over_machine(connection=s.machine(), reason="test"),),
    "write_note": (lambda s: notes.write_note(at=s.shop.now, text="Door open"),),
    "edit_note": (lambda s: notes.edit_note(note_id=s.note(), text="Door shut"),),
    "delete_note": (lambda s: notes.delete_note(note_id=s.note()),),
    "correct_history": (Scene.correction,),
    "withdraw_correction": (
        lambda s: corrections.withdraw_correction(correction_id=s.own(s.correction()).result, reason="wrong"),
    ),
    "save_view": (
        lambda s: saved_views.save_view(place="charts", name=f"View {next(s.numbers)}", content={}, shared=True),
    ),
    "rename_view": (lambda s: saved_views.rename_view(view_id=s.view(), name=f"View {next(s.numbers)}"),),
    "share_view": (lambda s: saved_views.share_view(view_id=s.view(), shared=True),),
    "delete_view": (lambda s: saved_views.delete_view(view_id=s.view()),),
    "apply_import": (
        lambda s: s.order_file([order_row(next(s.numbers) * 100 + n) for n in range(3)]),
        Scene.changing_file,
        Scene.maintenance_file,
    ),
    "save_import_template": (_template,),
    "add_user": (
        lambda s: people.add_user(name=f"New {next(s.numbers)}", role=Role.OPERATOR, password=PASSWORD),
    ),
    "set_role": (lambda s: people.set_role(user_id=s.account(), role=Role.PLANNER),),
    "disable_user": (lambda s: people.disable_user(user_id=s.account()),),
    "enable_user": (lambda s: people.enable_user(user_id=s.disabled()),),
    "reset_password": (
        lambda s: people.reset_password(user_id=s.account(), password=PASSWORD),
    ),
    "change_own_password": (_other_password,),
}  # fmt: skip

NOTHING_SHARED = {"note_machine_password"}
"""Operations that leave nothing but a line in this station's audit trail."""

ELSEWHERE = {"create_first_admin", "undo", "settle_conflict", "bring_back"}
"""Operations with tests of their own: before a station joins, after each other operation, after a refused entry."""
