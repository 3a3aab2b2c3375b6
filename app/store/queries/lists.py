"""The lists of Lineside, each declared once: its columns, its order, what its free text searches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, column, func, literal_column, or_, select, table
from sqlalchemy.orm import Session, aliased

from app.domain.errors import Refused
from app.domain.inspections import Verdict
from app.domain.issues import IssueStatus, IssueType
from app.domain.maintenance import MaintenanceKind, MaintenancePriority, MaintenanceStatus
from app.domain.orders import OPEN_STATUSES, OrderStatus
from app.domain.people import Role
from app.domain.stages import StageStatus, delay
from app.store.queries.conflicts import CONFLICTS
from app.store.queries.listing import Column, Listing, TextIndex, contains
from app.store.queries.shared_changes import SHARED_CHANGES
from app.store.tables import (
    Audit,
    Equipment,
    ImportRun,
    Inspection,
    Issue,
    MaintenanceOrder,
    Stage,
    UserAccount,
    WorkOrder,
)

_TRIGRAM = 3
_TEXT_INDEX = table("work_order_text", column("rowid"))
_ORDER_TEXTS = (
    WorkOrder.number,
    WorkOrder.product,
    WorkOrder.product_name,
    WorkOrder.lot,
    WorkOrder.customer,
)


def _order_matches(word: str) -> Select[Any]:
    phrase = '"' + word.replace('"', '""') + '"'
    return select(_TEXT_INDEX.c.rowid).where(literal_column("work_order_text").op("MATCH")(phrase))


def _order_found(word: str) -> ColumnElement[bool]:
    """Finds a part of any text of an order through the trigram index; shorter words match the number's start."""
    if len(word) < _TRIGRAM:
        return or_(
            WorkOrder.number.startswith(word, autoescape=True),
            WorkOrder.product.startswith(word, autoescape=True),
        )
    return literal_column("work_order.rowid").in_(_order_matches(word))


def _order_scanned(word: str) -> ColumnElement[bool]:
    return or_(*(contains(text.expression, word) for text in _ORDER_TEXTS))


def _order_probe(word: str) -> Select[Any] | None:
    """Words that the index and a plain comparison understand alike: LIKE folds the case of ASCII only."""
    return _order_matches(word) if len(word) >= _TRIGRAM and word.isascii() else None


# Where an order stands: its first stage that is not done. Only for filters; pages look it up for their rows at once.
_CURRENT_STAGE = (
    select(Stage.name)
    .where(Stage.work_order_id == WorkOrder.id, Stage.status != StageStatus.DONE, ~Stage.deleted)
    .order_by(Stage.position)
    .limit(1)
    .correlate(WorkOrder)
    .scalar_subquery()
)


def _describe_orders(session: Session, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Add the stage where each order stands with its status, and its slip in hours (positive: late)."""
    found = session.execute(
        select(Stage.work_order_id, Stage.name, Stage.status)
        .where(Stage.work_order_id.in_([row["id"] for row in rows]), ~Stage.deleted)
        .order_by(Stage.work_order_id, Stage.position)
    )
    current: dict[Any, tuple[str, StageStatus]] = {}
    for order_id, name, status in found:
        if status is not StageStatus.DONE:
            current.setdefault(order_id, (name, status))
    for row in rows:
        row["stage"], row["stage_status"] = current.get(row["id"], ("", None))
        is_open = row["open"] = row["status"] in OPEN_STATUSES
        late = delay(row["planned_end"], row["finished_at"], now) if is_open or row["finished_at"] else None
        row["slip_hours"] = None if late is None else late.total_seconds() / 3600


WORK_ORDERS = Listing(
    entity="work-orders",
    title="Work orders",
    source=WorkOrder.__table__,
    id=WorkOrder.__table__.c.id,
    alive=WorkOrder.deleted.is_(False),
    sort="planned_end",
    text=TextIndex(_order_found, _order_scanned, _order_probe),
    derive=_describe_orders,
    aliases={"due": "planned_end", "start": "planned_start", "qty": "quantity", "order": "number"},
    columns=(
        Column("number", "Order", "text", WorkOrder.number.expression, keyed=True),
        Column("product", "Product", "text", WorkOrder.product.expression, keyed=True),
        Column("product_name", "Product name", "text", WorkOrder.product_name.expression),
        Column("lot", "Lot", "text", WorkOrder.lot.expression, keyed=True),
        Column("stage", "Stage", "text", filtered_by=_CURRENT_STAGE),
        Column("status", "Status", "choice", WorkOrder.status.expression, choices=OrderStatus),
        Column("quantity_done", "Done", "integer", WorkOrder.quantity_done.expression),
        Column("quantity", "Qty", "integer", WorkOrder.quantity.expression, keyed=True),
        Column("priority", "Priority", "integer", WorkOrder.priority.expression, keyed=True),
        Column("planned_start", "Start", "time", WorkOrder.planned_start.expression, keyed=True),
        Column("planned_end", "Due", "time", WorkOrder.planned_end.expression, keyed=True),
        Column("slip_hours", "Slip", "decimal"),
        Column("customer", "Customer", "text", WorkOrder.customer.expression, keyed=True),
        Column("line", "Line", "text", WorkOrder.line.expression),
        Column("created_at", "Created", "time", WorkOrder.created_at.expression, keyed=True, shown=False),
        Column("started_at", "Started", "time", WorkOrder.started_at.expression, shown=False),
        Column("finished_at", "Finished", "time", WorkOrder.finished_at.expression, shown=False),
        Column("note", "Note", "text", WorkOrder.note.expression, shown=False),
        Column("open", "Open", "flag", shown=False, filtered_by=WorkOrder.status.in_(OPEN_STATUSES)),
    ),
)

_ASSIGNEE = aliased(UserAccount)

STAGES = Listing(
    entity="stages",
    title="Stages",
    source=Stage.__table__.join(WorkOrder.__table__).outerjoin(_ASSIGNEE, _ASSIGNEE.id == Stage.assignee_id),
    id=Stage.__table__.c.id,
    alive=Stage.deleted.is_(False),
    sort="planned_end",
    columns=(
        Column("order", "Order", "text", WorkOrder.number.expression),
        Column("product", "Product", "text", WorkOrder.product.expression),
        Column("position", "Step", "integer", Stage.position.expression),
        Column("name", "Stage", "text", Stage.name.expression),
        Column("status", "Status", "choice", Stage.status.expression, choices=StageStatus),
        Column("assignee", "Assigned to", "text", _ASSIGNEE.name.expression),
        Column("planned_start", "Start", "time", Stage.planned_start.expression),
        Column("planned_end", "Due", "time", Stage.planned_end.expression, keyed=True),
        Column("started_at", "Started", "time", Stage.started_at.expression),
        Column("finished_at", "Finished", "time", Stage.finished_at.expression),
        Column("planned_minutes", "Planned min", "integer", Stage.planned_minutes.expression),
        Column("blocked_reason", "Blocked because", "text", Stage.blocked_reason.expression),
    ),
)

_RAISER, _ACKNOWLEDGER, _RESOLVER = aliased(UserAccount), aliased(UserAccount), aliased(UserAccount)

ISSUES = Listing(
    entity="issues",
    title="Issues",
    source=Issue.__table__.join(WorkOrder.__table__)
    .join(Stage.__table__, Stage.id == Issue.stage_id)
    .outerjoin(_RAISER, _RAISER.id == Issue.raised_by_id)
    .outerjoin(_ACKNOWLEDGER, _ACKNOWLEDGER.id == Issue.acknowledged_by_id)
    .outerjoin(_RESOLVER, _RESOLVER.id == Issue.resolved_by_id),
    id=Issue.__table__.c.id,
    alive=Issue.deleted.is_(False),
    sort="raised_at",
    descending=True,
    columns=(
        Column("number", "Issue", "text", Issue.number.expression, keyed=True),
        Column("title", "Title", "text", Issue.title.expression),
        Column("type", "Type", "choice", Issue.type.expression, choices=IssueType),
        Column("status", "Status", "choice", Issue.status.expression, choices=IssueStatus),
        Column("order", "Order", "text", WorkOrder.number.expression),
        Column("stage", "Stage", "text", Stage.name.expression),
        Column("raised_by", "Raised by", "text", _RAISER.name.expression),
        Column("raised_at", "Raised", "time", Issue.raised_at.expression, keyed=True),
        Column("acknowledged_by", "Acknowledged by", "text", _ACKNOWLEDGER.name.expression),
        Column("acknowledged_at", "Acknowledged", "time", Issue.acknowledged_at.expression),
        Column("resolved_by", "Resolved by", "text", _RESOLVER.name.expression),
        Column("resolved_at", "Resolved", "time", Issue.resolved_at.expression),
        Column("description", "Description", "text", Issue.description.expression, shown=False),
        Column("resolution", "Resolution", "text", Issue.resolution.expression, shown=False),
    ),
)

_INSPECTOR = aliased(UserAccount)

INSPECTIONS = Listing(
    entity="inspections",
    title="Inspections",
    source=Inspection.__table__.join(WorkOrder.__table__)
    .join(Stage.__table__, Stage.id == Inspection.stage_id)
    .outerjoin(_INSPECTOR, _INSPECTOR.id == Inspection.inspector_id),
    id=Inspection.__table__.c.id,
    alive=Inspection.deleted.is_(False),
    sort="inspected_at",
    descending=True,
    columns=(
        Column("number", "Inspection", "text", Inspection.number.expression, keyed=True),
        Column("verdict", "Verdict", "choice", Inspection.verdict.expression, choices=Verdict),
        Column("order", "Order", "text", WorkOrder.number.expression),
        Column("product", "Product", "text", WorkOrder.product.expression),
        Column("stage", "Stage", "text", Stage.name.expression),
        Column("inspector", "Inspector", "text", _INSPECTOR.name.expression),
        Column("inspected_at", "When", "time", Inspection.inspected_at.expression, keyed=True),
        Column("note", "Note", "text", Inspection.note.expression),
    ),
)

MAINTENANCE = Listing(
    entity="maintenance",
    title="Maintenance orders",
    source=MaintenanceOrder.__table__,
    id=MaintenanceOrder.__table__.c.id,
    alive=MaintenanceOrder.deleted.is_(False),
    sort="number",
    columns=(
        Column("number", "Number", "text", MaintenanceOrder.number.expression, keyed=True),
        Column("title", "Title", "text", MaintenanceOrder.title.expression),
        Column("equipment", "Machine", "text", MaintenanceOrder.equipment.expression),
        Column("kind", "Kind", "choice", MaintenanceOrder.kind.expression, choices=MaintenanceKind),
        Column(
            "priority",
            "Priority",
            "choice",
            MaintenanceOrder.priority.expression,
            choices=MaintenancePriority,
        ),
        Column("status", "Status", "choice", MaintenanceOrder.status.expression, choices=MaintenanceStatus),
        Column("due_at", "Due", "time", MaintenanceOrder.due_at.expression),
        Column("assignee", "Assigned to", "text", MaintenanceOrder.assignee.expression),
        Column("estimated_hours", "Hours", "decimal", MaintenanceOrder.estimated_hours.expression),
        Column("created_at", "Created", "time", MaintenanceOrder.created_at.expression, keyed=True),
        Column("completed_at", "Completed", "time", MaintenanceOrder.completed_at.expression),
        Column("description", "Description", "text", MaintenanceOrder.description.expression, shown=False),
        Column("feedback", "Feedback", "text", MaintenanceOrder.feedback.expression, shown=False),
    ),
    aliases={"due": "due_at", "machine": "equipment"},
)

EQUIPMENT = Listing(
    entity="equipment",
    title="Machines",
    source=Equipment.__table__,
    id=Equipment.__table__.c.id,
    alive=Equipment.deleted.is_(False),
    sort="code",
    columns=(
        Column("code", "Code", "text", Equipment.code.expression, keyed=True),
        Column("name", "Name", "text", Equipment.name.expression),
        Column("area", "Area", "text", Equipment.area.expression),
        Column("type", "Type", "text", Equipment.type.expression),
        Column("in_maintenance", "In maintenance", "flag", Equipment.in_maintenance.expression),
    ),
)

USERS = Listing(
    entity="users",
    title="Users",
    source=UserAccount.__table__,
    id=UserAccount.__table__.c.id,
    alive=UserAccount.deleted.is_(False),
    sort="name",
    columns=(
        Column("name", "Name", "text", UserAccount.name.expression, keyed=True),
        Column("role", "Role", "choice", UserAccount.role.expression, choices=Role),
        Column("disabled", "Disabled", "flag", UserAccount.disabled.expression),
        Column(
            "must_change_password", "New password due", "flag", UserAccount.must_change_password.expression
        ),
        Column("created_at", "Since", "time", UserAccount.created_at.expression, keyed=True),
    ),
)

AUDIT = Listing(
    entity="audit",
    title="Audit lines",
    source=Audit.__table__,
    id=Audit.__table__.c.seq,
    sort="seq",
    descending=True,
    columns=(
        Column("seq", "No.", "integer", Audit.seq.expression, keyed=True),
        Column("at", "When", "time", Audit.at.expression, keyed=True),
        Column("actor", "Who", "text", Audit.actor.expression),
        Column("operation", "Operation", "text", Audit.operation.expression),
        Column("outcome", "Outcome", "text", Audit.outcome.expression),
        Column("sentence", "What", "text", Audit.sentence.expression),
        Column("change_id", "Change", "text", func.lower(Audit.change_id), shown=False),
    ),
)

IMPORTS = Listing(
    entity="imports",
    title="Imports",
    source=ImportRun.__table__,
    id=ImportRun.__table__.c.id,
    alive=ImportRun.deleted.is_(False),
    sort="at",
    descending=True,
    columns=(
        Column("number", "Run", "text", ImportRun.number.expression, keyed=True),
        Column("file_name", "File", "text", ImportRun.file_name.expression),
        Column("target", "Into", "text", ImportRun.target.expression),
        Column("created_rows", "Created", "integer", ImportRun.created_rows.expression),
        Column("changed_rows", "Changed", "integer", ImportRun.changed_rows.expression),
        Column("same_rows", "Same", "integer", ImportRun.same_rows.expression),
        Column("skipped_rows", "Skipped", "integer", ImportRun.skipped_rows.expression),
        Column("at", "When", "time", ImportRun.at.expression, keyed=True),
        Column("actor", "Who", "text", ImportRun.actor.expression),
    ),
)

LISTINGS = {
    listing.entity: listing
    for listing in (
        WORK_ORDERS,
        STAGES,
        ISSUES,
        INSPECTIONS,
        MAINTENANCE,
        EQUIPMENT,
        USERS,
        AUDIT,
        IMPORTS,
        CONFLICTS,
        SHARED_CHANGES,
    )
}


def listing_of(entity: str) -> Listing:
    """The listing of `entity`; raises `Refused` with the known ones."""
    if entity not in LISTINGS:
        raise Refused(
            f"There is no list of {entity}; there are {', '.join([*LISTINGS, 'alarms'])}.", field="entity"
        )
    return LISTINGS[entity]
