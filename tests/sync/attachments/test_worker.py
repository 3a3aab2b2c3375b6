"""The worker that sends and fetches: behind every change, through every cut, and never losing what is only here."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from app.domain.errors import WorldFault
from app.store.blobs import BlobFolder
from app.store.tables import Attachment, Blob, Outbox
from app.sync.attachments.downloading import fetch_blob
from app.sync.attachments.shelf import ServerShelf
from app.sync.attachments.stores import OutsideStore
from app.sync.attachments.uploading import send_blob
from app.sync.attachments.worker import BlobLimits
from tests.proxy import Direction
from tests.sync.attachments.blobs import (
    AT,
    CHUNK,
    Sender,
    connecting,
    content,
    digest,
    eventually,
    proxied,
    shelf_of,
    stored_at,
    tell_server,
    waiting,
)

if TYPE_CHECKING:
    from tests.sync.conftest import ServerDatabase

DATA = content(3 * CHUNK + 100)


def _complete(server: ServerDatabase, data: bytes) -> bool:
    with server.connect() as connection:
        row = connection.execute(
            "SELECT complete FROM sync.blob WHERE sha256 = %b", (bytes.fromhex(digest(data)),)
        ).fetchone()
    return bool(row and row[0])


def test_what_waits_is_sent_and_what_a_person_opens_is_fetched(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    row = tell_server(server, DATA)
    here, there = station("07"), station("08")
    sha256 = here.add(DATA)
    here.store.submit(
        lambda s: s.add(Blob(sha256=sha256, size=len(DATA), original=True, added_at=AT))
    ).result()
    here.worker.start()
    eventually(lambda: stored_at(server, row))
    eventually(lambda: bool(here.steps) and here.steps[-1].over)
    assert here.steps[0].done == 0
    assert all(step.up and not step.problem for step in here.steps)
    with here.store.reader() as session:
        assert session.get_one(Blob, sha256).sent
    there.worker.start()
    there.worker.fetch(sha256)
    eventually(lambda: there.blobs.has(sha256))
    eventually(lambda: there.steps[-1].over)
    assert there.blobs.read(sha256) == DATA
    assert not there.steps[-1].up


def test_a_file_that_is_not_there_yet_is_a_sentence_and_the_worker_goes_on(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    here = station("07")
    here.worker.start()
    here.worker.fetch("ab" * 32)
    eventually(lambda: bool(here.steps))
    assert "has not reached the server" in here.steps[0].problem
    here.add(DATA)
    here.worker.wake()
    eventually(lambda: _complete(server, DATA))


def test_one_file_over_the_quota_keeps_no_other_back(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    with server.connect() as connection:
        connection.execute("UPDATE sync.blob_terms SET station_quota = %s", (len(DATA) + 10,))
    here = station("07")
    large = content(5 * CHUNK, seed=7)
    here.add(large)
    here.add(DATA)
    here.worker.start()
    eventually(lambda: _complete(server, DATA))
    eventually(lambda: any("fill their" in step.problem for step in here.steps))
    assert here.blobs.is_sound(digest(large))


def _waiting_change(sender: Sender) -> None:
    entry = Outbox(change_id=uuid4(), position=1, source=uuid4(), n=1, state="pending", body="{}")
    sender.store.submit(lambda session: session.add(entry)).result()


def test_changes_that_wait_go_before_photos(
    server: ServerDatabase, station: Callable[..., Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sync.attachments.worker._PATIENCE_SECONDS", 600.0)
    here = station("07")
    here.add(DATA)
    _waiting_change(here)
    here.worker.start()
    time.sleep(0.5)  # there is nothing to await: that nothing happens is what is shown
    assert here.steps == []
    here.store.submit(lambda session: session.execute(update(Outbox).values(state="done"))).result()
    eventually(lambda: _complete(server, DATA))


def test_a_queue_of_changes_that_does_not_move_keeps_no_photo_for_ever(
    server: ServerDatabase, station: Callable[..., Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sync.attachments.worker._PATIENCE_SECONDS", 0.1)
    here = station("07")
    here.add(DATA)
    _waiting_change(here)
    here.worker.start()
    eventually(lambda: _complete(server, DATA))


def test_a_cable_that_breaks_within_every_chunk_loses_nothing_that_arrived(
    server: ServerDatabase, station: Callable[..., Sender], tmp_path: Path
) -> None:
    port = urlsplit(server.url).port
    assert port is not None
    here, there = station("07").blobs, BlobFolder(tmp_path / "there")
    here.add(DATA)
    url = server.station_url("07")
    with proxied(port) as (proxy, on_loop):
        through = connecting(url.replace(f":{port}/", f":{proxy.port}/"))

        def until_done(way: Direction, work: Callable[[ServerShelf], None]) -> int:
            """How many cuts there were, each a chunk and a third after the one before."""
            for cuts in range(20):
                on_loop(lambda: proxy.cut_after(CHUNK + CHUNK // 3, way))
                with suppress(WorldFault):
                    shelf = ServerShelf(through)
                    try:
                        work(shelf)
                        return cuts
                    finally:
                        shelf.close()
            raise AssertionError("it never came through")

        def send(shelf: ServerShelf) -> None:
            send_blob(shelf, shelf.terms(), None, here, waiting(DATA), _quiet)

        def fetch(shelf: ServerShelf) -> None:
            fetch_blob(shelf, shelf.terms(), _no_store, there, digest(DATA), _quiet)

        assert until_done("up", send) >= 2
        assert until_done("down", fetch) >= 2
    assert there.read(digest(DATA)) == DATA


def _quiet(_done: int, _total: int) -> None:
    """Whoever sends without a worker tells nobody."""


def _no_store() -> OutsideStore:
    raise AssertionError("nothing lies in another store here")


def test_a_worker_whose_cable_is_cut_tries_again_by_itself(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    port = urlsplit(server.url).port
    assert port is not None
    with proxied(port) as (proxy, on_loop):
        here = station("07", through=proxy.port)
        here.add(DATA)
        on_loop(lambda: proxy.cut_after(CHUNK * 2, "up"))
        here.worker.start()
        eventually(lambda: _complete(server, DATA), 60)
        assert any(step.problem for step in here.steps)
        here.worker.stop()


def test_a_worker_that_died_in_the_middle_goes_on_where_it_was(
    server: ServerDatabase, station: Callable[..., Sender], tmp_path: Path
) -> None:
    here = station("07")
    sha256 = here.add(DATA)
    with shelf_of(server.station_url("07")) as shelf:
        shelf.begin(sha256, len(DATA), "image/jpeg")
        for n in (0, 1):
            shelf.put(sha256, n, DATA[n * CHUNK : (n + 1) * CHUNK])
    here.worker.start()
    eventually(lambda: _complete(server, DATA))
    eventually(lambda: here.steps[-1].over)
    assert [step.done for step in here.steps] == [0, 2 * CHUNK, 3 * CHUNK, len(DATA)]


def test_a_server_from_an_old_backup_gets_its_bytes_from_any_station_that_has_them(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    row = tell_server(server, DATA)
    other = station("08")
    other.add(DATA)  # fetched once; the row says again that the server does not have it
    other.worker.start()
    eventually(lambda: stored_at(server, row))


def test_only_what_the_server_has_gives_way_when_the_folder_is_full(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    here = station("07", limits=BlobLimits(cache_bytes=1))
    with server.connect() as connection:
        connection.execute("UPDATE sync.blob_terms SET largest = 10")  # nothing can be sent
    kept, gone = content(1000, seed=2), content(1000, seed=3)
    here.add(kept)
    here.add(gone, stored=True)
    here.worker.start()
    eventually(lambda: not here.blobs.has(digest(gone)))
    assert here.blobs.is_sound(digest(kept))


def test_stopping_takes_no_longer_than_a_piece(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    here = station("07", limits=BlobLimits(bytes_per_second=1000))
    here.add(DATA)
    here.worker.start()
    eventually(lambda: (bool(here.steps) and here.steps[-1].done > 0) or len(here.steps) > 0)
    here.worker.stop()
    assert not here.worker.running
    assert not _complete(server, DATA)


def test_an_order_gets_through_while_twenty_megabytes_are_on_their_way(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    large = content(20 * 1024 * 1024, seed=4)
    here = station("07")
    here.add(large)
    server.add_station("09")
    connect = connecting(server.station_url("09"))
    with connect() as other:
        here.worker.start()
        eventually(lambda: len(here.steps) > 3)
        trips: list[float] = []
        while not here.steps[-1].over and len(trips) < 200:
            began = time.monotonic()
            with server.connect() as order, order.transaction():  # what every change has to pass
                order.execute("SELECT sync._lock_feed()")
            other.execute("SELECT sync.hello(1, 'test')").fetchone()
            trips.append(time.monotonic() - began)
        eventually(lambda: _complete(server, large))
    assert trips, "nothing was measured while the photo was on its way"
    assert sorted(trips)[len(trips) // 2] < 1.0
    with here.store.reader() as session:
        assert session.execute(select(func.count(Attachment.id))).scalar() == 1


def test_what_was_added_here_stays_until_it_was_sent_from_here_whatever_others_claim(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    here = station("07", limits=BlobLimits(cache_bytes=1))
    claimed = here.add(content(1000, seed=2), stored=True)
    rows = [
        Blob(sha256=digest(content(1000, seed=seed)), size=1000, original=True, sent=seed == 3, added_at=AT)
        for seed in (2, 3)
    ]
    here.store.submit(lambda session: session.add_all(rows)).result()
    gone = here.add(content(1000, seed=3), stored=True)
    here.worker.start()
    eventually(lambda: not here.blobs.has(gone))
    assert here.blobs.has(claimed)


def test_one_file_that_cannot_be_read_holds_no_other_up(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    here = station("07")
    bad, good = here.add(content(1000, seed=2)), content(1000, seed=3)
    file = here.blobs.file(bad)
    file.unlink()
    file.mkdir()  # a disk that says "is a directory" stands for one that says "input/output error"
    (file / "x").touch()
    here.add(good)
    here.worker.start()
    eventually(lambda: _complete(server, good))
    eventually(lambda: any("cannot be read for sending" in step.problem for step in here.steps))


def test_a_row_that_lies_about_the_size_keeps_no_file_back(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    here = station("07")
    sha256 = here.add(DATA)
    row = Attachment(
        id=uuid4(), owner="issue", owner_id=uuid4(), name="a.jpg", mime="image/jpeg", size=1,
        sha256=sha256, stored=False, at=AT, author="Eve",
    )  # fmt: skip
    here.store.submit(lambda session: session.add(row)).result()
    here.worker.start()
    eventually(lambda: _complete(server, DATA))


def test_a_full_disk_is_said_and_the_download_goes_on_where_it_stopped(
    server: ServerDatabase, station: Callable[..., Sender]
) -> None:
    pytest.importorskip("resource")  # Windows has no such limits
    from tests.sync.engine.test_disk_full import no_file_above

    here, there = station("07"), station("08")
    limit = 100_000 + max(file.stat().st_size for file in there.blobs.path.parent.glob("lineside.sqlite*"))
    data = content(limit + 2 * CHUNK)
    here.add(data)
    here.worker.start()
    eventually(lambda: _complete(server, data))
    here.worker.stop()
    with no_file_above(limit):
        there.worker.start()
        there.worker.fetch(digest(data))
        eventually(lambda: any("cannot take the file" in step.problem for step in there.steps))
    before = len(there.steps)
    there.worker.fetch(digest(data))
    eventually(lambda: there.blobs.has(digest(data)))
    assert there.steps[before].done >= limit // CHUNK * CHUNK
    assert there.blobs.read(digest(data)) == data
