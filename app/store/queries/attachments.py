"""Photos and files of a row as the screen shows them, and how many are where."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.attachments import AttachmentState, state_of
from app.store.sharing import joined_station
from app.store.tables import Attachment, Blob, SharedChange


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """One photo or file; `thumbnail` is a JPEG, empty for none; `station` names who has it while we have not."""

    id: UUID
    name: str
    mime: str
    size: int
    sha256: str
    thumbnail: bytes
    author: str
    at: datetime
    state: AttachmentState
    station: str = ""


def attached_files(
    session: Session, owner: str, owner_id: UUID, is_here: Callable[[str], bool]
) -> list[AttachedFile]:
    """What is attached to one row, the oldest first; `is_here` tells whether this station has the bytes (SHA-256)."""
    shared = joined_station(session) is not None
    rows = session.execute(
        select(Attachment)
        .where(Attachment.owner == owner, Attachment.owner_id == owner_id, ~Attachment.deleted)
        .order_by(Attachment.at, Attachment.id)
    ).scalars()
    return [_shown(session, row, shared, is_here(row.sha256)) for row in rows]


def _shown(session: Session, row: Attachment, shared: bool, here: bool) -> AttachedFile:
    state = state_of(shared=shared, here=here, stored=row.stored)
    station = _station_of(session, row) if state is AttachmentState.ELSEWHERE else ""
    return AttachedFile(
        row.id,
        row.name,
        row.mime,
        row.size,
        row.sha256,
        base64.b64decode(row.thumbnail),
        row.author,
        row.at,
        state,
        station,
    )


def _station_of(session: Session, row: Attachment) -> str:
    """Where it was added, empty when unknown: the change that was said at the same microsecond by the same person."""
    found = select(SharedChange.station).where(
        SharedChange.said_at == row.at, SharedChange.actor == row.author, SharedChange.station != ""
    )
    return session.execute(found.limit(1)).scalar() or ""


@dataclass(frozen=True, slots=True)
class WaitingBlob:
    """Bytes that the server does not have yet as far as this station knows."""

    sha256: str
    size: int
    mime: str


def blobs_to_send(session: Session) -> list[WaitingBlob]:
    """Bytes that living rows speak of and the server lacks, in the order they were added; who has them can send them.

    Not only those that were added here: a server that was restored from an old backup gets them back from anyone.
    """
    rows = session.execute(
        select(Attachment.sha256, func.min(Attachment.size), func.min(Attachment.mime))
        .where(~Attachment.deleted, ~Attachment.stored)
        .group_by(Attachment.sha256)
        .order_by(func.min(Attachment.at), Attachment.sha256)
    )
    return [WaitingBlob(sha256, size, mime) for sha256, size, mime in rows]


def known_blobs(session: Session) -> frozenset[str]:
    """Every SHA-256 that a row of any kind speaks of, removed ones too: an undo brings those back."""
    attached = session.execute(select(Attachment.sha256).distinct()).scalars()
    kept = session.execute(select(Blob.sha256)).scalars()
    return frozenset(attached) | frozenset(kept)


def removable_blobs(session: Session) -> frozenset[str]:
    """Bytes that can be had from the server again: every row that speaks of them, removed ones too, says so.

    What was added here goes only when it was sent from here: about a store the server believes what stations say.
    """
    unsent = select(Attachment.sha256).where(~Attachment.stored)
    own = select(Blob.sha256).where(Blob.original, ~Blob.sent)
    stored = (
        select(Attachment.sha256)
        .where(Attachment.stored, Attachment.sha256.not_in(unsent), Attachment.sha256.not_in(own))
        .distinct()
    )
    return frozenset(session.execute(stored).scalars())


@dataclass(frozen=True, slots=True)
class ListedBlobs:
    """All photos and files that living rows speak of: SHA-256 → size in bytes; and those the server lacks."""

    sizes: Mapping[str, int]
    waiting: frozenset[str]


def listed_blobs(session: Session) -> ListedBlobs:
    """What there is, each file once however many rows speak of it."""
    rows = session.execute(select(Attachment.sha256, Attachment.size).where(~Attachment.deleted))
    waiting = frozenset(blob.sha256 for blob in blobs_to_send(session))
    sizes = {row.sha256: row.size for row in rows}
    return ListedBlobs(sizes, waiting)
