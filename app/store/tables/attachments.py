"""Photos and files that belong to a row, and where their bytes are on this station."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.attachments import OWNERS
from app.domain.people import Permission
from app.domain.sharing import Allowed, Sharing, by
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
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.RAISE_ISSUES),
        change={
            "deleted": (
                Allowed(Permission.RAISE_ISSUES, own="author"),
                Allowed(Permission.REMOVE_ATTACHMENTS),
            )
        },
        actor_names=frozenset({"author"}),
        by_server=frozenset({"stored"}),
        part_of={"owner_id": tuple(OWNERS)},
        outlives=frozenset({"owner_id"}),
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
    """Bytes that this station put into its folder `blobs`; `original` ones were added here and go to the server.

    `sent` is set when the server said that it has them all.
    """

    __tablename__ = "blob"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    original: Mapped[bool]
    sent: Mapped[bool] = mapped_column(default=False)
    added_at: Mapped[datetime]
