"""Sending a value to a machine, and having this station talk to it: written down here, carried out by the collector."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from app.domain.alarms import machine_of, signal_of
from app.domain.errors import NotFound, Refused
from app.domain.orders import check_note
from app.domain.people import Permission
from app.domain.writing import check_write
from app.operations.change import Change, operation
from app.store.queries.plant import read_plant
from app.store.tables import Connection, MachineTakeover, MachineWrite


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


@operation(Permission.CONFIGURE_PLANT, undoable=False)
def take_over_machine(change: Change, /, *, connection: str, reason: str = "") -> UUID:
    """Have this station talk to a machine that another one holds; counts as soon as the server has it, and once."""
    found = select(Connection).where(Connection.name == connection, ~Connection.deleted)
    known = change.session.execute(found).scalar()
    if known is None:
        raise NotFound(f"There is no connection called {connection}.", field="connection")
    if known.settings.get("takeover") == "never":
        raise Refused(
            f"{connection} is set never to change its station; change that in its settings first.",
            field="connection",
        )
    order = MachineTakeover(
        id=change.new_id(),
        connection_id=known.id,
        station=change.station,
        reason=check_note(reason, "reason", "reason", longest=500),
        at=change.now,
        actor=change.actor.name,
    )
    change.session.add(order)
    change.label = f"Station {change.station} takes over {connection}"
    return order.id
