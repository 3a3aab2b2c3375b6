"""What a workshop had before it joined: every earlier change signed with the station's key, passwords too."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.operations.door import Door
from app.store.journal import PENDING
from app.store.sharing import BRINGING, SERVER, STATION, queue_password
from app.store.tables import Credential, Meta, Outbox, PasswordNote
from app.sync.signing import mac_of

_PAGE = 500


def become_station(session: Session, station: str, server_id: UUID) -> None:
    """From now on this store is a station: what is written needs its author's signature, numbers open anew."""
    session.merge(Meta(key=STATION, value=station))
    session.merge(Meta(key=SERVER, value=str(server_id)))


def sign_earlier(door: Door, station: str, server_id: UUID, key: bytes) -> int:
    """Sign all that waits, queue the passwords, and make the store the station; returns how many changes wait.

    The last step is one transaction: no unsigned change can slip in between.
    """
    signed = 0
    while True:
        page, done = door.store.submit(partial(_sign_page, door, station, server_id, key)).result()
        signed += page
        if done:
            return signed


def _sign_page(door: Door, station: str, server_id: UUID, key: bytes, session: Session) -> tuple[int, bool]:
    found = select(Outbox.change_id, Outbox.body).where(Outbox.mac == "", Outbox.state == PENDING)
    rows = session.execute(found.order_by(Outbox.position).limit(_PAGE)).all()
    for change_id, body in rows:
        session.execute(update(Outbox).where(Outbox.change_id == change_id).values(mac=mac_of(key, body)))
    if len(rows) == _PAGE:
        return len(rows), False
    for credential in session.execute(select(Credential)).scalars():
        _queue(door, session, credential, key, door.clock())
    become_station(session, station, server_id)
    session.merge(Meta(key=BRINGING, value="1"))
    return len(rows), True


def _queue(door: Door, session: Session, credential: Credential, key: bytes, now: datetime) -> None:
    queue_password(
        session,
        credential.user_id,
        credential.password_hash,
        at=now,
        actor_id=None,
        sign=partial(mac_of, key),
        new_id=door.new_id,
    )


def unsign(session: Session) -> None:
    """Nothing came of joining: the store is by itself again, and what the server took is offered again next time."""
    session.execute(delete(PasswordNote))
    session.execute(delete(Meta).where(Meta.key.in_((STATION, SERVER, BRINGING))))
    session.execute(update(Outbox).values(mac="", state=PENDING, seq=None, verdict=""))
