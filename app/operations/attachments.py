"""Photos and files on orders, issues, inspections and maintenance: adding one, taking one away."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from app.domain.attachments import ANY_TYPE, OWNERS, THUMBNAIL_BYTES, check_name, check_size, is_digest
from app.domain.errors import Refused
from app.domain.people import Permission, require
from app.operations.change import Change, operation
from app.store.tables import Attachment, Blob, Inspection, Issue, MaintenanceOrder, WorkOrder

_OWNERS: dict[str, type[Issue] | type[Inspection] | type[MaintenanceOrder] | type[WorkOrder]] = {
    row_class.__tablename__: row_class for row_class in (Issue, Inspection, MaintenanceOrder, WorkOrder)
}


@operation(Permission.RAISE_ISSUES)
def attach_file(
    change: Change,
    /,
    *,
    owner: str,
    owner_id: UUID,
    name: str,
    sha256: str,
    size: int,
    mime: str = ANY_TYPE,
    thumbnail: str = "",
) -> UUID:
    """Add a photo or file, whose bytes lie in the folder `blobs` already, to a row of the table `owner`.

    `sha256` in hex names the bytes, `size` counts them, `thumbnail` is a JPEG of at most 16 KiB as base64. The same
    bytes may be added to several rows; they are kept and sent once.
    """
    number = _number_of(change, owner, owner_id)
    if not is_digest(sha256):
        raise Refused("A file is named by its SHA-256: 64 hex digits in lower case.", field="sha256")
    attachment = Attachment(
        id=change.new_id(),
        owner=owner,
        owner_id=owner_id,
        name=check_name(name),
        mime=mime,
        size=check_size(size, mime),
        sha256=sha256,
        thumbnail=_check_thumbnail(thumbnail),
        stored=False,
        at=change.now,
        author=change.actor.name,
    )
    change.session.add(attachment)
    blob = change.session.get(Blob, sha256)
    if blob is None:
        change.session.add(Blob(sha256=sha256, size=size, original=True, sent=False, added_at=change.now))
    else:
        blob.original = True
    change.label = f"Added {attachment.name} to {number}"
    return attachment.id


@operation(None)
def remove_attachment(change: Change, /, *, attachment_id: UUID) -> None:
    """Take a photo or file away: one's own, or as a supervisor, manager or administrator any; undo brings it back."""
    attachment = change.get(Attachment, attachment_id, "photo or file")
    needed = Permission.RAISE_ISSUES
    if attachment.author != change.actor.name:
        needed = Permission.REMOVE_ATTACHMENTS
    change.needs = needed
    require(change.actor, needed)
    attachment.deleted = True
    change.label = f"Removed {attachment.name}"


def _number_of(change: Change, owner: str, owner_id: UUID) -> str:
    if owner not in _OWNERS:
        raise Refused(f"Photos and files belong to one of: {', '.join(OWNERS)}.", field="owner")
    return change.get(_OWNERS[owner], owner_id, OWNERS[owner]).number


def _check_thumbnail(thumbnail: str) -> str:
    try:
        small = base64.b64decode(thumbnail, validate=True)
    except (ValueError, binascii.Error):
        raise Refused("A thumbnail is written as base64.", field="thumbnail") from None
    if len(small) > THUMBNAIL_BYTES:
        raise Refused(f"A thumbnail has at most {THUMBNAIL_BYTES // 1024} KiB.", field="thumbnail")
    return thumbnail
