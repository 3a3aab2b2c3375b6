"""What PostgreSQL itself lets a station's role do: call the functions on this list, read, and nothing else."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from tests.sync.attack.fort import Fort

ALLOWED_FUNCTIONS = frozenset(
    """
    hello open_source end_bringing push push_many login_terms login renew_login set_password logins end_older_logins
    verify digests look_at lookers
    blob_terms begin_blob blob_chunks_missing put_blob finish_blob find_blob get_blob_chunk doubt_blob
    begin_collecting take_lease keep_leases holds_lease let_go put_live put_alarms put_answers
    name_signals open_stream forward make_room
    """.split()
)
"""Each of them asks first which station calls, and writes nothing but what that station may."""

READABLE = frozenset(
    """
    log source txn lease lease_term lease_terms live live_station machine_alarm machine_act machine_answer
    machine_news stream reading_terms
    """.split()
)
"""Tables of the schema sync that a station reads; of txn all but the columns named below."""

HIDDEN_COLUMNS = {"txn": {"actor_id", "actor", "detail", "body", "mac"}}

_RELATIONS = """
SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('sync', 'lineside', 'public') AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') ORDER BY 1, 2
"""
_FUNCTIONS = """
SELECT p.oid, p.proname, p.prosecdef, p.proconfig, has_function_privilege(%s, p.oid, 'EXECUTE')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('sync', 'lineside', 'public')
"""
_CHANGES = (
    "INSERT INTO {table} DEFAULT VALUES",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "LOCK TABLE {table} IN ROW SHARE MODE",
    "LOCK TABLE {table} IN EXCLUSIVE MODE",
    "ALTER TABLE {table} ADD COLUMN mine text",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "DROP TABLE {table}",
    "CREATE TRIGGER mine BEFORE INSERT ON {table} EXECUTE FUNCTION sync.verify()",
    "CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "CREATE POLICY mine ON {table}",
    "SELECT * FROM {table} FOR UPDATE",
)
_DENIED = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.WrongObjectType,
    psycopg.errors.ObjectNotInPrerequisiteState,  # a view over several tables takes no changes from anybody
)


def test_the_functions_that_a_station_may_call_are_those_on_the_list(fort: Fort) -> None:
    with fort.own() as owner:
        functions = owner.execute(_FUNCTIONS, (fort.role("X7"),)).fetchall()
    assert {name for _, name, _, _, callable_ in functions if callable_} == ALLOWED_FUNCTIONS
    for _, name, definer, settings, callable_ in functions:
        if definer and callable_:
            path = next(item for item in settings or () if item.startswith("search_path="))
            assert path == "search_path=pg_catalog, pg_temp", name
        assert not callable_ or definer, f"{name} would run with the rights of the station"


def test_a_function_outside_the_list_is_refused_when_it_is_called(fort: Fort) -> None:
    with fort.own() as owner:
        inner = [
            row[0]
            for row in owner.execute(
                "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
                " WHERE n.nspname IN ('sync', 'lineside') AND p.prorettype <> 'trigger'::regtype"
                " AND NOT has_function_privilege(%s, p.oid, 'EXECUTE')",
                (fort.role("X7"),),
            )
        ]
    assert len(inner) > 20
    with fort.connect("X7") as station:
        for signature in inner:
            name, _, types = signature.rstrip(")").partition("(")
            places = ", ".join(f"NULL::{kind}" for kind in types.split(",") if kind)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                station.execute(sql.SQL(f"SELECT {name}({places})"))


def test_no_table_can_be_changed_locked_or_taken(fort: Fort) -> None:
    """All tables that there are, so that new ones are covered by themselves."""
    with fort.own() as owner:
        relations = owner.execute(_RELATIONS).fetchall()
    assert {"work_order", "log", "login_grant"} <= {name for _, name, _ in relations}
    with fort.connect("X7") as station:
        for schema, name, _kind in relations:
            table = sql.Identifier(schema, name)
            for change in _CHANGES:
                with pytest.raises(_DENIED), station.transaction():
                    station.execute(sql.SQL(change).format(table=table))
            column = station.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
                " AND attidentity = ''"
                " LIMIT 1",
                (table.as_string(station),),
            ).fetchone()
            if column is not None:
                place = sql.Identifier(column[0])
                with pytest.raises(_DENIED):
                    station.execute(sql.SQL("UPDATE {0} SET {1} = {1}").format(table, place))


def test_a_station_reads_what_is_shared_and_no_secret(fort: Fort) -> None:
    with fort.own() as owner:
        relations = owner.execute(_RELATIONS).fetchall()
        readable = {
            (schema, name)
            for schema, name, _ in relations
            if owner.execute(
                "SELECT has_any_column_privilege(%s, format('%%I.%%I', %s::text, %s::text), 'SELECT')",
                (fort.role("X7"), schema, name),
            ).fetchone() == (True,)
        }  # fmt: skip
    assert {name for schema, name in readable if schema == "sync"} == READABLE
    assert {schema for schema, _ in readable} <= {"sync", "lineside"}
    with fort.connect("X7") as station:
        for schema, name, kind in relations:
            statement = sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(schema, name))
            if (schema, name) in readable and name not in HIDDEN_COLUMNS:
                station.execute(statement)
            elif kind != "S":
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    station.execute(statement)
        for table, columns in HIDDEN_COLUMNS.items():
            for column in columns:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    station.execute(
                        sql.SQL("SELECT {} FROM {}").format(
                            sql.Identifier(column), sql.Identifier("sync", table)
                        )
                    )


def test_the_owner_of_the_functions_is_no_superuser_and_nobody_logs_in_as_it(fort: Fort) -> None:
    with fort.own() as owner:
        found = owner.execute(
            "SELECT DISTINCT rolsuper, rolcanlogin, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication"
            " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner"
            " WHERE n.nspname IN ('sync', 'lineside')"
        ).fetchall()
        assert found == [(False,) * 6]
        stations = owner.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication FROM pg_roles"
            " WHERE rolname = %s",
            (fort.role("X7"),),
        ).fetchall()
        assert stations == [(False,) * 5]
        reach = owner.execute(
            "SELECT r.rolname FROM pg_roles r WHERE pg_has_role(%s, r.oid, 'MEMBER')", (fort.role("X7"),)
        ).fetchall()
        assert {name for (name,) in reach} == {fort.role("X7"), fort.group()}
