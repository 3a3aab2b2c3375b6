"""What all tables share: UTC times, and the columns of a row that stations share with each other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Dialect, Enum, Index, String, Uuid, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from app.domain.sharing import Sharing


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware UTC in memory, without zone in SQLite, `timestamptz` in PostgreSQL."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without zone cannot be stored: {value!r}")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """For SQLite one call where the library makes four: a list or a board reads ten thousand times."""
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo is not None else value.replace(tzinfo=UTC)


def _from_text(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored + "+00:00")


def named(choices: type[StrEnum]) -> Enum:
    """A column that keeps the value of a `StrEnum` as text, so that a later version may add choices."""
    return Enum(choices, native_enum=False, create_constraint=False, length=30, values_callable=_values)


def _values(choices: type[StrEnum]) -> list[str]:
    return [choice.value for choice in choices]


def unique_alive(name: str, *columns: str) -> Index:
    """A unique index over the rows that are not deleted, so that a deleted row's number can be used again."""
    alive = text("deleted = 0")
    return Index(name, *columns, unique=True, sqlite_where=alive, postgresql_where=text("NOT deleted"))


class Base(DeclarativeBase):
    """All tables of the local store."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this class attribute
        datetime: UtcDateTime(),
        UUID: Uuid(),
        str: String(),
    }


GHOST = 0
"""The version of a row that no server has, kept deleted so that what refers to it stays whole; nobody changes it."""


class Record(Base):
    """A row that goes through the outbox: a client-made id, a version that grows by one a change, a soft delete.

    `sharing` says what the shared server accepts of the table; a table without it would be refused there.
    """

    __abstract__ = True

    sharing: ClassVar[Sharing] = Sharing(create=())

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    deleted: Mapped[bool] = mapped_column(default=False)

    @classmethod
    def parts(cls) -> dict[str, tuple[str, ...]]:
        """The columns that say what a row is part of, with the tables that they may name; see `Sharing.part_of`."""
        table = cls.metadata.tables[cls.__tablename__]
        named = {
            column.name: tuple(key.column.table.name for key in column.foreign_keys)
            for column in table.columns
            if column.foreign_keys and not column.nullable  # what may be empty is a mention
        }
        return named | dict(cls.sharing.part_of)
