"""What stations have to agree on about machines: ids of connections, and orders to take a machine over."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.store.entries import CREATED
from app.store.tables import Connection, MachineTakeover, Outbox

_MANY = "m"


def connection_ids(session: Session) -> dict[str, UUID]:
    """The id of every connection by its name."""
    return {
        row.name: row.id
        for row in session.execute(select(Connection.name, Connection.id).where(~Connection.deleted))
    }


def made_here(session: Session) -> set[UUID]:
    """Connections that were made on this station and that no server knows yet."""
    found = select(Outbox.body).where(Outbox.state == "pending", Outbox.body.contains('"connection"'))
    made: set[UUID] = set()
    for body in session.execute(found).scalars():
        for row in json.loads(body)["rows"]:
            if row["e"] == "connection" and row["k"] == CREATED:
                made.add(UUID(row["id"]))
            elif row["e"] == "connection" and row["k"] == _MANY:
                made.update(UUID(id) for id in row["ids"])
    return made


def takeovers_since(session: Session, moment: datetime) -> list[MachineTakeover]:
    """Orders to take a machine over that were given since `moment`, oldest first."""
    found = select(MachineTakeover).where(MachineTakeover.at >= moment, ~MachineTakeover.deleted)
    return list(session.execute(found.order_by(MachineTakeover.at, MachineTakeover.id)).scalars())
