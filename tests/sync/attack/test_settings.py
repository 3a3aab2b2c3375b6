"""Settings of a session are its own: whatever a station sets, what the server writes down reads the same to all."""

from __future__ import annotations

import json
from uuid import uuid4

import psycopg
import pytest

from app.domain.people import Role
from tests.sync.attack.fort import NOW, Fort
from tests.sync.counter import created, entry

SETTINGS = (
    "standard_conforming_strings = off", "DateStyle = 'German, DMY'", "IntervalStyle = 'sql_standard'",
    "TimeZone = '<odd>-99:00'", "bytea_output = 'escape'", "quote_all_identifiers = on", "transform_null_equals = on",
    "extra_float_digits = -15", "array_nulls = off", "row_security = off", "search_path = lineside, sync, public",
    "client_encoding = 'LATIN1'", "jit_above_cost = 0", "enable_indexscan = off", "enable_seqscan = off",
    "lc_numeric = 'C'", "work_mem = '64kB'", "default_transaction_isolation = 'serializable'",
    "default_transaction_isolation = 'repeatable read'", "default_transaction_deferrable = on",
    "synchronous_commit = off", "max_parallel_workers_per_gather = 8", "check_function_bodies = off",
)  # fmt: skip


def test_no_setting_changes_what_is_written_down(fort: Fort) -> None:
    inspector = fort.people[Role.INSPECTOR]
    for setting in SETTINGS:
        with fort.counter("X7") as counter:
            counter.connection.execute(f"SET {setting}".encode())
            row = created("note", uuid4(), at=NOW, text='ä \\ "x"', written_at=NOW, author=inspector.name)
            answer = counter.push_rows(inspector, row)
            assert answer["verdict"] == "applied", setting
        with fort.own() as owner:
            found = owner.execute("SELECT body FROM sync.log WHERE seq = %s", (answer["seq"],)).fetchone()
            assert found is not None
            assert owner.execute("SELECT sync.verify()").fetchone() == (None,)
        record = json.loads(found[0])
        written = record["rows"][0]["set"]
        assert (written["at"], written["text"]) == ("2026-04-15T12:00:00+00:00", 'ä \\ "x"'), setting
        assert record["at"].endswith("+00:00"), setting


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_nothing_is_judged_by_how_things_stood_before(fort: Fort, level: str) -> None:
    planner = fort.people[Role.PLANNER]

    def note() -> str:
        return entry(planner, created("note", uuid4(), at=NOW, text="x", written_at=NOW, author=planner.name))

    with fort.counter("X7") as stale, fort.counter("X8") as honest:
        body = note()
        mac = stale.mac(body, planner.user_id)
        stale.connection.execute(f"BEGIN ISOLATION LEVEL {level}".encode())
        stale.connection.execute("SELECT count(*) FROM sync.log")
        assert honest.push(note(), planner.user_id)["verdict"] == "applied"
        with pytest.raises(psycopg.Error):
            stale.push(body, None, mac)
        stale.connection.execute("ROLLBACK")
        assert stale.push(body, None, mac)["verdict"] == "applied"
    with fort.own() as owner:
        assert owner.execute("SELECT sync.verify()").fetchone() == (None,)
