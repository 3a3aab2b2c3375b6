"""Asks for more time for somebody who stays logged in for weeks, as in a control room."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.domain.errors import Refused, WorldFault
from app.domain.people import Actor
from app.operations.door import Door
from app.store.entries import plain
from app.store.tables import LoginGrant
from app.sync.membership import server_url, station_address
from app.sync.signing import SigningBook
from app.sync.status import PAUSED, read_status

log = structlog.get_logger(__name__)

_SOON = timedelta(days=3)


def renew_login(folder: Path, door: Door, book: SigningBook, actor: Actor) -> None:
    """Have the signatures of `actor`, who is logged in here, count for longer; some seconds on a worker thread.

    Does nothing while the server cannot be reached: it is asked again later, and takes what is signed for a month
    after the time is over. Raises `Refused` when the person has to log in again within days.
    """
    from app.sync.wire import ServerConnection

    status = read_status(folder)
    user_id = actor.user_id
    if user_id is None or not book.unlocked(user_id) or (status is not None and status.state == PAUSED):
        return
    body = json.dumps({"renew": str(user_id), "at": plain(door.clock())})
    try:
        with ServerConnection.open(server_url(folder, station_address(folder))) as server:
            said = server.renew_login(body, book.sign(actor, body))
    except WorldFault as fault:
        log.info("login not renewed", reason=fault.sentence)
        return
    except Refused as refused:
        log.warning("login not renewed", reason=refused.sentence)
        if _ends_soon(door, user_id):
            raise
        return
    left = datetime.fromisoformat(said["until"]) - datetime.fromisoformat(said["now"])
    door.store.submit(partial(_keep, user_id=user_id, until=door.clock() + left)).result()


def _ends_soon(door: Door, user_id: UUID) -> bool:
    with door.store.reader() as session:
        grant = session.get(LoginGrant, user_id)
    return grant is not None and grant.until - door.clock() < _SOON


def _keep(session: Session, *, user_id: UUID, until: datetime) -> None:
    session.execute(update(LoginGrant).where(LoginGrant.user_id == user_id).values(until=until))
