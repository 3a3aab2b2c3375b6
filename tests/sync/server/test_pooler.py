"""A pgBouncer between station and server that hands every transaction to another session: slower news, nothing lost."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.domain.people import Actor
from app.sync.waking import hears
from app.sync.wire import ServerConnection
from tests.postgres import as_server_user, free_port, give
from tests.sync.counter import created, entry
from tests.sync.server.conftest import Office, machine

POOLER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = pytest.mark.skipif(POOLER is None, reason="no pgbouncer here")
_SETTINGS = """
[databases]
{database} = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 3
logfile = {folder}/log
"""


@pytest.fixture
def pooled(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of station 07 through a pooler in transaction mode."""
    office.counter("07")
    direct = office.server.station_url("07")
    info = psycopg.conninfo.conninfo_to_dict(direct)
    folder, port = Path(office.server.postgres.folder) / f"pooler-{free_port()}", free_port()
    folder.mkdir(mode=0o700)
    (folder / "users").write_text(f'"{info["user"]}" "{info["password"]}"\n')
    (folder / "settings").write_text(
        _SETTINGS.format(database=info["dbname"], server=info["port"], port=port, folder=folder)
    )
    for path in (folder, folder / "users", folder / "settings"):
        give(path)
    assert POOLER is not None
    process = subprocess.Popen(
        [POOLER, "-q", str(folder / "settings")], cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        **as_server_user(),
    )  # fmt: skip
    url = direct.replace(f":{info['port']}/", f":{port}/")
    try:
        _wait(url)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_a_station_works_through_a_pooler_and_knows_that_it_has_to_ask(
    office: Office, pooled: str, manager: Actor
) -> None:
    counter = office.counter("07")
    with ServerConnection.open(pooled) as wire, ServerConnection.open(pooled) as other:
        assert wire.hello().station == other.hello().station == "07"
        for n in range(1, 6):
            body = entry(manager, created("equipment", counter.source, code=f"E{n}", name="x"))
            answer = (wire, other)[n % 2].push(counter.source, n, body, counter.mac(body, manager.user_id))
            assert answer.verdict == ("applied" if n == 1 else "conflict")
        with wire.snapshot() as session:
            seen = session.execute("SELECT count(*) FROM sync.log").fetchone()
            machine(office.counter("08"), manager, "E9")
            assert session.execute("SELECT count(*) FROM sync.log").fetchone() == seen == (5,)
        assert [line.seq for line in wire.feed(1, 10)] == [1, 2, 3, 4, 5, 6]
        assert wire.verify() is None
        assert not hears(wire, 1.0)
    with ServerConnection.open(office.server.station_url("07")) as direct:
        assert hears(direct, 30.0)
