"""The tables of the local store, one module a subject."""

from app.store.tables.attachments import Attachment, Blob
from app.store.tables.base import Base, Record
from app.store.tables.imports import ImportRun, ImportTemplate
from app.store.tables.journal import Audit, Counter, Meta, Outbox
from app.store.tables.machines import MachineTakeover
from app.store.tables.orders import Issue, RouteStage, Stage, WorkOrder
from app.store.tables.people import Credential, LoginGuard, UserAccount
from app.store.tables.plant import (
    AlarmAction,
    Connection,
    Correction,
    Equipment,
    MachineWrite,
    Note,
    SavedView,
    Tag,
)
from app.store.tables.quality import Inspection, InspectionResult, MaintenanceOrder
from app.store.tables.sharing import Conflict, LoginGrant, PasswordNote, Shadow, SharedChange

__all__ = [
    "AlarmAction",
    "Attachment",
    "Audit",
    "Base",
    "Blob",
    "Conflict",
    "Connection",
    "Correction",
    "Counter",
    "Credential",
    "Equipment",
    "ImportRun",
    "ImportTemplate",
    "Inspection",
    "InspectionResult",
    "Issue",
    "LoginGrant",
    "LoginGuard",
    "MachineTakeover",
    "MachineWrite",
    "MaintenanceOrder",
    "Meta",
    "Note",
    "Outbox",
    "PasswordNote",
    "Record",
    "RouteStage",
    "SavedView",
    "Shadow",
    "SharedChange",
    "Stage",
    "Tag",
    "UserAccount",
    "WorkOrder",
]
