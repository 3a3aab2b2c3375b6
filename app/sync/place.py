"""Where in the server's history this station is, as facts in the store: cursor, schema, identity of the file."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from app.store.journal import LAST_N, SOURCE
from app.store.queries.secrets_place import SECRETS_PLACE

_CURSOR, _HASH, _SCHEMA, _BASELINE = "sync.cursor", "sync.hash", "sync.schema", "sync.baseline"
_SERVER = "sync.server_id"


@dataclass(frozen=True, slots=True)
class Place:
    """`cursor` and `hash` (hex) are the newest entry of the log that is applied here, 0 and "" for none.

    `schema` is what the rows were fetched with, 0 before the first time. `source` is this file's identity (None
    before the first change), `last_n` its newest number. `baseline` says why all rows have to be fetched anew, empty
    where they need not.
    """

    server_id: str
    cursor: int
    hash: str
    schema: int
    source: UUID | None
    last_n: int
    baseline: str


def read_place(connection: Connection) -> Place:
    """What the store knows; to be read in the transaction that acts on it."""
    rows = connection.exec_driver_sql("SELECT key, value FROM meta")
    facts = {str(key): str(value) for key, value in rows}
    source = facts.get(SOURCE)
    return Place(
        facts.get(_SERVER, ""),
        int(facts.get(_CURSOR, "0")),
        facts.get(_HASH, ""),
        int(facts.get(_SCHEMA, "0")),
        UUID(source) if source else None,
        int(facts.get(LAST_N, "0")),
        facts.get(_BASELINE, ""),
    )


def set_cursor(connection: Connection, cursor: int, chained: str) -> None:
    """Remember the newest applied entry of the log."""
    _put(connection, {_CURSOR: str(cursor), _HASH: chained})


def set_source(connection: Connection, source: UUID, last_n: int) -> None:
    """Give this file another identity; passwords stay in the keyring where they are."""
    connection.exec_driver_sql(
        "INSERT INTO meta (key, value) SELECT ?, value FROM meta WHERE key=? ON CONFLICT(key) DO NOTHING",
        (SECRETS_PLACE, SOURCE),
    )
    _put(connection, {SOURCE: str(source), LAST_N: str(last_n)})


def want_baseline(connection: Connection, reason: str) -> None:
    """All rows have to be fetched anew before anything else is believed; survives a crash."""
    _put(connection, {_BASELINE: reason})


def baseline_taken(connection: Connection, schema: int) -> None:
    """The rows here are those of the server, fetched by a program that knows `schema`."""
    _put(connection, {_BASELINE: "", _SCHEMA: str(schema)})


def _put(connection: Connection, facts: dict[str, str]) -> None:
    connection.exec_driver_sql(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
        list(facts.items()),
    )
