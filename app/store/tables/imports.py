"""Runs and templates of spreadsheet imports."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.people import Permission
from app.domain.sharing import Sharing, by, setting
from app.store.tables.base import Record, unique_alive


class ImportRun(Record):
    """One applied import: which file, what it made; `change_id` is what an undo takes back."""

    __tablename__ = "import_run"
    __table_args__ = (unique_alive("ux_import_run_number", "number"),)
    sharing: ClassVar[Sharing] = Sharing(create=by(Permission.IMPORT), actor_names=frozenset({"actor"}))

    number: Mapped[str]
    file_name: Mapped[str]
    digest: Mapped[str]
    target: Mapped[str]
    created_rows: Mapped[int]
    changed_rows: Mapped[int]
    same_rows: Mapped[int]
    skipped_rows: Mapped[int]
    change_id: Mapped[UUID]
    at: Mapped[datetime]
    actor: Mapped[str]


class ImportTemplate(Record):
    """A remembered mapping of headers to fields, with the answers a person gave."""

    __tablename__ = "import_template"
    __table_args__ = (unique_alive("ux_import_template_name", "name"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.IMPORT),
        change=setting("target mapping", *by(Permission.IMPORT)),
        together=(frozenset({"target", "mapping"}),),
    )

    name: Mapped[str]
    target: Mapped[str]
    mapping: Mapped[dict[str, object]] = mapped_column(JSON)
