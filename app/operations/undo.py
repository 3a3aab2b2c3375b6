"""Taking back a change: the inverse of its patches, unless somebody changed the same values since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.domain.errors import Denied, NotFound, Refused
from app.domain.people import Permission
from app.operations.change import Change, operation
from app.store import entries
from app.store.entries import CREATED, Patch
from app.store.journal import past_change
from app.store.tables import Base, Record


@operation(None)
def undo(change: Change, /, *, change_id: UUID) -> None:
    """Take back a committed change as one change of its own.

    Its author may, and whoever may move any stage. Raises `Stale` when a value it set was changed since,
    `Refused` when it was undone already.
    """
    past = past_change(change.session, change_id)
    if past is None:
        raise NotFound("There is nothing to undo under this number.")
    if past.undone:
        raise Refused("This change was undone already.")
    if past.actor_id != change.actor.user_id and not change.actor.may(Permission.MOVE_STAGES):
        raise Denied("Only the person who made this change, or a supervisor, may undo it.")
    change.undoes = change_id
    change.label = f"Undid: {past.label}"
    _apply_inverse(change, past.patches)


def _apply_inverse(change: Change, patches: Sequence[Patch]) -> None:
    classes = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    inverse: defaultdict[str, list[tuple[UUID, dict[str, tuple[Any, Any]]]]] = defaultdict(list)
    for patch in reversed(patches):
        columns = entries.table_of(patch.entity).c
        if patch.kind == CREATED:
            # What was made since on top of it (a moved stage, say) shows in `status`, so that is compared too.
            fields: dict[str, tuple[Any, Any]] = {"deleted": (False, True)}
            if "status" in patch.fields:
                status = entries.typed(columns["status"].type, patch.fields["status"][1])
                fields["status"] = (status, status)
        else:
            fields = {
                name: (entries.typed(columns[name].type, after), entries.typed(columns[name].type, before))
                for name, (before, after) in patch.fields.items()
            }
        inverse[patch.entity].append((patch.id, fields))
    for entity, changes in inverse.items():
        row_class: type[Record] = classes[entity]
        change.patch(row_class, changes)
