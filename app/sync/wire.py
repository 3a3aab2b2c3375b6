"""One connection of a station to its server: the functions of the schema `sync`, typed, with plain failures."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import psycopg

from app.domain.errors import LinesideError, WorldFault
from app.store.entries import SHARED_SCHEMA
from app.sync.server.address import ServerAddress, Tls, connect
from app.sync.server.patience import PatientConnection
from app.sync.server.sentences import plain_error

CHANNEL = "lineside"
_COUNTED, _LOGIN_CALLS = "SY023", 4
"""A try to log in is counted by one call and judged by the next; two that begin in the same microsecond by a third."""
_ANSWER_SECONDS = 30.0
"""How long a server may be silent. With the pause after it, a line that fell silent costs less than a minute."""
_LONG_SECONDS = 150.0
"""For what reads or recomputes a lot; a line that is cut is noticed sooner by its keep-alives."""
_SLOW_BYTES = 20_000.0
"""What a slow server takes of an import in a second; a statement may last ten minutes there."""


_PAGE_BYTES = 1_000_000
"""Of what a page of the log takes on the server's disk, compressed: five times as much comes here."""
_FEED = """
SELECT seq, encode(hash, 'hex'), body FROM (
  SELECT seq, hash, body, row_number() OVER so_far AS line, sum(size) OVER so_far - size AS before
  FROM (SELECT seq, hash, body, pg_column_size(body) AS size FROM sync.log
        WHERE seq >= %s ORDER BY seq LIMIT %s) page
  WINDOW so_far AS (ORDER BY seq)) counted
WHERE before < %s OR line <= 2 ORDER BY seq"""


class Forked(LinesideError):
    """The server has another entry under this number: this file is a copy, or was restored."""


class Gap(LinesideError):
    """The server lacks entries of this source before the offered one; `last_n` is the last that it has."""

    def __init__(self, sentence: str, last_n: int) -> None:
        super().__init__(sentence)
        self.last_n = last_n


class UnknownSource(LinesideError):
    """The server does not know this source (any more); open it first."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What the server says of itself and of this station; `now` is its clock, `head_hash` is hex."""

    server_id: UUID
    station: str
    schema: int
    min_schema: int
    may_bring: bool
    now: datetime
    head_seq: int
    head_hash: str
    grant_days: int
    reserve_days: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one entry (applied, conflict, denied, rejected) and the log record that tells it.

    `reason` says why it was not applied, `merged` in which rows others had changed other fields, `replay` that the
    server had it already.
    """

    verdict: str
    seq: int
    reason: dict[str, Any] | None
    merged: list[dict[str, Any]] | None
    replay: bool


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One record of the log: `hash` (hex) covers the hash before it and `body` as it stands."""

    seq: int
    hash: str
    body: str


@dataclass(frozen=True, slots=True)
class Digests:
    """Of each shared table (number of living rows, sum over their ids and versions), at one moment of the log."""

    seq: int
    hash: str
    tables: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Looker:
    """Who looks at a row on another station, or edits it."""

    station: str
    actor: str
    entity: str
    id: UUID
    at: datetime
    editing: bool


@dataclass(frozen=True, slots=True)
class HeldLogin:
    """A login of this station as the server knows it: `terms` of the password that counts now, and whether signatures
    from before that password are taken besides (`older`)."""

    user: UUID
    terms: str
    older: bool


class ServerConnection:
    """Use it from one thread; only `abort` may come from another.

    Every call raises `WorldFault` for what passes by itself (network, server shutting down or full) and `Refused`
    for what a person must mend; after a `WorldFault` open a new one when `closed`.
    """

    def __init__(self, connection: PatientConnection, address: ServerAddress) -> None:
        self.session = connection
        self._address = address

    @classmethod
    def open(cls, url: str, *, seconds: float = 5.0, program: str = "lineside") -> Self:
        """Connect; `seconds` is the longest wait for a line."""
        with _plainly():
            return cls(connect(url, seconds=seconds, program=program), ServerAddress(url))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.session.close()

    @property
    def closed(self) -> bool:
        """Whether the line is gone."""
        return self.session.closed

    def abort(self) -> None:
        """Let whoever waits on this connection fail at once; the only call that another thread may make."""
        try:
            line = socket.socket(fileno=self.session.fileno())
        except (psycopg.Error, OSError):
            return  # it is gone already
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was quicker
        finally:
            line.detach()

    @property
    def tls(self) -> Tls:
        """How safe the way to the server really is."""
        encrypted = bool(self.session.pgconn.ssl_in_use)
        return ("unverified" if self._address.tls == "none" else self._address.tls) if encrypted else "none"

    @property
    def way(self) -> str:
        """As `tls`, or "local" where nothing leaves this computer."""
        return "local" if self.tls == "none" and self._address.is_near else self.tls

    @property
    def tls_sentence(self) -> str:
        return self._address.sentence_for(self.tls)

    # ── what it calls ────────────────────────────────────────────────────────────────────────────────────────

    def hello(self) -> Hello:
        said = self._call("SELECT sync.hello(%s, %s)", SHARED_SCHEMA, "lineside")
        head = said.pop("head")
        return Hello(
            **said | {"server_id": UUID(said["server_id"]), "now": datetime.fromisoformat(said["now"])},
            head_seq=head["seq"],
            head_hash=head["hash"],
        )

    def open_source(self, source: UUID, schema: int = SHARED_SCHEMA) -> int:
        """The number of the last entry that the server has of this source; a new source begins at 0."""
        return int(self._call("SELECT sync.open_source(%s, %s)", source, schema))

    def sources(self) -> dict[UUID, int]:
        """The sources of this station and the last number of each."""
        rows = self._rows(
            "SELECT s.src, s.last_n FROM sync.source s WHERE s.station = (SELECT sync.hello(%s, %s)->>'station')",
            SHARED_SCHEMA,
            "lineside",
        )
        return {row[0]: int(row[1]) for row in rows}

    def push(self, source: UUID, n: int, body: str, mac: str) -> Answer:
        """Hand in one entry; raises `Forked`, `Gap` or `UnknownSource` besides."""
        return self.push_many(source, n, [body], [mac])[0]

    def push_many(
        self, source: UUID, first_n: int, bodies: Sequence[str], macs: Sequence[str]
    ) -> list[Answer]:
        """Hand in up to 50 entries that follow each other, all in one transaction of the server."""
        said = self._call(
            "SELECT sync.push_many(%s, %s, %s::text[], %s::text[])",
            source,
            first_n,
            list(bodies),
            list(macs),
            seconds=_ANSWER_SECONDS + sum(map(len, bodies)) / _SLOW_BYTES,
        )
        return [Answer(**answer) for answer in said]

    def hash_at(self, seq: int) -> str | None:
        """The hash (hex) of one record of the log, None when the server has no such record."""
        rows = self._rows("SELECT encode(hash, 'hex') FROM sync.log WHERE seq = %s", seq)
        return str(rows[0][0]) if rows else None

    def digests_of(self, source: UUID, numbers: Sequence[int]) -> dict[int, bytes]:
        """SHA-256 of the entries that the server has under these numbers of a source."""
        rows = self._rows(
            "SELECT n, digest FROM sync.txn WHERE src = %s AND n = ANY (%s::bigint[])", source, list(numbers)
        )
        return {n: bytes(digest) for n, digest in rows}

    def feed(self, first_seq: int, most: int, most_bytes: int = _PAGE_BYTES) -> list[FeedLine]:
        """Up to `most` records of the log from `first_seq` on: two in any case, then no more than `most_bytes`."""
        rows = self._rows(
            _FEED,
            first_seq,
            most,
            most_bytes,
        )
        return [FeedLine(*row) for row in rows]

    @contextmanager
    def snapshot(self) -> Iterator[PatientConnection]:
        """A transaction that sees the server as it is at its first read, however long it lasts; it writes nothing."""
        with _plainly(), self._patience(_LONG_SECONDS), self.session.transaction():
            self.session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self.session.execute("SET LOCAL idle_in_transaction_session_timeout = '120s'")
            yield self.session

    def digests(self) -> Digests:
        said = self._call("SELECT sync.digests()", seconds=_LONG_SECONDS)
        tables = {name: (int(t["count"]), int(t["sum"])) for name, t in said["tables"].items()}
        return Digests(said["seq"], said["hash"], tables)

    def verify(self, first_seq: int = 1) -> int | None:
        """The first record of the log that does not follow from the one before it, None when all do."""
        broken = self._call("SELECT sync.verify(%s)", first_seq, seconds=_LONG_SECONDS)
        return None if broken is None else int(broken)

    def end_bringing(self) -> None:
        """From now on this station hands in nothing any more in the name of people who did not log in there."""
        self._call("SELECT sync.end_bringing()")

    def login_terms(self, name: str) -> str:
        """Algorithm, costs and salt (the front of a PHC string) with which the password of `name` is hashed."""
        return str(self._call("SELECT sync.login_terms(%s)", name.casefold()))

    def login(self, name: str, key: bytes) -> dict[str, Any]:
        """What the server says of a name and the raw Argon2id hash of its password.

        `{"user_id", "name", "role", "must_change_password", "secret", "until", "now"}`, or `{"refused": state}` with
        SY020 for a wrong pair, SY021 for a locked account (and "seconds"), SY022 for a disabled one.
        """
        said: dict[str, Any] = {"refused": _COUNTED}
        for _ in range(_LOGIN_CALLS):
            if said.get("refused") == _COUNTED:
                said = self._call("SELECT sync.login(%s, %s)", name.casefold(), key)
        return said

    def logins(self) -> list[HeldLogin]:
        """The logins that the server knows of this station."""
        return [
            HeldLogin(UUID(one["user"]), one["terms"], one["older"])
            for one in self._call("SELECT sync.logins()")
        ]

    def end_older_logins(self, users: Sequence[UUID]) -> None:
        """Nothing is left here that they signed with an earlier password, nor anybody who could."""
        self._call("SELECT sync.end_older_logins(%s::uuid[])", list(users), read=False)

    def renew_login(self, body: str, mac: str) -> dict[str, Any]:
        """More time for somebody who is logged in, by a note of theirs: `{"until", "now"}`."""
        said: dict[str, Any] = self._call("SELECT sync.renew_login(%s, %s)", body, mac)
        return said

    def set_password(self, body: str, mac: str) -> None:
        """Hand in a password note; the same one twice does no harm."""
        self._call("SELECT sync.set_password(%s, %s)", body, mac)

    def look_at(self, entity: str | None, row_id: UUID | None, actor: str, editing: bool = False) -> None:
        """Say that `actor` looks at or edits a row here now; again within a minute, None when at none any more."""
        self._call("SELECT sync.look_at(%s, %s, %s, %s)", entity, row_id, actor, editing)

    def lookers(self) -> list[Looker]:
        """Who looks at what on other stations."""
        return [
            Looker(
                x["station"], x["actor"], x["e"], UUID(x["id"]), datetime.fromisoformat(x["at"]), x["editing"]
            )
            for x in self._call("SELECT sync.lookers()")
        ]

    def listen(self) -> None:
        """Have `wait_for_news` hear of others' changes; a pooler in between may swallow that, so poll besides."""
        self._call(f"LISTEN {CHANNEL}", read=False)

    def wait_for_news(self, seconds: float) -> bool:
        """Whether somebody changed something within `seconds`: a hint only. 0 asks without waiting."""
        with _plainly():
            return any(True for _ in self.session.notifies(timeout=seconds, stop_after=1))

    # ── how ──────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _patience(self, seconds: float) -> Iterator[None]:
        self.session.patience = seconds
        try:
            yield
        finally:
            self.session.patience = _ANSWER_SECONDS

    def _call(
        self, statement: str, *values: object, seconds: float = _ANSWER_SECONDS, read: bool = True
    ) -> Any:
        """The one value of the one row that a function answers."""
        with _plainly(), self._patience(seconds):
            cursor = self.session.execute(statement.encode(), values)
            row = cursor.fetchone() if read else None
        return None if row is None else row[0]

    def _rows(
        self, statement: str, *values: object, seconds: float = _ANSWER_SECONDS
    ) -> list[tuple[Any, ...]]:
        with _plainly(), self._patience(seconds):
            return self.session.execute(statement.encode(), values).fetchall()


def _gap(error: psycopg.Error) -> Gap:
    return Gap("Entries of this data folder are missing on the server.", int(error.diag.message_detail or 0))


_OWN: Mapping[str, Callable[[psycopg.Error], LinesideError]] = {
    "SY001": lambda _error: UnknownSource("The server does not know this data folder."),
    "SY002": lambda _error: Forked(
        "The server has other changes of this data folder: it is a copy, or was restored."
    ),
    "SY003": _gap,
}


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        own = _OWN.get(error.sqlstate or "")
        raise (plain_error(error) if own is None else own(error)) from error
    except OSError as error:
        raise WorldFault(f"The connection to the server was lost ({error.strerror}).") from error
