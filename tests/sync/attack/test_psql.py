"""The same with psql and the credentials of a station, as whoever finds them would begin."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.postgres import Postgres, versions
from tests.sync.attack.fort import Fort


def _psql(postgres: Postgres) -> str:
    bundled = [postgres.binaries / "psql", *(folder / "bin/psql" for folder in versions().values())]
    found = next((str(path) for path in bundled if path.exists()), shutil.which("psql"))
    if found is None:
        pytest.skip("no psql on this computer")
    return found


def test_psql_reads_orders_and_changes_none(fort: Fort, postgres: Postgres) -> None:
    psql = _psql(postgres)

    def run(statement: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [psql, "-X", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", statement, fort.reach("X7")],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )

    read = run(f"SELECT quantity FROM lineside.work_order WHERE id = '{fort.order_id}'")
    assert (read.returncode, read.stdout.strip()) == (0, "5"), read.stderr
    for statement in (
        "UPDATE lineside.work_order SET quantity = 6",
        "DELETE FROM lineside.work_order",
        "BEGIN; TRUNCATE lineside.work_order CASCADE; COMMIT",
        "UPDATE sync.log SET body = replace(body, 'planner', 'admin')",
        "\\copy lineside.work_order from /dev/null",
        "SELECT secret FROM sync.login_grant",
    ):
        refused = run(statement)
        assert refused.returncode != 0, statement
        assert "permission denied" in refused.stderr, refused.stderr
    assert run("SELECT quantity FROM lineside.work_order").stdout.split() == read.stdout.split()
