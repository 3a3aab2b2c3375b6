"""The tables of the local store, one module a subject."""

from app.store.tables.base import Base, Record
from app.store.tables.imports import ImportRun, ImportTemplate
from app.store.tables.journal import Audit, Counter, Meta, Outbox
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

__all__ = [
    "AlarmAction",
    "Audit",
    "Base",
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
    "LoginGuard",
    "MachineWrite",
    "MaintenanceOrder",
    "Meta",
    "Note",
    "Outbox",
    "Record",
    "RouteStage",
    "SavedView",
    "Stage",
    "Tag",
    "UserAccount",
    "WorkOrder",
]
