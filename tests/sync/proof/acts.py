"""What people at a station may do next: one operation of the product on rows that are shown there, chosen by chance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.conflicts import Take
from app.domain.errors import Refused
from app.domain.inspections import InspectionItem, ItemKind
from app.domain.people import Role
from app.domain.plant import Connection, Equipment, Limits, Tag, Writing
from app.domain.stages import RouteStep, StageStatus
from app.operations import (
    alarms,
    attachments,
    conflicts,
    imports,
    inspections,
    issues,
    maintenance,
    notes,
    orders,
    people,
    plant,
    saved_views,
    stages,
    undo,
)
from app.operations.change import Intent
from app.operations.import_runs import ImportChoices, begin_draft
from app.store import tables
from app.store.queries.conflicts import read_points
from app.store.sessions import Store
from app.store.workbooks import read_workbook
from tests.operations.sheets import ORDER_HEADERS, order_row

T = TypeVar("T")
RowT = TypeVar("RowT", bound=tables.Record)

NUMBERS = ("X-1", "X-2", "X-3")
"""Numbers that people type at several stations, so that two of them want the same."""
NAMES = ("one", "two")
FILES = (b"a photo", b"a drawing", b"another photo")


class NothingThere(Refused):
    """There is no row yet with which this could be done."""


@dataclass
class Scene:
    """A station's store as the person at it sees it, and the chance that decides."""

    store: Store
    session: Session
    folder: Path
    chance: Random
    now: datetime

    def one(self, found: list[T]) -> T:
        if not found:
            raise NothingThere("There is nothing to do this with.")
        return found[self.chance.randrange(len(found))]

    def of(self, *choices: T) -> T:
        return self.one(list(choices))

    def row(self, row_class: type[RowT]) -> RowT:
        """A living row, often the newest: people go on with what they just made."""
        found = self.session.execute(select(row_class).where(~row_class.deleted).order_by(row_class.id))
        rows = list(found.scalars())
        return self.one(rows[-1:] if self.chance.random() < 0.3 else rows)

    def newest(self, row_class: type[RowT]) -> UUID:
        """The id of the living row that was made last."""
        newest = row_class.id.desc()
        found = self.session.execute(select(row_class.id).where(~row_class.deleted).order_by(newest).limit(1))
        return self.one(list(found.scalars()))

    def word(self) -> str:
        return f"{self.of('a', 'b', 'é😀', 'über')}{self.chance.randrange(9)}"


Act = Callable[[Scene], Intent[Any]]


def _create_order(scene: Scene) -> Intent[Any]:
    number = scene.of("", "", *NUMBERS)
    return orders.create_work_order(product=scene.of("FRAME-M", "P-1"), quantity=5, number=number)


def _edit_order(scene: Scene) -> Intent[Any]:
    start = scene.now + timedelta(days=scene.chance.randrange(5))
    values: Mapping[str, Any] = {
        "product": f"P-{scene.chance.randrange(3)}",
        "lot": scene.word(),
        "customer": scene.word(),
        "line": scene.word(),
        "note": scene.word(),
        "quantity": scene.chance.randrange(1, 50),
        "quantity_done": scene.chance.randrange(0, 50),
        "priority": scene.of(1, 2, 3, 4),
        "planned_end": start + timedelta(days=9),
        "planned_start": start,
    }
    names = {scene.of(*values) for _ in range(scene.of(1, 1, 2))}
    ids = {scene.row(tables.WorkOrder).id for _ in range(scene.of(1, 1, 2))}
    return orders.edit_work_orders(ids=sorted(ids), **{name: values[name] for name in sorted(names)})


def _route(scene: Scene) -> Intent[Any]:
    steps = [RouteStep(name, 10) for name in scene.of(("Cut", "Weld"), ("Saw",), ("Cut", "Glue", "Pack"))]
    return orders.set_route(product=scene.of("P-1", "P-2"), steps=steps)


def _move(scene: Scene) -> Intent[Any]:
    to = scene.of(*StageStatus)
    return stages.move_stage(stage_id=scene.row(tables.Stage).id, to=to, reason=scene.word())


def _assign(scene: Scene) -> Intent[Any]:
    person = scene.row(tables.UserAccount).id
    return stages.assign_stages(ids=[scene.row(tables.Stage).id], assignee_id=scene.of(person, None))


def _inspect(scene: Scene) -> Intent[Any]:
    items = [
        InspectionItem(ItemKind.CHECK, "Clean", passed=True),
        InspectionItem(ItemKind.MEASURE, "Width", value=10.1 + scene.chance.randrange(9), unit="mm"),
    ]
    return inspections.log_inspection(stage_id=scene.row(tables.Stage).id, items=items, note=scene.word())


def _drop(scene: Scene) -> Intent[Any]:
    stage = scene.row(tables.Stage)
    return stages.move_order_to_stage(order_id=stage.work_order_id, stage_name=scene.of(stage.name, ""))


def _attach(scene: Scene) -> Intent[Any]:
    owner = scene.of(tables.WorkOrder, tables.Issue)
    data = scene.of(*FILES)
    digest = hashlib.sha256(data).hexdigest()
    return attachments.attach_file(
        owner=owner.__tablename__, owner_id=scene.row(owner).id, name="a.jpg", sha256=digest, size=len(data)
    )


def _note(scene: Scene) -> Intent[Any]:
    return notes.write_note(at=scene.now, text=scene.word())


def _machine(scene: Scene) -> Intent[Any]:
    name = scene.of(*NAMES)
    return plant.save_machine(
        connection=Connection(name, "modbus-tcp", f"tcp://10.0.0.{scene.chance.randrange(9)}:502"),
        equipment=[Equipment(name, scene.word())],
        tags=[Tag(name, name, name, "hr:100:float32", unit="°C", limits=Limits(hi=80.0), writing=Writing(0.0, 9.0))],
    )  # fmt: skip


def _limits(scene: Scene) -> Intent[Any]:
    return plant.set_limits(
        tag=scene.row(tables.Tag).name, hi=scene.of(70.0, 71.5), hihi=scene.of(None, 90.25)
    )


def _view(scene: Scene) -> Intent[Any]:
    name, content = scene.of(*NAMES), {"a": [1, 2.5], "b": {"c": scene.word()}}
    return saved_views.save_view(place="charts", name=name, content=content, shared=scene.of(True, False))


def _import(scene: Scene) -> Intent[Any]:
    rows = [order_row(scene.chance.randrange(4), Bemerkung=scene.word()) for _ in range(3)]
    path = scene.folder / "orders.csv"
    path.write_text("\n".join(";".join(map(str, row)) for row in [ORDER_HEADERS, *rows]))
    draft = begin_draft(scene.store, read_workbook(path), ImportChoices("work-orders"))
    return imports.apply_import(plan=draft.plan, file_name=path.name, digest="d", skip_errors=True)


def _account(scene: Scene) -> Intent[Any]:
    """Somebody's role, or whether they may work at all; the administrator stays one."""
    user_id = scene.row(tables.UserAccount).id
    return scene.of(
        people.set_role(user_id=user_id, role=scene.of(*Role)),
        people.disable_user(user_id=user_id),
        people.enable_user(user_id=user_id),
    )


def _password(scene: Scene) -> Intent[Any]:
    return people.reset_password(
        user_id=scene.row(tables.UserAccount).id, password=f"a quiet morning {scene.chance.randrange(9)}"
    )


def _undo(scene: Scene) -> Intent[Any]:
    done = select(tables.Outbox.change_id).order_by(tables.Outbox.position.desc()).limit(6)
    return undo.undo(change_id=scene.one(list(scene.session.execute(done).scalars())))


def _settle(scene: Scene) -> Intent[Any]:
    open_ones = (
        select(tables.Conflict).where(tables.Conflict.settled_seq.is_(None)).order_by(tables.Conflict.n)
    )
    parked = scene.one(list(scene.session.execute(open_ones).scalars()))
    take = scene.of(*Take)
    values = {}
    if take is Take.OTHER:
        point = scene.one(read_points(scene.session, parked))
        values = {point.key: scene.of(point.base, point.mine, point.now)}
    return conflicts.settle_conflict(source=parked.source, n=parked.n, take=take, values=values)


def _bring_back(scene: Scene) -> Intent[Any]:
    settled = (
        select(tables.Conflict).where(~tables.Conflict.settled_seq.is_(None)).order_by(tables.Conflict.n)
    )
    parked = scene.one(list(scene.session.execute(settled).scalars()))
    return conflicts.bring_back(source=parked.source, n=parked.n)


def _id(row_class: type[tables.Record]) -> Callable[[Scene], UUID]:
    return lambda scene: scene.row(row_class).id


_order, _stage, _issue = _id(tables.WorkOrder), _id(tables.Stage), _id(tables.Issue)
_written, _saved, _file = _id(tables.Note), _id(tables.SavedView), _id(tables.Attachment)

OFTEN: tuple[Act, ...] = (
    _create_order,
    _create_order,
    _edit_order,
    _edit_order,
    _edit_order,
    _edit_order,
    _move,
    _move,
    lambda s: stages.advance_work_order(order_id=_order(s)),
    _drop,
    _assign,
    lambda s: issues.raise_issue(stage_id=_stage(s), title=s.word()),
    lambda s: issues.acknowledge_issue(issue_id=_issue(s)),
    lambda s: issues.resolve_issue(issue_id=_issue(s), resolution=s.word()),
    lambda s: issues.reopen_issue(issue_id=_issue(s)),
    _note,
    lambda s: notes.edit_note(note_id=_written(s), text=s.word()),
    lambda s: notes.delete_note(note_id=_written(s)),
    _undo,
    _undo,
    _settle,
    _settle,
)
SELDOM: tuple[Act, ...] = (
    lambda s: orders.delete_work_orders(ids=[_order(s)]),
    lambda s: orders.cancel_work_orders(ids=[_order(s)]),
    _route,
    lambda s: maintenance.plan_maintenance(title=s.word(), equipment=s.word()),
    _inspect,
    _attach,
    lambda s: attachments.remove_attachment(attachment_id=_file(s)),
    _machine,
    _limits,
    lambda s: plant.rename_tag(tag=s.row(tables.Tag).name, name=s.of(*NAMES)),
    lambda s: plant.delete_tags(tags=[s.row(tables.Tag).name]),
    lambda s: alarms.shelve_alarm(alarm=s.row(tables.Tag).name, minutes=5, reason="probe"),
    _view,
    lambda s: saved_views.rename_view(view_id=_saved(s), name=s.of(*NAMES)),
    lambda s: saved_views.share_view(view_id=_saved(s), shared=s.of(True, False)),
    lambda s: saved_views.delete_view(view_id=_saved(s)),
    _import,
    _account,
    _account,
    _bring_back,
)
FURNITURE: tuple[Act, ...] = (
    lambda s: orders.create_work_order(product="FRAME-M", quantity=5),
    lambda s: issues.raise_issue(stage_id=_stage(s), title="Scratch"),
    _note,
    _machine,
)
"""What makes the first rows of a shop."""
RARELY: tuple[Act, ...] = (_password,)
ROLES = (*(Role.ADMIN,) * 6, *Role)


def typed_order(number: str) -> tuple[Act, ...]:
    """An order with a number that a person typed; at two stations at once, only one of them can have it."""
    return (lambda _scene: orders.create_work_order(product="FRAME-M", quantity=5, number=number),)


GOING_ON: tuple[Act, ...] = (
    lambda s: issues.raise_issue(stage_id=s.newest(tables.Stage), title=s.word()),
    lambda s: stages.advance_work_order(order_id=s.newest(tables.WorkOrder)),
)
"""What hangs on a row that was made a moment ago."""


def choose(
    store: Store, folder: Path, chance: Random, now: datetime, pool: tuple[Act, ...] = ()
) -> tuple[Intent[Any], Role]:
    """An intent and who has it, of `pool` if one is given; raises `NothingThere` when no row fits."""
    kind = chance.randrange(40)
    pool = pool or (RARELY if kind == 0 else SELDOM if kind < 14 else OFTEN)
    act = pool[chance.randrange(len(pool))]
    with store.reader() as session:
        return act(Scene(store, session, folder, chance, now)), ROLES[chance.randrange(len(ROLES))]
