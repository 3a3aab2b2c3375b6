"""Photos and files that belong to a row, and where their bytes are on this station."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.base import Base, Record


class Attachment(Record):
    """A photo or file that belongs to the row `owner_id` of the table `owner`; the bytes are named by their SHA-256.

    `thumbnail` is a JPEG of at most 16 KiB as base64, empty where there is none. `stored` is set by the server when
    it holds all bytes.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_owner", "owner", "owner_id"),
        Index("ix_attachment_sha256", "sha256"),
    )

    owner: Mapped[str]
    owner_id: Mapped[UUID]
    name: Mapped[str]
    mime: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    thumbnail: Mapped[str] = mapped_column(default="")
    stored: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
    author: Mapped[str]


class Blob(Base):
    """Bytes that lie in the folder `blobs` of this station; `original` ones were added here and go to the server."""

    __tablename__ = "blob"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    original: Mapped[bool]
    sent: Mapped[bool] = mapped_column(default=False)
    added_at: Mapped[datetime]
    used_at: Mapped[datetime]
