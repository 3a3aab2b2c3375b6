"""Asks the server about a name and a password, and does not wait longer than a person would."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import WorldFault
from app.store.sealing import password_key

if TYPE_CHECKING:
    from app.sync.wire import ServerConnection


_REST_SECONDS = 15.0
"""How long a server that has begun to answer may take for the rest: it may be busy, and this computer slow."""
_TERMS = "terms"


class WrongThere(Exception):
    """The server knows no such name with such a password."""


class DisabledThere(Exception):
    """The password is right, and the account is closed."""


class LockedThere(Exception):
    """Too many wrong passwords at any station: nothing is looked at for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too many wrong passwords: wait {seconds:.0f} seconds.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Granted:
    """What the server answered to the right password; `until` and `now` by its clock."""

    user_id: UUID
    terms: str
    key: bytes
    secret: bytes
    until: datetime
    now: datetime


class Asking:
    """One question. It runs on a thread of its own, since neither a name server nor a dead line knows deadlines."""

    def __init__(self, url: str, name_key: str, password: str) -> None:
        self._url = url
        self._name_key = name_key
        self._password = password
        self._answers: queue.Queue[Granted | Exception | str] = queue.Queue()
        self._server: ServerConnection | None = None
        self._given_up = threading.Event()

    def answer(self, seconds: float) -> Granted:
        """The answer, if the server begins to answer within `seconds`.

        Raises `WorldFault` when it does not, `WrongThere`, `LockedThere` or `DisabledThere`.
        """
        threading.Thread(target=self._work, args=(seconds,), name="login", daemon=True).start()
        try:
            said = self._answers.get(timeout=seconds)
            if said == _TERMS:
                said = self._answers.get(timeout=_REST_SECONDS)
        except queue.Empty:
            self._give_up()
            raise WorldFault("The server does not answer.") from None
        if isinstance(said, Exception):
            raise said
        assert isinstance(said, Granted)
        return said

    def _give_up(self) -> None:
        self._given_up.set()
        if self._server is not None:
            self._server.abort()

    def _work(self, seconds: float) -> None:
        try:
            self._answers.put(self._ask(seconds))
        except Exception as error:  # noqa: BLE001 - whoever waits raises it
            self._answers.put(error)

    def _ask(self, seconds: float) -> Granted:
        from app.sync.wire import ServerConnection

        with ServerConnection.open(self._url, seconds=seconds) as server:
            self._server = server
            if self._given_up.is_set():
                raise WorldFault("The server does not answer.")
            terms = server.login_terms(self._name_key)
            self._answers.put(_TERMS)
            key = password_key(terms, self._password)
            return granted(terms, key, server.login(self._name_key, key))


def granted(terms: str, key: bytes, answer: Mapping[str, Any]) -> Granted:
    """The server's answer as one of ours; raises what it stands for when it let nobody in."""
    refused = answer.get("refused")
    if refused == "SY021":
        raise LockedThere(float(answer["seconds"]))
    if refused == "SY022":
        raise DisabledThere
    if refused is not None:
        raise WrongThere
    return Granted(
        UUID(answer["user_id"]),
        terms,
        key,
        bytes.fromhex(answer["secret"]),
        datetime.fromisoformat(answer["until"]),
        datetime.fromisoformat(answer["now"]),
    )
