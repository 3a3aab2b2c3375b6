"""Two servers, the second following the first by streaming replication, and stations that are given both names."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.errors import WorldFault
from app.operations.notes import write_note
from app.sync.asking import Asking, WrongThere
from app.sync.server.address import ServerAddress
from app.sync.server.creation import init
from app.sync.server.nearest import answering_first
from app.sync.server.status import status
from app.sync.wire import ServerConnection
from tests.postgres import Postgres, free_port, running
from tests.sync.conftest import ServerDatabase
from tests.sync.harness import START, SyncedStation, World

_FIRST_ONLY = ("synchronous_commit=on",)  # what the first confirmed is on its disk


@dataclass
class TwoServers(ServerDatabase):
    """One shared server on two computers; `postgres` is the one that takes changes now."""

    second: Postgres | None = None

    @property
    def url(self) -> str:
        assert self.second is not None
        first = super().url
        return first.replace(
            f":{self.postgres.port}/", f":{self.postgres.port},127.0.0.1:{self.second.port}/"
        )

    def promote(self) -> None:
        """The second takes changes from now on."""
        assert self.second is not None
        with self.second.connect(self.name) as connection:
            connection.execute("SELECT pg_promote()")
        self.postgres, self.second = self.second, self.postgres


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[TwoServers, World]]:
    for first in running("16", settings=_FIRST_ONLY):
        name = first.new_database()
        init(first.url(name), "shop")
        second = first.follower()
        servers = TwoServers(first, name, second=second)
        world = World(servers, tmp_path)
        try:
            yield servers, world
        finally:
            world.close()
            second.remove()


def _until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _followed(first: Postgres, second: Postgres) -> bool:
    """Whether the second has everything that the first wrote."""
    with first.connect() as one, second.connect() as two:
        (written,) = one.execute("SELECT pg_current_wal_lsn()").fetchone() or ("",)
        found = two.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (written,)).fetchone()
        return found == (True,)


def _texts(station: SyncedStation) -> set[str]:
    return {row["text"] for row in station.rows()["note"].values()}


def _hang_up(world: World) -> None:
    for station in world.stations.values():
        station.hang_up()


def test_stations_go_to_the_second_server_and_offer_again_what_only_the_first_had(
    two: tuple[TwoServers, World],
) -> None:
    servers, world = two
    one, other = world.station("01"), world.station("02")
    one.do(write_note(at=START, text="on both"))
    world.settle()
    first, second = servers.postgres, servers.second
    assert second is not None
    _until(lambda: _followed(first, second))
    with second.connect() as connection:  # nothing more is passed on
        connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
        connection.execute("SELECT pg_reload_conf()")
    with first.connect() as connection:
        _until(lambda: connection.execute("SELECT FROM pg_stat_replication").fetchone() is None)
    one.do(write_note(at=START, text="confirmed by the first alone"))
    world.settle()
    assert "confirmed by the first alone" in _texts(other)
    first.stop(signal.SIGQUIT)
    _hang_up(world)
    one.do(write_note(at=START, text="while none took changes"))
    for station in (one, other):
        with pytest.raises(WorldFault, match="takes no changes now"):
            station.sync()
    servers.promote()
    other.do(write_note(at=START, text="after the promotion"))
    assert one.sync().baseline
    world.settle()
    world.check()
    everything = {
        "on both",
        "confirmed by the first alone",
        "while none took changes",
        "after the promotion",
    }
    assert _texts(one) == _texts(other) == everything
    assert status(servers.url).broken is None


def test_a_synchronous_second_server_has_all_that_was_confirmed_and_holds_up_changes_while_it_is_away(
    two: tuple[TwoServers, World],
) -> None:
    servers, world = two
    one, other = world.station("01"), world.station("02")
    first, second = servers.postgres, servers.second
    assert second is not None
    with first.connect() as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (second)'")
        connection.execute("SELECT pg_reload_conf()")
        waited_for = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
        _until(lambda: connection.execute(waited_for).fetchone())
    one.do(write_note(at=START, text="confirmed by both"))
    world.settle()
    second.stop()
    one.do(write_note(at=START, text="while the second was away"))
    with ThreadPoolExecutor(1) as waiting, first.connect() as connection:
        confirmed = waiting.submit(one.sync)
        held_up = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        _until(lambda: connection.execute(held_up).fetchone())
        assert not confirmed.done()
        second.start()
        confirmed.result(60)
    world.settle()
    first.stop(signal.SIGQUIT)
    _hang_up(world)
    servers.promote()
    assert [one.sync().baseline, other.sync().baseline] == [False, False]
    other.do(write_note(at=START, text="after the promotion"))
    world.settle()
    world.check()
    assert _texts(one) == {"confirmed by both", "while the second was away", "after the promotion"}


@pytest.fixture
def swallowing() -> Iterator[int]:
    """A port that takes no call and refuses none, as a computer that was switched off."""
    with ExitStack() as calls:
        port = calls.enter_context(socket.socket())
        port.bind(("127.0.0.1", 0))
        port.listen(0)
        for _ in range(4):  # until nobody else is taken in
            caller = calls.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(port.getsockname())
        yield port.getsockname()[1]


def test_a_login_need_not_wait_for_a_first_server_that_swallows_everything(
    server: ServerDatabase, swallowing: int
) -> None:
    server.add_station("07")
    url = server.station_url("07")
    both = url.replace("127.0.0.1:", f"127.0.0.1:{swallowing},127.0.0.1:")
    with pytest.raises(WrongThere):
        Asking(both, "nobody", "x").answer(20)
    places = ServerAddress(both).places
    assert answering_first(places, 20) == [1, 0]
    assert answering_first(places[::-1], 20) == [0, 1]
    assert answering_first([("127.0.0.1", free_port()), places[1], ("/run", 5432)], 20) == [1, 2, 0]
    assert answering_first([("127.0.0.1", free_port())] * 2, 20) == [0, 1]
    with ServerConnection.open(both) as wire:
        assert wire.hello().station == "07"
