"""A store beside the database: a folder that all stations reach stands for S3 and its like."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.domain.errors import NotFound, Refused, WorldFault
from app.store.blobs import BlobFolder
from app.sync.attachments.downloading import fetch_blob
from app.sync.attachments.stores import OutsideStore
from app.sync.attachments.uploading import send_blob
from app.sync.server.blob_store import clean_blobs, set_store
from tests.sync.attachments.blobs import content, digest, shelf_of, stored_at, tell_server, waiting

if TYPE_CHECKING:
    from tests.sync.conftest import ServerDatabase

DATA = content(12 * 1024 * 1024)
SHA = digest(DATA)


def quiet(_done: int, _total: int) -> None:
    pass


@pytest.fixture(params=["file", "memory"])
def outside(request: pytest.FixtureRequest, tmp_path: Path) -> OutsideStore:
    return OutsideStore((tmp_path / "store").as_uri() if request.param == "file" else "memory:///")


@pytest.fixture
def folder(tmp_path: Path) -> BlobFolder:
    made = BlobFolder(tmp_path / "07")
    made.add(DATA)
    return made


def test_a_file_goes_there_in_parts_and_comes_back_from_anywhere(
    outside: OutsideStore, folder: BlobFolder
) -> None:
    told: list[int] = []
    outside.send(SHA, folder.file(SHA), told.append)
    assert told[-1] == len(DATA)
    assert len(told) > 10
    assert b"".join(outside.pieces(SHA, 0)) == DATA
    assert b"".join(outside.pieces(SHA, 5_000_000)) == DATA[5_000_000:]
    assert [(sha256, size) for sha256, size, _ in outside.held()] == [(SHA, len(DATA))]
    again: list[int] = []
    outside.send(SHA, folder.file(SHA), again.append)
    assert again == [], "what is there is only read back"
    outside.remove(SHA)
    outside.remove(SHA)
    with pytest.raises(NotFound):
        list(outside.pieces(SHA, 0))


def test_whoever_is_told_can_stop_it_and_half_a_file_never_counts(
    outside: OutsideStore, folder: BlobFolder
) -> None:
    class Stop(Exception):
        pass

    def told(done: int) -> None:
        if done > 6_000_000:
            raise Stop

    with pytest.raises(Stop):
        outside.send(SHA, folder.file(SHA), told)
    assert list(outside.held()) == []


def test_what_arrived_changed_is_removed_and_said(tmp_path: Path, folder: BlobFolder) -> None:
    outside = OutsideStore((tmp_path / "store").as_uri())
    wrong = tmp_path / "store" / SHA[:2] / SHA
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(DATA[:-1] + b"?")
    with pytest.raises(WorldFault, match="changed"):
        outside.send(SHA, folder.file(SHA), lambda _done: None)
    assert not wrong.exists()
    outside.send(SHA, folder.file(SHA), lambda _done: None)


def test_an_address_that_names_no_store_is_refused() -> None:
    with pytest.raises(Refused, match="is no store"):
        OutsideStore("ftp://somewhere/else")


def test_a_store_that_does_not_answer_is_a_fault_of_the_world(tmp_path: Path, folder: BlobFolder) -> None:
    (tmp_path / "store").mkdir()
    outside = OutsideStore((tmp_path / "store").as_uri())
    (tmp_path / "store" / SHA[:2]).write_text("a file stands in the way")
    with pytest.raises(WorldFault, match="does not answer"):
        outside.send(SHA, folder.file(SHA), lambda _done: None)


def test_bytes_go_to_the_store_that_the_server_names_and_the_server_says_so(
    server: ServerDatabase, folder: BlobFolder, tmp_path: Path
) -> None:
    url = (tmp_path / "store").as_uri()
    row = tell_server(server, DATA)
    server.add_station("07")
    set_store(server.url, url)
    with shelf_of(server.station_url("07")) as shelf:
        assert shelf.terms().store_url == url
        send_blob(shelf, shelf.terms(), OutsideStore(url), folder, waiting(DATA), quiet)
        found = shelf.find(SHA)
        assert found is not None
        assert found.external
        there = BlobFolder(tmp_path / "08")
        fetch_blob(shelf, shelf.terms(), lambda: OutsideStore(url), there, SHA, quiet)
    assert stored_at(server, row)
    assert there.is_sound(SHA)
    with server.connect() as connection:
        assert connection.execute("SELECT count(*) FROM sync.blob_chunk").fetchone() == (0,)


def test_a_station_cannot_call_bytes_stored_elsewhere_when_the_server_names_no_store(
    server: ServerDatabase, folder: BlobFolder
) -> None:
    server.add_station("07")
    with shelf_of(server.station_url("07")) as shelf:
        shelf.begin(SHA, len(DATA), "image/jpeg")
        with pytest.raises(WorldFault, match="in the database now"):
            shelf.finish(SHA, external=True)
        assert shelf.find(SHA) is None


def test_clean_up_reaches_the_store_and_spares_what_is_needed_or_fresh(
    server: ServerDatabase, folder: BlobFolder, tmp_path: Path
) -> None:
    url = (tmp_path / "store").as_uri()
    outside = OutsideStore(url)
    orphan, forgotten = content(1000, seed=2), content(1000, seed=3)
    server.add_station("07")
    set_store(server.url, url)
    tell_server(server, DATA)
    with shelf_of(server.station_url("07")) as shelf:
        for data in (DATA, orphan):
            folder.add(data)
            send_blob(shelf, shelf.terms(), outside, folder, waiting(data), quiet)
    folder.add(forgotten)
    outside.send(digest(forgotten), folder.file(digest(forgotten)), lambda _done: None)
    assert clean_blobs(server.url, older_days=30).files == 0
    done = clean_blobs(server.url, older_days=0)
    assert (done.files, done.bytes) == (2, 2000)
    assert {sha256 for sha256, _, _ in outside.held()} == {SHA}
    assert hashlib.sha256(b"".join(outside.pieces(SHA, 0))).hexdigest() == SHA
