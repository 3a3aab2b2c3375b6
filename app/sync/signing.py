"""Signs what this station writes: each person with a secret of their own, the plant with the station's key."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

from app.domain.errors import Refused
from app.domain.people import Actor
from app.store.sealing import mark_of
from app.sync.membership import secrets_of, station_address

_UNKNOWN = (
    "{name} cannot sign on this station yet: log in again while the server can be reached. Nothing was saved."
)
_ENDED = "The password of {name} was changed elsewhere: log in again with the new one. Nothing was saved."

Kept: TypeAlias = Callable[[UUID], str | None]
"""The mark of the secret that a person's login left in the data folder, None when there is none any more."""


def mac_of(secret: bytes, body: str) -> str:
    """HMAC-SHA256 of a body (UTF-8), in hex: what the server computes too."""
    return hmac.new(secret, body.encode(), hashlib.sha256).hexdigest()


class SigningBook:
    """The secrets of the people who logged in to this process; they leave it only as signatures.

    Safe from all threads. The door asks it on a station that shares a server only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._secrets: dict[UUID, bytes] = {}
        self._kept: dict[UUID, Kept] = {}
        self._station_key: bytes | None = None
        self._lock = threading.Lock()

    def unlock(self, user_id: UUID, secret: bytes, kept: Kept | None = None) -> None:
        """This person logged in. With `kept` they sign for as long as the data folder keeps that same secret."""
        with self._lock:
            self._secrets[user_id] = secret
            self._kept.pop(user_id, None)
            if kept is not None:
                self._kept[user_id] = kept

    def lock(self, user_id: UUID) -> None:
        """This person logged out: nothing can be signed in their name until they log in again."""
        with self._lock:
            self._secrets.pop(user_id, None)
            self._kept.pop(user_id, None)

    def has_ended(self, user_id: UUID) -> bool:
        """Whether the login counts no more, since the password was changed; reads the store."""
        with self._lock:
            secret, kept = self._secrets.get(user_id), self._kept.get(user_id)
        return secret is not None and kept is not None and kept(user_id) != mark_of(secret)

    def unlocked(self, user_id: UUID) -> bool:
        with self._lock:
            return user_id in self._secrets

    def secret_of(self, user_id: UUID) -> bytes | None:
        """For sealing it anew under another password."""
        with self._lock:
            return self._secrets.get(user_id)

    def sign(self, actor: Actor, body: str) -> str:
        """The signature of `actor` in hex; raises `Refused` without their secret."""
        if actor.user_id is None:
            return mac_of(self._key(), body)
        secret = self.secret_of(actor.user_id)
        if secret is None:
            raise Refused(_UNKNOWN.format(name=actor.name))
        if self.has_ended(
            actor.user_id
        ):  # the door holds the store: nobody can end it before this is written down
            raise Refused(_ENDED.format(name=actor.name))
        return mac_of(secret, body)

    def _key(self) -> bytes:
        """The station's key, read once: a keyring may take seconds."""
        with self._lock:
            if self._station_key is None:
                address = station_address(self._folder)
                self._station_key = bytes.fromhex(secrets_of(self._folder, address).station_key)
            return self._station_key
