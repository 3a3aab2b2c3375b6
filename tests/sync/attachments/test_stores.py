"""A store beside the database: S3, and a folder that all stations reach."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.domain.errors import Refused, WorldFault
from app.store.blobs import BlobFolder
from app.sync.attachments.downloading import fetch_blob
from app.sync.attachments.store_faults import ObjectMissing
from app.sync.attachments.stores import PIECE_BYTES, OutsideStore, owners_store
from app.sync.attachments.uploading import send_blob
from app.sync.server.blob_store import clean_blobs, set_store
from tests.sync.attachments.blobs import content, digest, shelf_of, stored_at, tell_server, waiting

if TYPE_CHECKING:
    from tests.sync.attachments.bucket import Bucket
    from tests.sync.conftest import ServerDatabase

DATA = content(3 * PIECE_BYTES + 100)
SHA = digest(DATA)


def quiet(_done: int, _total: int = 0) -> None:
    pass


@pytest.fixture(params=["file", "s3"])
def outside(request: pytest.FixtureRequest, tmp_path: Path, bucket: Bucket) -> OutsideStore:
    if request.param == "s3":
        return OutsideStore(bucket.url(), bucket.key)
    return shared_folder(tmp_path / "store")


def shared_folder(path: Path) -> OutsideStore:
    """A folder as its owner set it up and a station sees it."""
    owners_store(path.as_uri()).prove()
    return OutsideStore(path.as_uri())


def held(outside: OutsideStore) -> list[tuple[str, int]]:
    return sorted((found.sha256, found.size) for found in outside.held())


@pytest.fixture
def folder(tmp_path: Path) -> BlobFolder:
    made = BlobFolder(tmp_path / "07")
    made.add(DATA)
    return made


def test_a_file_goes_there_in_pieces_and_comes_back_from_anywhere(
    outside: OutsideStore, folder: BlobFolder
) -> None:
    told: list[int] = []
    outside.send(SHA, folder.file(SHA), told.append)
    assert told == [0, PIECE_BYTES, 2 * PIECE_BYTES, 3 * PIECE_BYTES, len(DATA)]
    assert b"".join(outside.pieces(SHA, 0, len(DATA))) == DATA
    assert b"".join(outside.pieces(SHA, 1_500_000, len(DATA))) == DATA[1_500_000:]
    assert held(outside) == [(SHA, len(DATA))]
    assert next(outside.held()).put_at <= datetime.now(UTC) + timedelta(seconds=2)
    outside.remove(SHA)
    outside.remove(SHA)
    assert held(outside) == []
    with pytest.raises(ObjectMissing):
        list(outside.pieces(SHA, 0, len(DATA)))


def test_whether_a_store_takes_and_gives_is_proved_without_a_trace(outside: OutsideStore) -> None:
    outside.look()
    outside.prove()
    assert held(outside) == []


def test_whoever_is_told_can_stop_it_and_what_arrived_stays(
    outside: OutsideStore, folder: BlobFolder
) -> None:
    class Stop(Exception):
        pass

    def told(done: int) -> None:
        if done > PIECE_BYTES:
            raise Stop

    with pytest.raises(Stop):
        outside.send(SHA, folder.file(SHA), told)
    assert held(outside) == [(SHA, 2 * PIECE_BYTES)]


def test_a_piece_that_is_there_and_wrong_is_written_over(tmp_path: Path, folder: BlobFolder) -> None:
    outside = shared_folder(tmp_path / "store")
    wrong = tmp_path / "store" / SHA[:2] / SHA / "00001"
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(bytes(PIECE_BYTES))
    outside.send(SHA, folder.file(SHA), quiet)
    assert b"".join(outside.pieces(SHA, 0, len(DATA))) == DATA


def test_behind_a_network_drive_that_is_not_connected_nothing_is_put_and_nothing_called_lost(
    server: ServerDatabase, folder: BlobFolder, tmp_path: Path
) -> None:
    drive, away = tmp_path / "store", tmp_path / "away"
    row, url = tell_server(server, DATA), drive.as_uri()
    server.add_station("07")
    set_store(server.url, url)
    there = BlobFolder(tmp_path / "08")
    with shelf_of(server.station_url("07")) as shelf:
        send_blob(shelf, shelf.terms(), OutsideStore(url), folder, waiting(DATA), quiet)
        drive.rename(away)
        with pytest.raises(WorldFault, match="is not there at this computer; connect it"):
            OutsideStore(url)
        drive.mkdir()  # the mount point
        with pytest.raises(WorldFault, match="is not there at this computer; connect it"):
            fetch_blob(shelf, shelf.terms(), lambda: OutsideStore(url), there, SHA, quiet)
        with pytest.raises(WorldFault, match="is not there at this computer; connect it"):
            OutsideStore(url).send(SHA, folder.file(SHA), quiet)
        drive.rmdir()
        away.rename(drive)
        known = OutsideStore(url)
        drive.rename(away)
        drive.mkdir()
        with pytest.raises(WorldFault, match="connect it"):
            known.send(SHA, folder.file(SHA), quiet)
        assert list(drive.iterdir()) == []
        assert stored_at(server, row)
        drive.rmdir()
        away.rename(drive)
        fetch_blob(shelf, shelf.terms(), lambda: OutsideStore(url), there, SHA, quiet)
    assert there.is_sound(SHA)


def test_an_object_that_lineside_did_not_put_there_is_none_of_its_files(tmp_path: Path) -> None:
    for name in (f"{SHA[:2]}/{SHA}/a/00000", f"x/{SHA[:2]}/{SHA}/00000", f"y/{SHA}", "notes/readme.txt"):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_bytes(b"1")
    assert held(OutsideStore(tmp_path.as_uri())) == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://somewhere/else", "is no store"),
        ("nothing at all", "is no store"),
        ("memory:///", "is no store"),
        ("s3:///works", "names no bucket"),
        ("s3://KEY:secret@photos/works", "Every station sees the address"),
        ("s3://photos/works?aws_secret_access_key=x", "knows no “aws_secret_access_key”"),
        ("s3://photos/works?endpoint=file:///etc", "begins with https"),
        ("az://photos/works?region=x", "knows no “region”"),
        ("http://[photos", "is no address"),
    ],
)
def test_an_address_that_names_no_store_is_refused(url: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        OutsideStore(url)


def test_a_store_that_does_not_answer_is_a_fault_of_the_world(tmp_path: Path, folder: BlobFolder) -> None:
    outside = shared_folder(tmp_path / "store")
    (tmp_path / "store" / SHA[:2]).write_text("a file stands in the way")
    with pytest.raises(WorldFault, match="does not answer"):
        outside.send(SHA, folder.file(SHA), quiet)


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


@pytest.mark.usefixtures("owner_environment")
@pytest.mark.parametrize("outside", ["file", "s3"], indirect=True)
def test_clean_up_reaches_the_store_and_spares_what_is_needed_or_fresh(
    server: ServerDatabase, folder: BlobFolder, outside: OutsideStore
) -> None:
    url = outside.url
    orphan, forgotten = content(1000, seed=2), content(1000, seed=3)
    server.add_station("07")
    set_store(server.url, url)
    tell_server(server, DATA)
    with shelf_of(server.station_url("07")) as shelf:
        for data in (DATA, orphan):
            folder.add(data)
            send_blob(shelf, shelf.terms(), outside, folder, waiting(data), quiet)
    folder.add(forgotten)
    outside.send(digest(forgotten), folder.file(digest(forgotten)), quiet)
    assert clean_blobs(server.url, older_days=30).files == 0
    done = clean_blobs(server.url, older_days=0)
    assert (done.files, done.bytes) == (2, 2000)
    assert held(outside) == [(SHA, len(DATA))]
    assert hashlib.sha256(b"".join(outside.pieces(SHA, 0, len(DATA)))).hexdigest() == SHA
