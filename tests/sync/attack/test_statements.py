"""What a stolen station could try in SQL: to become somebody else, to reach the machine, to lay traps for others."""

from __future__ import annotations

import psycopg
import pytest

from app.sync.membership import with_password
from app.sync.server.creation import init
from app.sync.server.stations import add_station, disable_station
from tests.postgres import Postgres
from tests.sync.attack.fort import Fort
from tests.sync.conftest import ServerDatabase

DENIED = "42501"

REFUSED = {
    # becoming somebody else
    "SET ROLE {owner}": DENIED,
    "SET ROLE {other}": DENIED,
    "SET SESSION AUTHORIZATION {other}": DENIED,
    "SET SESSION AUTHORIZATION postgres": DENIED,
    "ALTER ROLE {me} SUPERUSER": DENIED,
    "ALTER ROLE {me} CREATEROLE": DENIED,
    "ALTER ROLE {me} REPLICATION": DENIED,
    "ALTER ROLE {other} PASSWORD 'x'": DENIED,
    "ALTER ROLE {owner} LOGIN": DENIED,
    "ALTER ROLE {me} RENAME TO captain": ("42501", "0A000"),
    "CREATE ROLE mate": DENIED,
    "DROP ROLE {other}": DENIED,
    "GRANT {owner} TO {me}": DENIED,
    "GRANT pg_read_all_data TO {me}": DENIED,
    "GRANT {me} TO {other}": DENIED,
    "REASSIGN OWNED BY {owner} TO {me}": DENIED,
    # objects that the functions of the server could fall over
    "CREATE TEMP TABLE log (seq bigint)": DENIED,
    "CREATE TEMP VIEW log AS SELECT 1 AS seq": DENIED,
    "CREATE TEMP SEQUENCE mine": DENIED,
    "CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'": DENIED,
    "CREATE TABLE public.log (seq bigint)": DENIED,
    "CREATE FUNCTION public.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'": DENIED,
    "CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)": DENIED,
    "CREATE TABLE sync.mine (a int)": DENIED,
    "CREATE FUNCTION sync.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'": DENIED,
    "CREATE OR REPLACE FUNCTION sync._may(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true'": DENIED,
    "ALTER FUNCTION sync.push(uuid, bigint, text, text) OWNER TO {me}": DENIED,
    "ALTER FUNCTION sync.push(uuid, bigint, text, text) SET search_path = public": DENIED,
    "DROP FUNCTION sync.verify(bigint)": DENIED,
    "CREATE SCHEMA mine": DENIED,
    "ALTER SCHEMA sync RENAME TO mine": DENIED,
    "CREATE EXTENSION dblink": ("42501", "0A000"),
    "CREATE EXTENSION plperlu": ("42501", "0A000", "58P01"),
    "CREATE LANGUAGE c": ("42501", "42710", "0A000"),
    "CREATE CAST (text AS integer) WITH INOUT": ("42501", "42P17"),
    "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION sync._may()": ("42501", "42883"),
    "CREATE PUBLICATION mine FOR ALL TABLES": DENIED,
    "CREATE SUBSCRIPTION mine CONNECTION 'host=127.0.0.1' PUBLICATION mine": DENIED,
    "CREATE DATABASE mine": DENIED,
    "DROP DATABASE {database}": ("42501", "55006"),
    "ALTER DATABASE {database} SET search_path = public": DENIED,
    "DO 'BEGIN EXECUTE ''DELETE FROM sync.log''; END'": DENIED,
    "COMMENT ON TABLE sync.log IS 'x'": DENIED,
    "SECURITY LABEL ON TABLE sync.log IS 'x'": ("42501", "22023"),
    # the machine and the cluster
    "SELECT pg_read_file('/etc/passwd')": DENIED,
    "SELECT pg_read_binary_file('PG_VERSION')": DENIED,
    "SELECT pg_ls_dir('.')": DENIED,
    "SELECT lo_import('/etc/passwd')": DENIED,
    "SELECT lo_export(1, '/tmp/x')": DENIED,
    "COPY sync.log TO PROGRAM 'id'": DENIED,
    "COPY sync.log TO '/tmp/log'": DENIED,
    "COPY sync.log FROM PROGRAM 'id'": DENIED,
    "COPY sync.login_grant TO STDOUT": DENIED,
    "COPY (SELECT secret FROM sync.login_grant) TO STDOUT": DENIED,
    "LOAD '/tmp/x'": DENIED,
    "ALTER SYSTEM SET fsync = off": DENIED,
    "SELECT pg_reload_conf()": DENIED,
    "SELECT pg_rotate_logfile()": DENIED,
    "SELECT pg_switch_wal()": DENIED,
    "SELECT pg_create_restore_point('x')": DENIED,
    "SELECT pg_create_logical_replication_slot('mine', 'test_decoding')": DENIED,
    "SELECT pg_promote()": DENIED,
    "CHECKPOINT": DENIED,
    "SELECT rolpassword FROM pg_authid": DENIED,
    "SELECT * FROM pg_hba_file_rules": DENIED,
    "SELECT pg_terminate_backend({pid})": DENIED,
    "SELECT pg_cancel_backend({pid})": DENIED,
    # settings that switch off what guards the rows
    "SET session_replication_role = replica": DENIED,
    "SET row_security = off; SELECT * FROM sync.login_grant": DENIED,
    "SET log_statement = 'all'": DENIED,
    "SET lo_compat_privileges = on": DENIED,
    "SET zero_damaged_pages = on": DENIED,
}

ALLOWED = {
    "NOTIFY lineside, '999999'": "a hint that makes other stations look; what they read is what is there",
    "SELECT pg_advisory_lock_shared(42)": "no function of the server takes advisory locks but init, which only waits",
    "SET statement_timeout = 0": "a role may loosen its own limits; whoever waits for the feed gives up after 10 s "
    "and tries again, and the administrator disables the station",
    "BEGIN; LOCK TABLE sync.log IN ACCESS SHARE MODE; ROLLBACK": "blocks nothing but a change of the tables",
    "SELECT lo_creat(-1)": "bytes of its own in the database, which nobody else reads; a superuser can revoke it",
    "ALTER ROLE {me} PASSWORD 'another'": "locks nobody out but itself; add-station gives a new one",
    "SELECT count(*) FROM pg_stat_activity": "who is connected; what others are doing there is hidden",
    "GRANT SELECT ON sync.log TO PUBLIC": "only a warning: a station cannot give on what it may itself",
}
"""What PostgreSQL allows every role, with the reason why that is bearable."""


@pytest.mark.parametrize("statement", REFUSED)
def test_it_is_refused(fort: Fort, statement: str) -> None:
    expected = REFUSED[statement]
    with fort.connect("X8") as other, fort.connect("X7") as station:
        words = {
            "me": fort.role("X7"),
            "other": fort.role("X8"),
            "owner": fort.group().removesuffix("_station") + "_owner",
            "database": station.info.dbname,
            "pid": str(other.info.backend_pid),
        }
        with pytest.raises(psycopg.Error) as raised:
            station.execute(_filled(statement, words))
        assert raised.value.sqlstate in ((expected,) if isinstance(expected, str) else expected)


@pytest.mark.parametrize("statement", ALLOWED)
def test_what_postgresql_allows_does_no_harm(fort: Fort, statement: str) -> None:
    with fort.connect("X7") as station:
        station.execute(_filled(statement, {"me": fort.role("X7")}))
    with fort.own() as owner:
        assert owner.execute("SELECT sync.verify()").fetchone() == (None,)
        public = owner.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,"
            " aclexplode(c.relacl) a WHERE n.nspname IN ('sync', 'lineside') AND a.grantee = 0"
        ).fetchall()
        assert public == []
        owner.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
        owner.execute(_filled("ALTER ROLE {me} PASSWORD '{password}'", _password(fort)))


def _password(fort: Fort) -> dict[str, str]:
    from urllib.parse import urlsplit

    return {"me": fort.role("X7"), "password": urlsplit(fort.reach("X7")).password or ""}


def _filled(statement: str, words: dict[str, str]) -> bytes:
    for name, word in words.items():
        statement = statement.replace(f"{{{name}}}", word)
    return statement.encode()


def test_a_name_put_before_ours_in_the_search_path_does_not_reach_the_functions(fort: Fort) -> None:
    """Even where an administrator lets everybody make things in the schema public and temporary ones."""
    with fort.own() as owner, fort.connect("X7") as station:
        database = owner.info.dbname
        owner.execute(f'GRANT TEMP ON DATABASE "{database}" TO PUBLIC')
        owner.execute("GRANT ALL ON SCHEMA public TO PUBLIC")
        try:
            station.execute("SET search_path = public, pg_temp, pg_catalog")
            for made in (
                "CREATE TEMP TABLE log (seq bigint, hash bytea, body text, at timestamptz)",
                "CREATE TEMP TABLE station AS SELECT 'X8'::text AS name",
                "CREATE FUNCTION public.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT ''\\x00''::bytea'",
                "CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT ''-infinity''::timestamptz'",
                "CREATE FUNCTION public.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
                "CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.never)",
                "CREATE FUNCTION pg_temp.jsonb_typeof(jsonb) RETURNS text LANGUAGE sql AS 'SELECT ''object'''",
            ):
                station.execute(made)
            hello = station.execute("SELECT sync.hello(1, 'x')").fetchone()
            assert hello is not None
            assert hello[0]["station"] == "X7"
            assert station.execute("SELECT sync.verify()").fetchone() == (None,)
            with fort.counter("X8") as honest:
                assert station.execute("SELECT has_schema_privilege('sync', 'CREATE')").fetchone() == (False,)
                for source in (honest.source,):
                    with pytest.raises(psycopg.Error) as raised:
                        station.execute("SELECT sync.open_source(%s, 1)", (source,))
                    assert raised.value.sqlstate == "42501"
        finally:
            station.execute("DROP OWNED BY CURRENT_USER")
            owner.execute(f'REVOKE TEMP ON DATABASE "{database}" FROM PUBLIC')
            owner.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")


def test_a_station_of_another_server_on_the_same_cluster_is_not_let_in(
    fort: Fort, postgres: Postgres, server: ServerDatabase
) -> None:
    foreign = postgres.new_database()
    try:
        init(postgres.url(foreign), "foreign")
        line = add_station(postgres.url(foreign), "X7")
        url = with_password(line.url, line.secrets.password)
        with fort.own() as owner:
            inside = url.replace(f"/{foreign}", f"/{owner.info.dbname}")
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(inside)
    finally:
        postgres.drop_database(foreign)
        with postgres.connect() as owner:
            for role in ("foreign_st_x7", "foreign_station", "foreign_owner"):
                owner.execute(f"DROP ROLE IF EXISTS {role}")


def test_a_disabled_station_is_thrown_out_and_stays_out(server: ServerDatabase) -> None:
    server.add_station("X9")
    with psycopg.connect(server.station_url("X9"), autocommit=True) as station:
        station.execute("SELECT sync.hello(1, 'x')")
        disable_station(server.url, "X9")
        with pytest.raises(psycopg.Error):
            station.execute("SELECT sync.hello(1, 'x')")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.station_url("X9"))


def test_a_transaction_that_holds_the_feed_is_ended_by_the_server(fort: Fort) -> None:
    with fort.connect("X7") as station:
        limits = station.execute(
            "SELECT current_setting('idle_in_transaction_session_timeout'), current_setting('lock_timeout'),"
            " current_setting('statement_timeout')"
        ).fetchone()
        assert limits == ("5s", "10s", "10min")
    with fort.counter("X7") as greedy, fort.counter("X8") as patient:
        greedy.connection.execute("SET idle_in_transaction_session_timeout = '300ms'")
        greedy.connection.autocommit = False
        assert greedy.push_rows(next(iter(fort.people.values())))["verdict"] == "applied"
        assert patient.push_rows(next(iter(fort.people.values())))["verdict"] == "applied"
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            greedy.connection.execute("SELECT 1")
