"""What the store says of the server that it shares, and new passwords on their way there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.store.entries import plain
from app.store.sealing import key_hash, terms_of
from app.store.tables import Meta, PasswordNote

STATION, SERVER, BRINGING = "sync.station", "sync.server_id", "sync.bringing"


def joined_station(session: Session) -> str | None:
    """The station that this store is, None when it shares nothing. This, and no file, decides."""
    found = session.get(Meta, STATION)
    return None if found is None else found.value


def joined_server(session: Session) -> UUID | None:
    """The id of the server whose history this store follows."""
    found = session.get(Meta, SERVER)
    return None if found is None else UUID(found.value)


def queue_password(
    session: Session,
    user_id: UUID,
    password_hash: str,
    *,
    at: datetime,
    actor_id: UUID | None,
    sign: Callable[[str], str],
    new_id: Callable[[], UUID],
    instead_of: str = "",
) -> None:
    """Have the server told of a new password (its PHC hash); `actor_id` None is the plant, as `sign` signs.

    `instead_of` is the hash that it replaces: where the server has another one by then, a later password, that stays.

    The server gets a hash of the key that the hash holds: whoever reads its table cannot log in with that.
    """
    terms, key = terms_of(password_hash)
    nonce = new_id()
    facts = {
        "user": str(user_id),
        "terms": terms,
        "key_hash": key_hash(key),
        "at": plain(at),
        "actor_id": plain(actor_id),
        "nonce": str(nonce),
    }
    body = json.dumps(facts | ({"was": terms_of(instead_of)[0]} if instead_of else {}))
    last = session.execute(select(func.coalesce(func.max(PasswordNote.position), 0))).scalar_one()
    session.add(PasswordNote(id=nonce, position=last + 1, user_id=user_id, body=body, mac=sign(body)))
    session.flush()
