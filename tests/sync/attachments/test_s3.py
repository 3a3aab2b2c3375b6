"""Photos and files in an S3: sent and fetched by stations with keys of their own, through cuts, hands and bad keys."""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.domain.errors import Refused, WorldFault
from app.sync.attachments.stores import PIECE_BYTES, OutsideStore
from app.sync.files_key import FilesKey
from app.sync.server.blob_store import clean_blobs, set_store
from tests.sync.attachments.blobs import (
    Sender,
    content,
    digest,
    eventually,
    proxied,
    shelf_of,
    stored_at,
    tell_server,
    waiting,
)
from tests.sync.server.test_tls import authority, certified

if TYPE_CHECKING:
    from tests.sync.attachments.bucket import Bucket
    from tests.sync.conftest import ServerDatabase

    Stations = Callable[..., Sender]

DATA = content(4 * PIECE_BYTES + 100)
SHA = digest(DATA)
PIECES = [f"{SHA[:2]}/{SHA}/{n:05}" for n in range(5)]
pytestmark = pytest.mark.usefixtures("owner_environment")


def problems(sender: Sender) -> list[str]:
    return [step.problem for step in sender.steps if step.problem]


def of_row(server: ServerDatabase, row: UUID, stored: bool) -> Callable[[], bool]:
    return lambda: stored_at(server, row) is stored


def marked(sender: Sender, *, stored: bool) -> None:
    """What the log of the server tells this station about the photo; no engine runs here."""
    from sqlalchemy import update

    from app.store.tables import Attachment

    sender.store.submit(lambda session: session.execute(update(Attachment).values(stored=stored))).result()


def test_one_station_sends_another_fetches_and_the_database_holds_no_byte(
    server: ServerDatabase, station: Stations, bucket: Bucket
) -> None:
    row = tell_server(server, DATA)
    set_store(server.url, bucket.url())
    here, there = (station(name, files_key=lambda: bucket.key) for name in ("07", "08"))
    here.add(DATA)
    here.worker.start()
    eventually(of_row(server, row, True))
    assert b"".join(bucket.get(name) for name in PIECES) == DATA
    assert bucket.names() == PIECES, "no trace of the set-up either"
    there.worker.start()
    there.worker.fetch(SHA)
    eventually(lambda: there.blobs.has(SHA))
    assert there.blobs.read(SHA) == DATA
    with server.connect() as connection:
        assert connection.execute("SELECT count(*) FROM sync.blob_chunk").fetchone() == (0,)


def test_a_line_to_the_store_that_is_cut_again_and_again_sends_no_piece_twice(
    server: ServerDatabase, station: Stations, bucket: Bucket
) -> None:
    row = tell_server(server, DATA)
    with proxied(bucket.port) as (proxy, on_loop):
        set_store(server.url, bucket.url(proxy.port))
        bucket.keep_versions()
        here, there = (station(name, files_key=lambda: bucket.key) for name in ("07", "08"))
        here.add(DATA)
        here.worker.start()
        for cut in range(3):
            on_loop(lambda: proxy.cut_after(PIECE_BYTES + PIECE_BYTES // 3, "up"))
            until = cut + 1
            eventually(lambda until=until: len(set(bucket.names())) > until or stored_at(server, row))  # type: ignore[misc]  # bound to the loop
        eventually(of_row(server, row, True), 60)
        assert set(bucket.versions()) == set(PIECES)
        assert len(bucket.versions()) <= len(PIECES) + 3, "at most the piece of each cut went again"
        there.worker.start()
        for _cut in range(2):
            on_loop(lambda: proxy.cut_after(PIECE_BYTES + PIECE_BYTES // 3))
            there.worker.fetch(SHA)
            eventually(lambda: there.blobs.has(SHA) or bool(problems(there)))
        there.worker.fetch(SHA)
        eventually(lambda: there.blobs.has(SHA), 60)
        assert there.blobs.read(SHA) == DATA
        for sender in (here, there):
            sender.worker.stop()


@pytest.mark.parametrize("hand", ["changes", "removes"])
def test_what_a_hand_did_in_the_store_is_refused_said_and_put_right_by_whoever_has_the_file(
    server: ServerDatabase, station: Stations, bucket: Bucket, hand: str
) -> None:
    row = tell_server(server, DATA)
    set_store(server.url, bucket.url())
    here, there = (station(name, files_key=lambda: bucket.key) for name in ("07", "08"))
    here.add(DATA)
    here.worker.start()
    eventually(of_row(server, row, True))
    marked(here, stored=True)
    if hand == "changes":
        bucket.put(PIECES[2], bytes(PIECE_BYTES))
    else:
        bucket.remove(PIECES[2])
    there.worker.start()
    there.worker.fetch(SHA)
    eventually(lambda: bool(problems(there)))
    assert "was changed, damaged or removed in the store" in problems(there)[0]
    assert f"puts s3://{bucket.name}/works/{SHA[:2]}/{SHA} back from a backup" in problems(there)[0]
    assert not there.blobs.has(SHA)
    assert not stored_at(server, row), "every station hears of it"

    marked(here, stored=False)
    here.worker._not_before.clear()  # the minute after sending, in which the log comes here, is over
    here.worker.wake()
    eventually(of_row(server, row, True))
    there.worker.fetch(SHA)
    eventually(lambda: there.blobs.has(SHA))
    assert there.blobs.read(SHA) == DATA


def test_what_an_administrator_put_back_is_there_for_everyone_once_somebody_opened_it(
    server: ServerDatabase, station: Stations, bucket: Bucket
) -> None:
    row = tell_server(server, DATA)
    set_store(server.url, bucket.url())
    here, there = (station(name, files_key=lambda: bucket.key) for name in ("07", "08"))
    here.add(DATA)
    here.worker.start()
    eventually(of_row(server, row, True))
    here.worker.stop()
    bucket.put(PIECES[0], b"?")
    there.worker.start()
    there.worker.fetch(SHA)
    eventually(of_row(server, row, False))
    bucket.put(PIECES[0], DATA[:PIECE_BYTES])
    there.speak_of(DATA, stored=False)
    there.worker.fetch(SHA)
    eventually(lambda: there.blobs.has(SHA))
    eventually(of_row(server, row, True))


def test_a_station_without_a_key_says_so_and_sends_as_soon_as_it_has_one(
    server: ServerDatabase, station: Stations, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = tell_server(server, DATA)
    set_store(server.url, bucket.url())
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    keys: list[FilesKey] = []
    here = station("07", files_key=lambda: keys[0] if keys else None)
    here.add(DATA)
    here.worker.start()
    eventually(lambda: bool(problems(here)))
    assert problems(here)[0] == (
        f"There is no key here for the store s3://{bucket.name}/works; `lineside files-key` sets the key of this "
        "station."
    )
    keys.append(bucket.key)
    eventually(of_row(server, row, True))


def test_a_bucket_that_is_not_there_and_a_store_that_is_down_are_said_and_waited_for(
    server: ServerDatabase, station: Stations, bucket: Bucket
) -> None:
    row = tell_server(server, DATA)
    set_store(server.url, bucket.url())
    here = station("07", files_key=lambda: bucket.key)
    here.add(DATA)
    with proxied(bucket.port) as (proxy, on_loop):
        told = bucket.url(proxy.port)
        _tell(server, told.replace(bucket.name, "no-such-bucket"))
        here.worker.start()
        eventually(lambda: any("does not exist" in problem for problem in problems(here)))
        assert "an administrator has to make the bucket" in problems(here)[0]
        on_loop(proxy.refuse)
        _tell(server, told)
        here.worker.wake()
        eventually(lambda: "does not answer (nobody there" in problems(here)[-1])
        on_loop(proxy.heal)
        here.worker.wake()
        eventually(of_row(server, row, True), 90)
        here.worker.stop()


def _tell(server: ServerDatabase, url: str) -> None:
    with server.connect() as connection:
        connection.execute("UPDATE sync.blob_terms SET store_url = %s", (url,))


def test_the_same_photo_from_two_stations_at_once_is_there_once_and_whole(
    server: ServerDatabase, station: Stations, bucket: Bucket
) -> None:
    rows = [tell_server(server, DATA), tell_server(server, DATA)]
    set_store(server.url, bucket.url())
    both = [station(name, files_key=lambda: bucket.key) for name in ("07", "08")]
    for sender in both:
        sender.add(DATA)
    for sender in both:
        sender.worker.start()
    eventually(lambda: all(stored_at(server, row) for row in rows))
    eventually(lambda: all(sender.steps and sender.steps[-1].over for sender in both))
    assert bucket.names() == PIECES
    assert b"".join(bucket.get(name) for name in PIECES) == DATA
    assert [problems(sender) for sender in both] == [[], []]


def test_a_photo_that_is_removed_on_its_way_disturbs_nobody_and_is_cleaned_up_later(
    server: ServerDatabase, station: Stations, bucket: Bucket
) -> None:
    from sqlalchemy import update

    from app.store.tables import Attachment

    row = tell_server(server, DATA)
    set_store(server.url, bucket.url())
    with proxied(bucket.port) as (proxy, on_loop):
        _tell(server, bucket.url(proxy.port))
        on_loop(lambda: proxy.throttle(PIECE_BYTES))
        here = station("07", files_key=lambda: bucket.key)
        here.add(DATA)
        here.worker.start()
        eventually(lambda: len(bucket.names()) >= 1)
        with server.connect() as connection:
            connection.execute("UPDATE lineside.attachment SET deleted = true WHERE id = %s", (row,))
        here.store.submit(lambda session: session.execute(update(Attachment).values(deleted=True))).result()
        assert len(bucket.names()) < len(PIECES), "it was still on its way"
        on_loop(lambda: proxy.throttle(0))
        eventually(lambda: bool(here.steps) and here.steps[-1].over, 60)
        here.worker.stop()
    assert problems(here) == []
    _tell(server, bucket.url())
    assert clean_blobs(server.url, older_days=30).files == 0
    assert clean_blobs(server.url, older_days=0).files == 1
    assert bucket.names() == []


# ── keys and rights ──────────────────────────────────────────────────────────────────────────────────────────────


def policy(bucket: Bucket, *actions: str) -> dict[str, Any]:
    """As docs/server.md gives it."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(actions), "Resource": f"arn:aws:s3:::{bucket.name}/works/*"},
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket.name}"},
        ],
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "photo"
    made.write_bytes(DATA)
    return made


def quiet(_done: int) -> None:
    pass


def test_a_station_needs_to_read_and_write_and_no_more(bucket: Bucket, file: Path) -> None:
    key = bucket.key_for(policy(bucket, "s3:GetObject", "s3:PutObject"))
    with bucket.strict():
        store = OutsideStore(bucket.url(), key)
        store.look()
        store.send(SHA, file, quiet)
        assert b"".join(store.pieces(SHA, 0, len(DATA))) == DATA
        with pytest.raises(WorldFault, match="does not allow this; `lineside files-key` sets"):
            store.remove(SHA)
    assert [name for name in bucket.names() if name in PIECES] == PIECES


def test_a_station_that_may_only_read_says_what_it_lacks(bucket: Bucket, file: Path) -> None:
    key = bucket.key_for(policy(bucket, "s3:GetObject"))
    with bucket.strict(), pytest.raises(WorldFault, match="does not allow this"):
        OutsideStore(bucket.url(), key).send(SHA, file, quiet)
    assert bucket.names() == []


def test_a_key_that_the_store_does_not_know_or_whose_secret_is_wrong_is_said(bucket: Bucket) -> None:
    known = bucket.key_for(policy(bucket, "s3:GetObject"))
    with bucket.strict():
        for key in (FilesKey("AKIANOBODY", "x" * 40), FilesKey(known.id, "x" * 40)):
            with pytest.raises(WorldFault, match="does not accept this key; `lineside files-key` sets"):
                OutsideStore(bucket.url(), key).look()


def test_a_kept_key_is_not_mixed_with_what_the_environment_holds(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = bucket.key_for(policy(bucket, "s3:GetObject"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "somebody-else")
    with bucket.strict():
        OutsideStore(bucket.url(), key).look()


def test_a_store_gives_way_to_another_only_once_that_has_all_of_its_files(
    server: ServerDatabase, bucket: Bucket, file: Path, tmp_path: Path
) -> None:
    tell_server(server, DATA)
    set_store(server.url, bucket.url())
    server.add_station("07")
    with shelf_of(server.station_url("07")) as shelf:
        shelf.begin(SHA, len(DATA), "image/jpeg")
        OutsideStore(bucket.url(), bucket.key).send(SHA, file, quiet)
        shelf.finish(SHA, external=True)
    set_store(server.url, bucket.url() + "&region=us-east-1")  # another way to the same place
    folder = tmp_path / "folder"
    with pytest.raises(Refused, match="would not find them any more"):
        set_store(server.url, "")
    with pytest.raises(Refused, match="copy everything there first"):
        set_store(server.url, folder.as_uri())
    for name in PIECES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bucket.get(name))
    set_store(server.url, folder.as_uri())
    assert b"".join(OutsideStore(folder.as_uri()).pieces(SHA, 0, len(DATA))) == DATA


# ── clean-up ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_begins_to_be_sent_while_the_store_is_cleaned_is_sent_whole(
    server: ServerDatabase, bucket: Bucket, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_store(server.url, bucket.url())
    server.add_station("07")
    row = tell_server(server, DATA)
    store = OutsideStore(bucket.url(), bucket.key)
    store.send(SHA, file, quiet)  # what a server forgot that was restored from an old backup
    begun = threading.Event()
    sending = threading.Thread(target=_send, args=(server, store, file, begun))
    remove = OutsideStore.remove

    def slow(self: OutsideStore, sha256: str) -> None:
        sending.start()
        begun.wait(20)
        remove(self, sha256)

    monkeypatch.setattr(OutsideStore, "remove", slow)
    clean_blobs(server.url, older_days=-1)
    sending.join(60)
    assert stored_at(server, row)
    assert bucket.names() == PIECES


def _send(server: ServerDatabase, store: OutsideStore, file: Path, begun: threading.Event) -> None:
    with shelf_of(server.station_url("07")) as shelf:
        begun.set()
        if not shelf.begin(SHA, len(DATA), waiting(DATA).mime):
            store.send(SHA, file, quiet)
        shelf.finish(SHA, external=True)


# ── what an S3 may answer ────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def answering(status: int, code: str, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of an S3 that has one answer to everything."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<Error><Code>{code}</Code><Message>-</Message></Error>".encode() if code else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "RequestTimeTooSkewed", "refuses because the clock of this computer is wrong; set it"),
        (400, "ExpiredToken", "does not accept this key"),
        (403, "", "does not allow this"),
        (301, "PermanentRedirect", "lies in another region"),
        (400, "AuthorizationHeaderMalformed", "lies in another region"),
        (404, "NoSuchBucket", "an administrator has to make the bucket"),
        (507, "XMinioStorageFull", "is full; an administrator has to make room"),
        (400, "Gibberish", "does not answer"),
    ],
)
def test_what_an_s3_answers_is_a_sentence_that_says_who_has_to_do_what(
    status: int, code: str, words: str
) -> None:
    with answering(status, code) as endpoint, pytest.raises(WorldFault) as told:
        OutsideStore(f"s3://photos/works?endpoint={endpoint}", FilesKey("a", "b")).look()
    assert words in told.value.sentence
    assert endpoint not in told.value.sentence or status == 400


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere the system says whom it trusts in ways of its own"
)
def test_a_store_of_the_workshop_is_believed_by_computers_that_know_its_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    ours = authority(tmp_path, "ours")
    key, certificate = certified("store", ours)
    file = tmp_path / "store.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with answering(404, "NoSuchBucket", context) as endpoint:
        for known, words in (
            (tmp_path / "none.pem", "is not signed by an authority"),
            (ours.file, "does not exist"),
        ):
            monkeypatch.setenv("SSL_CERT_FILE", str(known))
            with pytest.raises(WorldFault, match=words):
                OutsideStore(f"s3://photos/works?endpoint={endpoint}", FilesKey("a", "b")).look()
