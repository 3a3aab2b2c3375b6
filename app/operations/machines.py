"""Sending a value to a machine: the wish is written down here, the collector carries it out and answers."""

from __future__ import annotations

from uuid import UUID

from app.domain.alarms import machine_of, signal_of
from app.domain.errors import NotFound
from app.domain.orders import check_note
from app.domain.people import Permission
from app.domain.writing import check_write
from app.operations.change import Change, operation
from app.store.queries.plant import read_plant
from app.store.tables import MachineWrite


@operation(Permission.WRITE_TO_MACHINES, undoable=False)
def write_to_machine(change: Change, /, *, tag: str, value: str | float | bool, reason: str = "") -> UUID:
    """Send a value, in the tag's unit, to the machine. Only tags with writing switched on, only within their limits."""
    plant = read_plant(change.session)
    known = plant.tag(tag)
    if known is None:
        raise NotFound(f"There is no tag called {tag}.", field="tag")
    sent = check_write(known, value)
    write = MachineWrite(
        id=change.new_id(),
        tag=tag,
        value=sent,
        reason=check_note(reason, "reason", "reason", longest=500),
        at=change.now,
        actor=change.actor.name,
    )
    change.session.add(write)
    unit = f" {known.unit}" if known.unit else ""
    change.label = f"Sent {sent}{unit} to {machine_of(plant, tag)}, {signal_of(plant, tag)}"
    return write.id
