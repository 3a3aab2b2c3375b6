"""Logging in on a station that shares a server: with the server while it answers, by what it left here otherwise."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import Refused, WorldFault
from app.domain.people import THE_PLANT
from app.operations.door import Door
from app.operations.login import (
    DISABLED,
    Candidate,
    Kept,
    Login,
    admit,
    candidate,
    fits,
    forget_login,
    name_key,
    note_lock,
    refusal_of_wrong,
    refuse_disabled,
    refuse_login,
)
from app.store.sealing import mark_of, seal, unseal, verifier
from app.store.tables import LoginGrant, PasswordNote, UserAccount
from app.sync.asking import Asking, DisabledThere, Granted, LockedThere, WrongThere
from app.sync.membership import Address, server_url
from app.sync.signing import SigningBook

ANSWER_SECONDS = 3.0
_ARRIVAL_SECONDS = 8.0
_POLL_SECONDS = 0.1
_UNKNOWN_HERE = (
    "The user name or the password is wrong, or this person never logged in on this station while the server could "
    "be reached; it cannot be reached now."
)
_ONCE_MORE = "The server cannot be reached now, and {name} has to log in once while it can: {why}."


@dataclass(frozen=True)
class StationLogin:
    """The login of one joined folder. `seconds` is how long the server may take to answer."""

    folder: Path
    address: Address
    door: Door
    book: SigningBook
    seconds: float = ANSWER_SECONDS
    arrival_seconds: float = _ARRIVAL_SECONDS

    def log_in(self, name: str, password: str) -> Login:
        """Check a name and password and unlock the person's signature; call it from a worker thread.

        Raises `Refused` with one sentence, audited: a wrong pair, a locked or a disabled account, a login without
        the server that was too long ago.
        """
        found = candidate(self.door, name)
        try:
            granted = self._ask(name, password)
        except WorldFault:
            return self._without_server(found, password)
        except WrongThere:
            return self._wrong(found, password)
        except LockedThere as locked:
            if self._may_go_on(found, password):
                return self._without_server(found, password)
            until = self.door.clock() + timedelta(seconds=locked.seconds)
            self.door.perform(note_lock(name=name, known=found.known_as, until=until), THE_PLANT)
            candidate(self.door, name)  # raises with the words of a lock
            raise Refused(str(locked), field="password") from None
        except DisabledThere as disabled:
            self._forget(found, DISABLED)
            raise Refused(DISABLED, field="name") from disabled
        return self._with_server(granted, password)

    def _with_server(self, granted: Granted, password: str) -> Login:
        account = self._arrived(granted.user_id)
        salt, sealed = seal(granted.secret, password, granted.user_id)
        # By this computer's clock, however wrong it goes: it will be asked when the server cannot be.
        until = self.door.clock() + (granted.until - granted.now)
        kept = Kept(verifier(granted.terms, granted.key), salt, sealed, until)
        login = admit(self.door, account, kept)
        self.book.unlock(account.id, granted.secret, self._kept_mark)
        return login

    def _kept_mark(self, user_id: UUID) -> str | None:
        with self.door.store.reader() as session:
            grant = session.get(LoginGrant, user_id)
        return None if grant is None else grant.salt

    def _arrived(self, user_id: UUID) -> UserAccount:
        """The account as this station has it; one that was just made elsewhere may still be on its way."""
        deadline = time.monotonic() + self.arrival_seconds
        while True:
            with self.door.store.reader() as session:
                account = session.get(UserAccount, user_id)
            if account is not None and not account.deleted and not account.disabled:
                return account
            if time.monotonic() > deadline:
                raise refuse_login(
                    self.door,
                    "" if account is None else account.name,
                    "The server knows this account, but this station has not heard of it yet; let it sync once.",
                    field="name",
                )
            time.sleep(_POLL_SECONDS)

    def _wrong(self, found: Candidate, password: str) -> Login:
        """The server knows another password, or nobody of that name."""
        if fits(found, password):
            if found.account is not None and self._is_on_its_way(found.account.id):
                return self._without_server(
                    found, password
                )  # changed here; the server has not heard of it yet
            self._forget(found, "The password was changed on another station")
        raise refusal_of_wrong(self.door, found)

    def _may_go_on(self, found: Candidate, password: str) -> bool:
        """Whether the person could log in here without the server just as well: wrong passwords that somebody tries at
        other stations shut nobody out where they work."""
        if found.account is None or not fits(found, password):
            return False
        with self.door.store.reader() as session:
            return session.get(LoginGrant, found.account.id) is not None

    def _is_on_its_way(self, user_id: UUID) -> bool:
        with self.door.store.reader() as session:
            note = select(PasswordNote.id).where(PasswordNote.user_id == user_id).limit(1)
            return session.execute(note).first() is not None

    def _forget(self, found: Candidate, why: str) -> None:
        if found.account is not None:
            self.door.perform(forget_login(user_id=found.account.id, why=why), THE_PLANT)
            self.book.lock(found.account.id)

    def _without_server(self, found: Candidate, password: str) -> Login:
        if not fits(found, password):
            raise refusal_of_wrong(self.door, found, _UNKNOWN_HERE)
        refuse_disabled(self.door, found)
        account = found.account
        assert account is not None
        with self.door.store.reader() as session:
            grant = session.get(LoginGrant, account.id)
        secret = None if grant is None else unseal(grant.salt, grant.sealed, password, account.id)
        if grant is None or secret is None:
            raise self._once_more(account.name, "without that nothing can be signed here in this name")
        if grant.until <= self.door.clock():
            day = grant.until.astimezone().strftime("%Y-%m-%d")
            raise self._once_more(account.name, f"the last login with it counted until {day}")
        login = admit(self.door, account)
        marked = grant.salt == mark_of(secret)  # else it was sealed by a version that gave seals no mark
        self.book.unlock(account.id, secret, self._kept_mark if marked else None)
        return login

    def _once_more(self, name: str, why: str) -> Refused:
        return refuse_login(self.door, name, _ONCE_MORE.format(name=name, why=why), field="password")

    def _ask(self, name: str, password: str) -> Granted:
        """What the server says. Raises `WorldFault` when it does not answer in time, else one of the three answers."""
        try:
            url = server_url(self.folder, self.address)
            return Asking(url, name_key(name), password).answer(self.seconds)
        except (
            Refused
        ) as refused:  # the station is, not the person: sync says so, and people can work on here
            raise WorldFault(refused.sentence) from refused
