"""Makes a database a server of Lineside, and brings one to this program's version; as its owner, in one transaction.

The tables come by Alembic from `migrations/server/versions`. The functions in `migrations/server/functions` are made
anew every time, and so are the rules and all rights: a file says with `@station@` (the role of all stations) and
`@owner@` who may execute or read what, and whatever no file grants is taken away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.errors import Refused, WorldFault
from app.sync.server.address import ServerAddress, connect
from app.sync.server.ownership import (
    become,
    foreign_roles,
    grant_sentence,
    make_group_roles,
    require_owner,
    require_roles,
    take_over,
)
from app.sync.server.roles import refresh_role
from app.sync.server.sentences import plain_errors

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Connection

    from app.sync.server.patience import PatientConnection

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations" / "server"
OLDEST = 15
Progress = Callable[[str], None]
_HOLD_TRIES = 75
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,29}")


def _silent(_step: str) -> None:
    """Nobody wants to know."""


def known_revisions() -> list[str]:
    """The revisions that this program can run, oldest first: the numbers that open the file names."""
    return sorted(path.name.split("_", 1)[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def init(url: str, prefix: str | None = None, progress: Progress | None = None) -> None:
    """Make the empty database at `url` a server, or bring it to this version if it is one.

    `prefix` opens the names of the PostgreSQL roles; without it the name of the database does. Raises `Refused` for
    what the owner must mend, `WorldFault` when the server cannot be reached; nothing was changed then.
    """
    tell = progress or _silent
    with _as_owner(url) as (connection, borrowed):
        tell("Looking at the database")
        _check_database(connection)
        if is_server(connection):
            _hold_changes(connection)
        else:
            _check_empty(connection)
            _found(connection, _usable_prefix(connection, prefix, url))
        _bring_up_to_date(connection, borrowed, tell)


def upgrade(url: str, progress: Progress | None = None) -> list[str]:
    """Bring the server at `url` to this program's version; does no harm to one that is there already.

    Mends what a restore left: roles that are missing, tables that belong to whoever restored them. Returns sentences
    on what a person has to do yet, mostly none.
    """
    with _as_owner(url) as (connection, borrowed):
        _check_database(connection)
        require_server(connection)
        prefix = role_prefix(connection)
        _regain(connection, prefix)
        _hold_changes(connection)
        _bring_up_to_date(connection, borrowed, progress or _silent)
        return _left_to_do(connection, prefix)


def _regain(connection: psycopg.Connection[Any], prefix: str) -> None:
    """Make the roles that a restore did not bring, and own what it brought."""
    owner = f"{prefix}_owner"
    require_roles(connection, prefix, owner)
    make_group_roles(connection, prefix)
    become(connection, owner)
    take_over(connection, owner)


def _left_to_do(connection: psycopg.Connection[Any], prefix: str) -> list[str]:
    foreign = foreign_roles(connection, prefix)
    left = [grant_sentence(connection, foreign)] if foreign else []
    lost = connection.execute(
        "SELECT name FROM sync.station WHERE NOT disabled AND to_regrole(quote_ident(role_name)) IS NULL ORDER BY 1"
    ).fetchall()
    if lost:
        left.append(
            f"This PostgreSQL has no role for these stations: {', '.join(name for (name,) in lost)}. Restore the "
            "roles, or give each a new line: lineside server add-station NAME. What was signed there counts on."
        )
    return left


@contextmanager
def _as_owner(url: str) -> Iterator[tuple[psycopg.Connection[Any], Connection]]:
    """One transaction that no other init or upgrade overlaps, to be used plainly or (by Alembic) through SQLAlchemy."""
    from sqlalchemy import NullPool, create_engine
    from sqlalchemy.exc import DBAPIError

    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: _patient(url),
        poolclass=NullPool,
        hide_parameters=True,
    )
    with plain_errors():
        try:
            with engine.begin() as borrowed:
                plain: psycopg.Connection[Any] = borrowed.connection.driver_connection  # type: ignore[assignment]  # SQLAlchemy cannot know the driver
                plain.execute("SELECT pg_advisory_xact_lock(hashtext('lineside server'))")
                yield plain, borrowed
        except DBAPIError as error:
            raise (error.orig or error) from error


def _patient(url: str) -> PatientConnection:
    from app.sync.server.patience import LONG_WORK

    connection = connect(url, seconds=10, program="lineside server", autocommit=False)
    connection.patience = LONG_WORK
    return connection


def _hold_changes(connection: psycopg.Connection[Any]) -> None:
    """Wait for the change that is under way and keep the others at the door: they would meet half of the new tables.

    Who sits on the door is sent away, who is busy is waited for as long as a statement of a station may take.
    """
    import psycopg

    connection.execute("SET LOCAL lock_timeout = '2s'")
    for _ in range(_HOLD_TRIES):
        try:
            with connection.transaction():
                connection.execute("LOCK TABLE sync.feed_lock IN EXCLUSIVE MODE")
        except psycopg.errors.LockNotAvailable:
            connection.execute("SELECT pg_stat_clear_snapshot()")
            if _value(connection, "SELECT to_regproc('sync._end_sitters') IS NOT NULL"):
                connection.execute("SELECT sync._end_sitters()")
        else:
            connection.execute("SET LOCAL lock_timeout = '60s'")
            return
    raise WorldFault("The server is busy with changes of stations; try again in a while.")


def is_server(connection: psycopg.Connection[Any]) -> bool:
    found = _value(
        connection,
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'sync' AND c.relname = 'server'",
    )
    return found is not None


def require_server(connection: psycopg.Connection[Any]) -> None:
    """Raise `Refused` unless this is a server and this user may look after it."""
    if not is_server(connection):
        raise Refused("This database is no server of Lineside; make it one with `lineside server init`.")
    require_owner(connection)


def role_prefix(connection: psycopg.Connection[Any]) -> str:
    return str(_value(connection, "SELECT role_prefix FROM sync.server"))


def _value(connection: psycopg.Connection[Any], statement: str, *parameters: object) -> Any:
    row = connection.execute(statement, parameters or None).fetchone()
    return None if row is None else row[0]


def _check_database(connection: psycopg.Connection[Any]) -> None:
    version = connection.info.server_version
    if version < OLDEST * 10_000:
        raise Refused(
            f"The server runs PostgreSQL {version // 10_000}; Lineside needs {OLDEST} or newer. Upgrade it first."
        )
    encoding = _value(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        raise Refused(f"The database is encoded as {encoding}; make one with ENCODING 'UTF8'.")
    owns, makes = connection.execute(
        "SELECT pg_has_role(d.datdba, 'USAGE'), r.rolsuper OR r.rolcreaterole"
        " FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user"
    ).fetchone() or (False, False)
    if not owns:
        raise Refused("This user does not own the database; give the address of its owner.")
    if not makes:
        raise Refused("This user may not make roles; let a superuser run: ALTER ROLE … CREATEROLE.")


def _check_empty(connection: psycopg.Connection[Any]) -> None:
    """Raise when the database holds anything that no extension brought."""
    found = _value(
        connection,
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid IN (c.oid, n.oid) AND d.deptype = 'e')"
        " ORDER BY 1 LIMIT 1",
    )
    if found or _value(
        connection, "SELECT to_regnamespace('sync') IS NOT NULL OR to_regnamespace('lineside') IS NOT NULL"
    ):
        raise Refused(
            f"The database holds something already ({found or 'a schema'}); make an empty one for Lineside."
        )


def _usable_prefix(connection: psycopg.Connection[Any], prefix: str | None, url: str) -> str:
    wanted = prefix or re.sub(r"[^a-z0-9_]", "_", ServerAddress(url).database.lower())[:30]
    if not _PREFIX.fullmatch(wanted) or wanted.startswith("pg_"):
        raise Refused(
            f"“{wanted}” cannot open the names of roles; give a prefix of up to 30 letters a–z, digits and _.",
            field="prefix",
        )
    for role in (f"{wanted}_owner", f"{wanted}_station"):
        if _value(connection, "SELECT to_regrole(%s) IS NOT NULL", role):
            raise Refused(
                f"The role {role} exists already, another database uses it; choose another prefix.",
                field="prefix",
            )
    return wanted


def _found(connection: psycopg.Connection[Any], prefix: str) -> None:
    """Roles, schemas, and the one row that says what this server is."""
    owner = f"{prefix}_owner"
    make_group_roles(connection, prefix)
    become(connection, owner)
    connection.execute(f"CREATE SCHEMA sync AUTHORIZATION {owner}")
    connection.execute(f"CREATE SCHEMA lineside AUTHORIZATION {owner}")
    connection.execute(f"SET LOCAL ROLE {owner}")
    connection.execute(
        "CREATE TABLE sync.server ("
        " one boolean PRIMARY KEY DEFAULT true CHECK (one), id uuid NOT NULL DEFAULT gen_random_uuid(),"
        " role_prefix text NOT NULL, schema integer NOT NULL DEFAULT 1, min_schema integer NOT NULL DEFAULT 1,"
        " created_at timestamptz NOT NULL DEFAULT now(), grant_days integer NOT NULL DEFAULT 14,"
        " reserve_days integer NOT NULL DEFAULT 30, grant_key bytea NOT NULL)"
    )
    connection.execute(
        "INSERT INTO sync.server (role_prefix, grant_key) VALUES (%s, sha256(convert_to("
        " gen_random_uuid()::text || gen_random_uuid() || gen_random_uuid(), 'UTF8')))",
        (prefix,),
    )
    connection.execute("RESET ROLE")


def _bring_up_to_date(connection: psycopg.Connection[Any], borrowed: Connection, tell: Progress) -> None:
    from app.sync.server.rules import write_rules

    prefix = role_prefix(connection)
    owner, station = f"{prefix}_owner", f"{prefix}_station"
    _check_revision(connection)
    become(connection, owner)
    connection.execute(f"SET LOCAL ROLE {owner}")
    tell("Bringing the tables up to date")
    _migrate(borrowed)
    tell("Writing functions, rules and rights")
    _write_functions(connection, owner, station)
    write_rules(connection)
    connection.execute("RESET ROLE")
    for (role,) in connection.execute("SELECT role_name FROM sync.station WHERE NOT removed").fetchall():
        refresh_role(connection, role, prefix)
    guard_database(connection, station)


def _check_revision(connection: psycopg.Connection[Any]) -> None:
    if not _value(connection, "SELECT to_regclass('sync.schema_version') IS NOT NULL"):
        return
    revision, known = _value(connection, "SELECT version_num FROM sync.schema_version"), known_revisions()
    if revision is not None and revision not in known:
        raise Refused(
            f"The server was made by a newer Lineside (tables {revision}, this program knows {known[-1]}); "
            "install the newer program. Nothing was changed."
        )


def _migrate(borrowed: Connection) -> None:
    """Run the missing migrations inside the transaction that is open."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = borrowed
    command.upgrade(config, "head")


def _write_functions(connection: psycopg.Connection[Any], owner: str, station: str) -> None:
    """Make all functions anew, and give the stations what the files grant and nothing else."""
    connection.execute("SET LOCAL check_function_bodies = off")  # they call each other in any order
    for kind in ("TABLES", "FUNCTIONS", "SEQUENCES"):
        for schema in ("sync", "lineside"):
            connection.execute(f"REVOKE ALL ON ALL {kind} IN SCHEMA {schema} FROM PUBLIC, {station}")
    for file in sorted((MIGRATIONS / "functions").glob("*.sql")):
        text = file.read_text(encoding="utf-8")
        connection.execute(text.replace("@station@", station).replace("@owner@", owner).encode())
    for schema in ("sync", "lineside"):
        connection.execute(f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC")
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {station}")


def guard_database(connection: psycopg.Connection[Any], station: str) -> None:
    """Only the stations and the owner may connect; nobody makes anything in it. Not copied with a database."""
    name = '"' + str(_value(connection, "SELECT current_database()")).replace('"', '""') + '"'
    connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {station}")
    if _value(connection, "SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'public'"):
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
