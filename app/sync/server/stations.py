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
from app.sync.server.ownership import require_roles
from app.sync.server.roles import make_role
from app.sync.server.sentences import plain_errors

if TYPE_CHECKING:
    import psycopg

_KEYS = """
INSERT INTO sync.station (name, role_name, may_bring, key_inner, key_outer)
  VALUES (%(name)s, %(role)s, %(bring)s, sync._inner_key(%(key)s), sync._outer_key(%(key)s))
  ON CONFLICT (name) DO UPDATE SET may_bring = excluded.may_bring, key_inner = excluded.key_inner,
    key_outer = excluded.key_outer, disabled = false, removed = false
"""
_KEY_BYTES = 32


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


def station_exists(url: str, name: str) -> bool:
    """Whether a station of this name is let in now."""
    with _owner_of(url) as connection:
        found = connection.execute(
            "SELECT 1 FROM sync.station WHERE name = %s AND NOT disabled", (check_station(name),)
        ).fetchone()
    return found is not None


def add_station(url: str, name: str, bring_data: bool = False) -> JoinLine:
    """Make a station, or a new line for one; what is returned is kept nowhere else.

    With `bring_data` the station may hand in what it did before it joined, in the names of whoever did it. A station
    that is let in already gets a new password: the old line counts for nothing, and what people signed there counts
    on. One that was disabled or removed begins anew: what was signed there before counts for nothing.
    """
    station, password = check_station(name), secrets.token_urlsafe(24)
    with _owner_of(url) as connection:
        prefix = role_prefix(connection)
        role = f"{prefix}_st_{station.lower()}"
        require_roles(connection, prefix, role, f"{prefix}_station")
        make_role(connection, role, prefix, password)
        known = connection.execute(
            "SELECT disabled, key_inner FROM sync.station WHERE name = %s FOR UPDATE", (station,)
        ).fetchone()
        kept = known is not None and not known[0]
        # The stored key is the key with every byte XORed (RFC 2104), so that the old one can be given out again.
        key = (
            bytes(b ^ 0x36 for b in known[1][:_KEY_BYTES])
            if known and kept
            else secrets.token_bytes(_KEY_BYTES)
        )
        connection.execute(_KEYS, {"name": station, "role": role, "bring": bring_data, "key": key})
        if known and not kept:
            _revoke_grants(connection, station)
        _hang_up(connection, role)  # whoever came in with the old password
    return join_line(station, ServerAddress(url).for_user(role, password), key.hex())


def _revoke_grants(connection: psycopg.Connection[Any], station: str) -> None:
    """Have nothing count that was signed on a station with the logins of before."""
    connection.execute("UPDATE sync.station SET generation = generation + 1 WHERE name = %s", (station,))
    connection.execute("DELETE FROM sync.login_grant WHERE station = %s", (station,))


def _hang_up(connection: psycopg.Connection[Any], role: str) -> None:
    connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (role,))


def disable_station(url: str, name: str) -> None:
    """Let the station in no more; what it sent stays. `add_station` lets it in again, with a new line."""
    from psycopg import sql

    station = check_station(name)
    with _owner_of(url) as connection:
        found = connection.execute(
            "UPDATE sync.station SET disabled = true, may_bring = false"
            " WHERE name = %s AND NOT removed RETURNING role_name",
            (station,),
        ).fetchone()
        if found is None:
            raise NotFound(f"There is no station {station} on this server.")
        require_roles(connection, role_prefix(connection), found[0])
        connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(found[0])))
        _hang_up(connection, found[0])


def remove_station(url: str, name: str) -> None:
    """Take a station away that never sent anything; one that did can be disabled, since its work names it.

    The server remembers that there was one, so that nothing that was signed there counts for a later one of its name.
    """
    from psycopg import sql

    station = check_station(name)
    with _owner_of(url) as connection:
        found = connection.execute(
            "SELECT role_name, EXISTS (SELECT FROM sync.source WHERE station = name)"
            " FROM sync.station WHERE name = %s AND NOT removed",
            (station,),
        ).fetchone()
        if found is None:
            raise NotFound(f"There is no station {station} on this server.")
        if found[1]:
            raise Refused(f"Station {station} has sent changes, which name it; disable it instead.")
        require_roles(connection, role_prefix(connection), found[0])
        _revoke_grants(connection, station)
        connection.execute(
            "UPDATE sync.station SET disabled = true, removed = true, may_bring = false WHERE name = %s",
            (station,),
        )
        _hang_up(connection, found[0])
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(found[0])))


def list_stations(url: str) -> list[StationEntry]:
    """All stations by name."""
    with _owner_of(url) as connection:
        rows = connection.execute(
            "SELECT name, added_at, last_seen, disabled, may_bring FROM sync.station WHERE NOT removed ORDER BY name"
        ).fetchall()
    return [StationEntry(*row) for row in rows]
