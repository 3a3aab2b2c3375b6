"""Stations of a server: each has a PostgreSQL role of its own, which owns nothing and may call functions only."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound, Refused
from app.sync.join_line import JoinLine, join_line
from app.sync.membership import check_station
from app.sync.server.address import ServerAddress, connect
from app.sync.server.creation import require_server, role_prefix
from app.sync.server.sentences import plain_errors

if TYPE_CHECKING:
    import psycopg

# A session that forgot its transaction must not hold the lock of the log; a push may carry a whole import.
_LIMITS = {"idle_in_transaction_session_timeout": "5s", "lock_timeout": "10s", "statement_timeout": "120s"}
_KEYS = """
INSERT INTO sync.station (name, role_name, may_bring, key_inner, key_outer)
  VALUES (%(name)s, %(role)s, %(bring)s, sync._inner_key(%(key)s), sync._outer_key(%(key)s))
  ON CONFLICT (name) DO UPDATE SET may_bring = excluded.may_bring, key_inner = excluded.key_inner,
    key_outer = excluded.key_outer, disabled = false
"""


@dataclass(frozen=True, slots=True)
class StationEntry:
    """One station as the server knows it; `last_seen` is the server's clock."""

    name: str
    added_at: datetime
    last_seen: datetime | None
    disabled: bool
    may_bring: bool


@contextmanager
def _owner_of(url: str) -> Iterator[psycopg.Connection[Any]]:
    with (
        plain_errors(),
        connect(url, seconds=10, program="lineside server") as connection,
        connection.transaction(),
    ):
        require_server(connection)
        yield connection


def add_station(url: str, name: str, bring_data: bool = False) -> JoinLine:
    """Make (or make anew) the role and the keys of a station; what is returned is kept nowhere else.

    With `bring_data` the station may hand in what it did before it joined, in the names of whoever did it. A station
    that exists gets a new password and a new key, so that the old line counts for nothing.
    """
    station, password, key = check_station(name), secrets.token_urlsafe(24), secrets.token_bytes(32)
    with _owner_of(url) as connection:
        prefix = role_prefix(connection)
        role = f"{prefix}_st_{station.lower()}"
        _make_role(connection, role, f"{prefix}_station", password)
        known = connection.execute("SELECT 1 FROM sync.station WHERE name = %s", (station,)).fetchone()
        facts = {"name": station, "role": role, "bring": bring_data, "key": key}
        connection.execute(_KEYS, facts)
        if known:  # what was signed with the logins of before is not accepted any more
            _revoke_grants(connection, station)
    return join_line(station, ServerAddress(url).for_user(role, password), key.hex())


def _make_role(connection: psycopg.Connection[Any], role: str, group: str, password: str) -> None:
    from psycopg import sql

    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    verb, name = sql.SQL("ALTER" if known else "CREATE"), sql.Identifier(role)
    kept = sql.Literal(_scram(connection, role, password))
    connection.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, name, kept))
    connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), name))
    for setting, value in _LIMITS.items():
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
        )


def _scram(connection: psycopg.Connection[Any], role: str, password: str) -> str:
    """The password as the server keeps it, so that it never stands in a log of statements."""
    return connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()


def _revoke_grants(connection: psycopg.Connection[Any], station: str) -> None:
    connection.execute(
        "UPDATE sync.login_grant g SET generation = g.generation + 1, secret = k.secret,"
        " key_inner = sync._inner_key(k.secret), key_outer = sync._outer_key(k.secret)"
        " FROM (SELECT user_id, station, sync._grant_secret(user_id, station, generation + 1) AS secret"
        "       FROM sync.login_grant) k"
        " WHERE g.station = %s AND k.station = g.station AND k.user_id = g.user_id",
        (station,),
    )


def disable_station(url: str, name: str) -> None:
    """Let the station in no more; what it sent stays. `add_station` lets it in again, with a new line."""
    from psycopg import sql

    station = check_station(name)
    with _owner_of(url) as connection:
        found = connection.execute(
            "UPDATE sync.station SET disabled = true, may_bring = false WHERE name = %s RETURNING role_name",
            (station,),
        ).fetchone()
        if found is None:
            raise NotFound(f"There is no station {station} on this server.")
        role = sql.Identifier(found[0])
        connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(role))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (found[0],)
        )


def remove_station(url: str, name: str) -> None:
    """Take a station away that never sent anything; one that did can be disabled, since its work names it."""
    from psycopg import sql

    station = check_station(name)
    with _owner_of(url) as connection:
        found = connection.execute(
            "SELECT role_name, EXISTS (SELECT FROM sync.source WHERE station = name) FROM sync.station WHERE name = %s",
            (station,),
        ).fetchone()
        if found is None:
            raise NotFound(f"There is no station {station} on this server.")
        if found[1]:
            raise Refused(f"Station {station} has sent changes, which name it; disable it instead.")
        connection.execute("DELETE FROM sync.login_grant WHERE station = %s", (station,))
        connection.execute("DELETE FROM sync.station WHERE name = %s", (station,))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(found[0])))


def list_stations(url: str) -> list[StationEntry]:
    """All stations by name."""
    with _owner_of(url) as connection:
        rows = connection.execute(
            "SELECT name, added_at, last_seen, disabled, may_bring FROM sync.station ORDER BY name"
        ).fetchall()
    return [StationEntry(*row) for row in rows]
