"""PostgreSQL roles of stations: they log in, own nothing, and what they may is what the group of all stations may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

# A session that forgot its transaction must not hold the lock of the log; a push may carry a whole import.
_LIMITS = {"idle_in_transaction_session_timeout": "5s", "lock_timeout": "10s", "statement_timeout": "10min"}


def make_role(connection: psycopg.Connection[Any], role: str, prefix: str, password: str) -> None:
    """Make the role of a station, or give it this password and let it log in again."""
    from psycopg import sql

    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    verb, name = sql.SQL("ALTER" if known else "CREATE"), sql.Identifier(role)
    kept = sql.Literal(_scram(connection, role, password))
    connection.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, name, kept))
    _limit(connection, role)
    _let_in(connection, role, prefix)
    _let_end(connection, role, prefix)


def refresh_role(connection: psycopg.Connection[Any], role: str, prefix: str) -> None:
    """Give the role of a station the limits and rights of this program; a user that may not leaves it as it is."""
    import psycopg

    try:
        with connection.transaction():
            _limit(connection, role)
            _let_in(connection, role, prefix)
            _let_end(connection, role, prefix)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject):
        return  # others made the role, or a restore did not bring it; `upgrade` says so


def _limit(connection: psycopg.Connection[Any], role: str) -> None:
    from psycopg import sql

    for setting, value in _LIMITS.items():
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                sql.Identifier(role), sql.Identifier(setting), sql.Literal(value)
            )
        )


def _let_in(connection: psycopg.Connection[Any], role: str, prefix: str) -> None:
    """Make the role a member of the group of all stations."""
    _grant(connection, f"{prefix}_station", role)


def _let_end(connection: psycopg.Connection[Any], role: str, prefix: str) -> None:
    """Let the owner of the functions see and end sessions of the role, as `sync._end_sitters` does.

    In PostgreSQL that takes being a member of it; the owner cannot log in, so nobody gains anything by that.
    """
    _grant(connection, role, f"{prefix}_owner")


def _grant(connection: psycopg.Connection[Any], role: str, member: str) -> None:
    from psycopg import sql

    known = connection.execute("SELECT pg_has_role(%s::name, %s::name, 'USAGE')", (member, role)).fetchone()
    if known != (True,):
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(member)))


def _scram(connection: psycopg.Connection[Any], role: str, password: str) -> str:
    """The password as the server keeps it, so that it never stands in a log of statements."""
    return connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
