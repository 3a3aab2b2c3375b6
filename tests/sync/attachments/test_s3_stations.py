"""Two real stations, a real server and an S3: set up by commands, killed, cut, and never in the way of an order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.operations.attachments import attach_file
from app.operations.orders import create_work_order, edit_work_orders
from app.store.blobs import BlobFolder
from app.store.incoming_files import take_bytes
from app.sync.control import SyncControl
from app.sync.files_key import FilesKey
from app.sync.membership import files_key_of, station_address
from app.sync.status import ONLINE, read_status
from tests.sync.attachments.blobs import content, eventually, proxied
from tests.sync.attachments.test_s3 import policy
from tests.sync.harness import SyncedStation

if TYPE_CHECKING:
    from tests.sync.attachments.bucket import Bucket
    from tests.sync.harness import World

ROOT = Path(__file__).parents[3]
PHOTO = content(20 * 1024 * 1024, seed=9)
RATE = 4_000_000
"""Bytes a second to and from the store: the photo takes ten seconds, so that much can happen meanwhile."""


def typed(*words: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A command as somebody types it who has nothing of an S3 in the environment but what is given."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, "-m", "ui", *words],
        cwd=ROOT, env=plain | environment, input=typed, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


class SyncProcess:
    """`lineside sync` of one station, to be killed and started."""

    def __init__(self, station: SyncedStation) -> None:
        self.station = station
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "app.sync", "--data-dir", str(self.station.folder)], cwd=ROOT, env=plain
        )
        eventually(lambda: self._is_online(process.pid), 60)
        return process

    def _is_online(self, pid: int) -> bool:
        told = read_status(self.station.folder)
        return told is not None and told.pid == pid and told.state == ONLINE

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)

    def again(self) -> None:
        self.process = self._start()

    def problems(self) -> list[str]:
        told = read_status(self.station.folder)
        return [moving.problem for moving in told.transfers if moving.problem] if told else []


@contextmanager
def syncing(*stations: SyncedStation) -> Iterator[list[SyncProcess]]:
    made: list[SyncProcess] = []
    try:
        for station in stations:
            made.append(SyncProcess(station))
        yield made
    finally:
        for process in made:
            process.kill()


def set_up(world: World, bucket: Bucket, port: int) -> None:
    """The owner of the server says where photos go, as docs/server.md describes it."""
    address = ("server", "files", "--store", bucket.url(port))
    owner = {"LINESIDE_SERVER_URL": world.server.url}
    refused = typed(*address, **owner)
    assert refused.returncode == 1
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where you type this" in refused.stderr
    done = typed(*address, **owner, **bucket.owner_environment)
    assert f"New ones go to {bucket.url(port)}" in done.stdout, done.stderr
    assert "travel unencrypted" in done.stdout


def give_key(station: SyncedStation, key: FilesKey) -> str:
    done = typed("--data-dir", str(station.folder), "files-key", typed=f"{key.id}\n{key.secret}\n")
    assert "are kept in" in done.stdout or "The key is kept, but" in done.stderr, done
    return done.stdout + done.stderr


def attach(station: SyncedStation, order: UUID, name: str, data: bytes) -> str:
    taken = take_bytes(BlobFolder(station.folder), name, data)
    station.do(
        attach_file(owner="work_order", owner_id=order, name=name, sha256=taken.sha256, size=taken.size)
    )
    return taken.sha256


def shows(station: SyncedStation, order: UUID, customer: str) -> Callable[[], bool]:
    def look() -> bool:
        row: dict[str, Any] | None = station.row("work_order", order)
        return row is not None and row["customer"] == customer

    return look


def stored(station: SyncedStation, sha256: str) -> Callable[[], bool]:
    return lambda: station.ask("SELECT stored FROM attachment WHERE sha256 = ?", sha256) == [(1,)]


@pytest.mark.timeout(400)
def test_from_the_set_up_to_a_photo_that_two_stations_have_through_a_kill_a_mute_store_and_edits(
    world: World, bucket: Bucket
) -> None:
    one, two = world.station("01"), world.station("02")
    order = one.do(create_work_order(product="FRAME-M", quantity=3)).result
    assert order is not None
    with proxied(bucket.port) as (proxy, on_loop):
        set_up(world, bucket, proxy.port)
        bucket.keep_versions()
        for station in (one, two):
            assert "takes this key" in give_key(station, bucket.key)
            assert files_key_of(station.folder, station_address(station.folder)) == bucket.key
        on_loop(lambda: proxy.throttle(RATE))
        with syncing(one, two) as (first, _second):
            sha256 = attach(one, order, "large.bin", PHOTO)
            eventually(lambda: len(bucket.names()) >= 3, 60)

            # In the middle: an order is edited, and seen elsewhere, before the photo is there.
            one.do(edit_work_orders(ids=[order], customer="Brandt"))
            eventually(shows(two, order, "Brandt"), 60)
            assert not stored(two, sha256)()

            first.kill()
            there = bucket.names()
            assert len(there) < 20
            first.again()
            eventually(lambda: len(bucket.names()) > len(there), 60)

            # The store takes connections and says nothing more; orders go on.
            on_loop(proxy.half_open)
            on_loop(proxy.cut)
            one.do(edit_work_orders(ids=[order], customer="Kowal"))
            eventually(shows(two, order, "Kowal"), 60)
            assert not stored(two, sha256)()
            on_loop(proxy.heal)
            on_loop(proxy.cut)
            SyncControl(one.folder).sync_now()

            eventually(stored(two, sha256), 150)
            written = bucket.versions()
            assert len(set(written)) == 20
            assert len(written) <= 22, "at most the piece of each cut went again"

            SyncControl(two.folder).fetch_file(sha256)
            eventually(lambda: BlobFolder(two.folder).has(sha256), 100)
            assert BlobFolder(two.folder).is_sound(sha256)


@pytest.mark.timeout(300)
def test_a_key_that_does_not_fit_is_said_in_the_status_and_the_right_one_counts_at_once(
    world: World, bucket: Bucket
) -> None:
    one, two = world.station("01"), world.station("02")
    order = one.do(create_work_order(product="FRAME-M", quantity=3)).result
    assert order is not None
    set_up(world, bucket, bucket.port)
    key = bucket.key_for(policy(bucket, "s3:GetObject", "s3:PutObject"))
    with bucket.strict():
        said = give_key(one, FilesKey(key.id, "x" * 40))
        assert "The key is kept, but: The store" in said
        assert "does not accept this key; `lineside files-key` sets the key of this station." in said
        with syncing(one) as (first,):
            sha256 = attach(one, order, "note.txt", b"seam 3 is done")
            eventually(lambda: bool(first.problems()), 60)
            assert "does not accept this key" in first.problems()[0]
            asked = typed("--data-dir", str(one.folder), "sync", "--status")
            status = asked.stdout + asked.stderr
            assert "1 photo or file waits to be sent." in status
            assert "does not accept this key" in status
            eventually(lambda: one.states() == ["done", "done"], 60)
            assert "takes this key" in give_key(one, key)
            eventually(stored(one, sha256), 60)
    two.sync()
    assert stored(two, sha256)()
    forgotten = typed("--data-dir", str(one.folder), "files-key", "--forget")
    assert forgotten.returncode == 0
    assert files_key_of(one.folder, station_address(one.folder)) is None


def test_a_key_travels_in_the_line_and_survives_a_new_line_without_one(world: World, bucket: Bucket) -> None:
    world.server.add_station("01")
    made = typed(
        "server", "add-station", "01", "--files-key", "--json",
        typed="AKIA01\nsecret01\n", LINESIDE_SERVER_URL=world.server.url,
    )  # fmt: skip
    assert "secret01" not in made.stdout.replace("\\n", ""), "it lies in the line as the password does"
    import json

    line = json.loads(made.stdout)["join_line"]
    one = world.station("02", joined=False)  # an open house in an empty folder
    one.house.join(line, lambda *_: None, lambda: False)
    assert files_key_of(one.folder, station_address(one.folder)) == FilesKey("AKIA01", "secret01")
    again = world.server.add_station("01")
    one.house.join(again, lambda *_: None, lambda: False)
    assert files_key_of(one.folder, station_address(one.folder)) == FilesKey("AKIA01", "secret01")
    assert typed("--data-dir", str(one.folder), "files-key", typed="a\nb\n").stderr.startswith(
        "The server keeps photos and files in its database"
    )


@pytest.mark.timeout(300)
def test_a_sync_process_that_waits_for_a_mute_store_ends_when_it_is_told_to(
    world: World, bucket: Bucket
) -> None:
    one = world.station("01")
    order = one.do(create_work_order(product="FRAME-M", quantity=3)).result
    assert order is not None
    with proxied(bucket.port) as (proxy, on_loop):
        set_up(world, bucket, proxy.port)
        give_key(one, bucket.key)
        on_loop(proxy.half_open)
        with syncing(one) as (first,):
            attach(one, order, "note.txt", b"seam 3 is done")
            known = proxy.accepted
            eventually(lambda: proxy.accepted > known or proxy.open > 0, 60)
            first.process.terminate()
            assert first.process.wait(60) == 0
            first.again()
            on_loop(proxy.heal)
            on_loop(proxy.cut)
            SyncControl(one.folder).sync_now()
            eventually(lambda: len(bucket.names()) == 1, 150)
