"""Photos and files at the server: chunks in any order, verified there, once each, within limits, cleaned up safely."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from app.domain.errors import NotFound, Refused, WorldFault
from app.store.blobs import BlobFolder
from app.sync.attachments.downloading import fetch_blob
from app.sync.attachments.shelf import ChunksLost, ServerShelf
from app.sync.attachments.stores import OutsideStore
from app.sync.attachments.uploading import send_blob
from tests.sync.attachments.blobs import AT, CHUNK, content, digest, shelf_of, stored_at, tell_server, waiting

if TYPE_CHECKING:
    from tests.sync.conftest import ServerDatabase

DATA = content(3 * CHUNK + 100)
SHA = digest(DATA)


def quiet(_done: int, _total: int) -> None:
    pass


def no_store() -> OutsideStore:
    raise AssertionError("nothing lies in another store here")


@pytest.fixture
def shelf(server: ServerDatabase) -> Iterator[ServerShelf]:
    server.add_station("07")
    with shelf_of(server.station_url("07")) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> BlobFolder:
    made = BlobFolder(tmp_path / "07")
    made.add(DATA)
    return made


def send(shelf: ServerShelf, folder: BlobFolder, data: bytes = DATA, told: Any = quiet) -> None:
    send_blob(shelf, shelf.terms(), None, folder, waiting(data), told)


def records(server: ServerDatabase) -> list[dict[str, Any]]:
    with server.connect() as connection:
        return [json.loads(body) for (body,) in connection.execute("SELECT body FROM sync.log ORDER BY seq")]


def test_what_was_sent_is_fetched_by_another_station_and_is_the_same(
    server: ServerDatabase, shelf: ServerShelf, folder: BlobFolder, tmp_path: Path
) -> None:
    send(shelf, folder)
    server.add_station("08")
    there = BlobFolder(tmp_path / "08")
    seen: list[int] = []
    with shelf_of(server.station_url("08")) as other:
        fetch_blob(other, other.terms(), no_store, there, SHA, lambda done, _total: seen.append(done))
    assert there.read(SHA) == DATA
    assert seen == [0, CHUNK, 2 * CHUNK, 3 * CHUNK, len(DATA)]


def test_every_row_that_speaks_of_it_learns_it_in_one_record_of_the_log(
    server: ServerDatabase, shelf: ServerShelf, folder: BlobFolder
) -> None:
    rows = {tell_server(server, DATA), tell_server(server, DATA)}
    send(shelf, folder)
    (record,) = [r for r in records(server) if r["k"] == "system"]
    assert {row["id"] for row in record["rows"]} == {str(row) for row in rows}
    assert all(row["v"] == 2 and row["set"] == {"stored": True} for row in record["rows"])
    assert all(stored_at(server, row) for row in rows)
    assert stored_at(server, tell_server(server, DATA)), "a later row says so from the start"
    shelf.finish(SHA)
    assert len([r for r in records(server) if r["k"] == "system"]) == 1


def test_the_same_photo_twice_is_one_blob_and_costs_nothing(
    server: ServerDatabase, shelf: ServerShelf, folder: BlobFolder
) -> None:
    send(shelf, folder)
    seen: list[int] = []
    send(shelf, folder, told=lambda done, _total: seen.append(done))
    assert seen == [0, len(DATA)]
    with server.connect() as connection:
        assert connection.execute("SELECT count(*) FROM sync.blob").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM sync.blob_chunk").fetchone() == (4,)


def test_only_what_is_missing_is_sent_again(shelf: ServerShelf, folder: BlobFolder) -> None:
    shelf.begin(SHA, len(DATA), "image/jpeg")
    shelf.put(SHA, 2, DATA[2 * CHUNK : 3 * CHUNK])
    shelf.put(SHA, 2, DATA[2 * CHUNK : 3 * CHUNK])
    assert shelf.missing(SHA) == [0, 1, 3]
    seen: list[int] = []
    send(shelf, folder, told=lambda done, _total: seen.append(done))
    assert seen[1] == CHUNK
    assert shelf.missing(SHA) == []


def test_a_changed_chunk_is_thrown_away_and_never_counts(
    server: ServerDatabase, shelf: ServerShelf, folder: BlobFolder
) -> None:
    row = tell_server(server, DATA)
    shelf.begin(SHA, len(DATA), "image/jpeg")
    shelf.put(SHA, 1, content(CHUNK, seed=9))
    with pytest.raises(ChunksLost):
        send(shelf, folder)
    assert shelf.find(SHA) is None
    assert shelf.missing(SHA) == [0, 1, 2, 3]
    assert not stored_at(server, row)
    send(shelf, folder)
    assert stored_at(server, row)


def test_a_file_damaged_before_it_was_sent_is_put_aside_and_said(
    shelf: ServerShelf, folder: BlobFolder
) -> None:
    folder.file(SHA).write_bytes(DATA[:-1] + b"?")
    with pytest.raises(WorldFault, match="damaged on the disk of this station"):
        send(shelf, folder)
    assert not folder.has(SHA)
    assert shelf.find(SHA) is None


def test_chunks_of_a_wrong_size_or_number_are_refused(shelf: ServerShelf) -> None:
    with pytest.raises(Refused, match="Nobody began"):
        shelf.put(SHA, 0, DATA[:CHUNK])
    shelf.begin(SHA, len(DATA), "image/jpeg")
    for n, data in ((0, DATA[:-1]), (3, DATA[:CHUNK]), (4, b""), (-1, DATA[:CHUNK]), (3, DATA[:99])):
        with pytest.raises(Refused, match="no chunk"):
            shelf.put(SHA, n, data)
    with pytest.raises(ChunksLost):
        shelf.finish(SHA)


def test_whoever_announces_a_wrong_size_keeps_no_file_out(
    server: ServerDatabase, shelf: ServerShelf, folder: BlobFolder
) -> None:
    server.add_station("08")
    with shelf_of(server.station_url("08")) as other:
        other.begin(SHA, 1, "image/jpeg")
        other.put(SHA, 0, b"?")
        send(shelf, folder)
        with pytest.raises(Refused, match="knows this file with"):
            other.begin(SHA, 1, "image/jpeg")
        found = other.find(SHA)
    assert found is not None
    assert found.size == len(DATA)


def test_size_and_quota_are_kept_by_the_server(
    server: ServerDatabase, shelf: ServerShelf, folder: BlobFolder
) -> None:
    with pytest.raises(Refused, match="takes files of at most 50 MB"):
        shelf.begin(SHA, 52_428_801, "video/mp4")
    with server.connect() as connection:
        connection.execute("UPDATE sync.blob_terms SET station_quota = %s", (len(DATA) + 10,))
    send(shelf, folder)
    with pytest.raises(Refused, match="station 07 fill"):
        shelf.begin("ab" * 32, 11, "image/jpeg")
    assert not shelf.begin("cd" * 32, 10, "image/jpeg")
    server.add_station("08")
    with shelf_of(server.station_url("08")) as other:
        assert not other.begin("ab" * 32, 11, "image/jpeg"), "each station has a quota of its own"


def test_twenty_megabytes_pass(shelf: ServerShelf, folder: BlobFolder) -> None:
    large = content(20 * 1024 * 1024)
    folder.add(large)
    send(shelf, folder, large)
    found = shelf.find(digest(large))
    assert found is not None
    assert found.size == len(large)


def test_a_download_that_was_cut_goes_on_and_a_damaged_beginning_is_noticed(
    shelf: ServerShelf, folder: BlobFolder, tmp_path: Path
) -> None:
    send(shelf, folder)
    there = BlobFolder(tmp_path / "08")
    with there.part(SHA) as part:
        part.write(DATA[: 2 * CHUNK + 50])
    seen: list[int] = []
    fetch_blob(shelf, shelf.terms(), no_store, there, SHA, lambda done, _total: seen.append(done))
    assert seen[0] == 2 * CHUNK
    assert there.read(SHA) == DATA
    there.remove(SHA)
    with there.part(SHA) as part:
        part.write(b"?" * 2 * CHUNK)
    fetch_blob(shelf, shelf.terms(), no_store, there, SHA, quiet)
    assert there.is_sound(SHA), "it came once more, from the beginning"


def test_what_the_server_lost_is_sent_again_by_whoever_has_it(
    server: ServerDatabase, shelf: ServerShelf, folder: BlobFolder, tmp_path: Path
) -> None:
    row = tell_server(server, DATA)
    send(shelf, folder)
    with server.connect() as connection:
        connection.execute("UPDATE sync.blob_chunk SET data = %s WHERE n = 1", (content(CHUNK, seed=5),))
    with pytest.raises(NotFound, match="damaged on the server"):
        fetch_blob(shelf, shelf.terms(), no_store, BlobFolder(tmp_path / "08"), SHA, quiet)
    assert not stored_at(server, row)
    assert [r["rows"][0]["set"]["stored"] for r in records(server) if r["k"] == "system"] == [True, False]
    send(shelf, folder)
    assert stored_at(server, row)
    assert not shelf.doubt(SHA)


def test_what_nobody_sent_yet_is_not_found(shelf: ServerShelf, tmp_path: Path) -> None:
    shelf.begin(SHA, len(DATA), "image/jpeg")
    with pytest.raises(NotFound, match="has not reached the server"):
        fetch_blob(shelf, shelf.terms(), no_store, BlobFolder(tmp_path / "08"), SHA, quiet)


def _age(server: ServerDatabase, days: int) -> None:
    with server.connect() as connection:
        connection.execute("UPDATE sync.blob SET begun_at = begun_at - make_interval(days => %s)", (days,))


def _clean(server: ServerDatabase) -> list[str]:
    with server.connect() as connection:
        return [row[0] for row in connection.execute("SELECT sha256 FROM sync.remove_orphan_blobs()")]


def test_clean_up_takes_what_nothing_speaks_of_and_nothing_that_is_referred_to_or_fresh(
    server: ServerDatabase, shelf: ServerShelf, folder: BlobFolder
) -> None:
    orphan = content(CHUNK + 5, seed=3)
    folder.add(orphan)
    tell_server(server, DATA)
    send(shelf, folder)
    send(shelf, folder, orphan)
    assert _clean(server) == [], "both are fresh"
    _age(server, 60)
    shelf.begin("ef" * 32, 10, "image/jpeg")
    assert _clean(server) == [digest(orphan)]
    assert shelf.find(SHA) is not None
    assert shelf.missing("ef" * 32) == [0]


def test_what_was_removed_lately_stays_for_an_undo_and_later_its_row_says_that_it_is_gone(
    server: ServerDatabase, shelf: ServerShelf, folder: BlobFolder
) -> None:
    row = tell_server(server, DATA)
    send(shelf, folder)
    with server.connect() as connection:
        connection.execute("UPDATE lineside.attachment SET deleted = true WHERE id = %s", (row,))
    _age(server, 60)
    assert _clean(server) == [], "the log knows that this row changed a moment ago"
    with server.connect() as connection:
        connection.execute("UPDATE sync.log SET at = at - interval '60 days'")
    assert _clean(server) == [SHA]
    assert not stored_at(server, row)
    with server.connect() as connection:
        connection.execute("UPDATE lineside.attachment SET deleted = false WHERE id = %s", (row,))
    send(shelf, folder)
    assert stored_at(server, row), "undone after all: the station that has it sends it again"


def test_a_row_with_a_path_for_a_name_of_bytes_is_refused_by_the_server(server: ServerDatabase) -> None:
    with server.connect() as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "INSERT INTO lineside.attachment (id, owner, owner_id, name, mime, size, sha256, at, author)"
            " VALUES (gen_random_uuid(), 'issue', gen_random_uuid(), 'a', 'b', 1, '../../x', now(), 'Ada')"
        )


@pytest.mark.parametrize(
    "attack",
    [
        "SELECT * FROM sync.blob",
        "SELECT * FROM sync.blob_chunk",
        "DELETE FROM sync.blob",
        "UPDATE sync.blob_terms SET station_quota = 1000000000000",
        "UPDATE sync.blob SET complete = true",
        "INSERT INTO sync.blob_chunk VALUES ('\\x00', 1, '\\x00')",
        "SELECT sync._blob_settled('\\x00', true, 'x')",
        "SELECT * FROM sync.remove_orphan_blobs('0 days')",
        "UPDATE lineside.attachment SET stored = true",
    ],
)
def test_a_station_reaches_bytes_only_through_the_functions(server: ServerDatabase, attack: str) -> None:
    server.add_station("07")
    with (
        psycopg.connect(server.station_url("07"), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(attack)


def test_a_login_that_is_no_station_gets_nothing(server: ServerDatabase) -> None:
    server.add_station("07")
    with server.connect() as connection:
        connection.execute("UPDATE sync.station SET disabled = true")
    with shelf_of(server.station_url("07")) as shelf, pytest.raises(Refused, match="disabled"):
        shelf.find(SHA)


def test_a_cut_at_every_chunk_loses_nothing_that_arrived(
    server: ServerDatabase, shelf: ServerShelf, folder: BlobFolder
) -> None:
    class Cut(Exception):
        pass

    def cut_at(last: int) -> Any:
        def told(done: int, _total: int) -> None:
            if done > last:
                raise Cut

        return told

    for last in range(0, len(DATA), CHUNK):
        with shelf_of(server.station_url("07")) as fresh, suppress(Cut):
            send(fresh, folder, told=cut_at(last))
        arrived = 4 - len(shelf.missing(SHA))
        assert arrived == last // CHUNK + 1
    with shelf_of(server.station_url("07")) as fresh:
        send(fresh, folder)
    assert shelf.find(SHA) is not None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "../../.ssh/authorized_keys"),
        ("name", "C:\\Windows\\x.jpg"),
        ("name", "two\nlines.jpg"),
        ("name", "photo\u202egpj.exe"),
        ("name", "a\u2066b.jpg"),
        ("thumbnail", "no base64!"),
        ("thumbnail", "AAA"),
        ("thumbnail", "AAAA=AAA"),
        ("thumbnail", "A" * 24_004),
        ("sha256", "../" + "a" * 61),
        ("size", 0),
        ("owner", "user_account"),
    ],
)
def test_a_row_that_would_trick_its_readers_is_taken_by_no_server(
    server: ServerDatabase, column: str, value: object
) -> None:
    facts = {
        "id": uuid4(), "owner": "issue", "owner_id": uuid4(), "name": "Kehlnaht übergroß 🔧.jpg", "mime": "image/jpeg",
        "size": 1, "sha256": SHA, "thumbnail": "AAA=", "at": AT, "author": "Ada",
    }  # fmt: skip
    columns = ", ".join(facts)
    insert = f"INSERT INTO lineside.attachment ({columns}) VALUES ({', '.join(['%s'] * len(facts))})".encode()
    with server.connect() as connection:
        connection.execute(insert, list(facts.values()))
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(insert, list((facts | {"id": uuid4(), column: value}).values()))
