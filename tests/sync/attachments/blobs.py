"""A station that only sends and fetches photos and files, and short ways to look at the server."""

from __future__ import annotations

import asyncio
import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from app.store.blobs import BlobFolder
from app.store.queries.attachments import WaitingBlob
from app.store.sessions import Store
from app.store.tables import Attachment
from app.sync.attachments.shelf import ServerShelf
from app.sync.attachments.worker import BlobStep, BlobWorker
from tests.proxy import FaultyProxy

if TYPE_CHECKING:
    import psycopg

    from tests.sync.conftest import ServerDatabase

CHUNK = 262_144
AT = datetime(2026, 4, 12, 10, tzinfo=UTC)


def content(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def connecting(url: str) -> Callable[[], psycopg.Connection[Any]]:
    def connect() -> psycopg.Connection[Any]:
        import psycopg

        return psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=10)

    return connect


@contextmanager
def shelf_of(url: str) -> Iterator[ServerShelf]:
    shelf = ServerShelf(connecting(url))
    try:
        yield shelf
    finally:
        shelf.close()


def waiting(data: bytes, mime: str = "image/jpeg") -> WaitingBlob:
    return WaitingBlob(digest(data), len(data), mime)


def eventually(check: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.02)


def tell_server(server: ServerDatabase, data: bytes, row_id: UUID | None = None) -> UUID:
    """A row of the table attachment at the server, as an entry of a station would create it."""
    made = row_id or uuid4()
    with server.connect() as connection:
        connection.execute(
            "INSERT INTO lineside.attachment (id, owner, owner_id, name, mime, size, sha256, at, author)"
            " VALUES (%s, 'issue', %s, 'a.jpg', 'image/jpeg', %s, %s, %s, 'Ada')",
            (made, uuid4(), len(data), digest(data), AT),
        )
    return made


def stored_at(server: ServerDatabase, row_id: UUID) -> bool:
    with server.connect() as connection:
        row = connection.execute("SELECT stored FROM lineside.attachment WHERE id = %s", (row_id,)).fetchone()
    assert row is not None
    return bool(row[0])


class Sender:
    """A data folder with a store, its blobs and a worker whose steps are kept."""

    def __init__(self, folder: Path, connect: Callable[[], psycopg.Connection[Any]], **options: Any) -> None:
        self.store = Store(folder)
        self.blobs = BlobFolder(folder)
        self.steps: list[BlobStep] = []
        self.worker = BlobWorker(folder, connect, self.store, self.steps.append, **options)

    def add(self, data: bytes, *, stored: bool = False) -> str:
        """Bytes in the folder and a row that speaks of them."""
        self.blobs.add(data)
        self.speak_of(data, stored=stored)
        return digest(data)

    def speak_of(self, data: bytes, *, stored: bool = True) -> None:
        row = Attachment(
            id=uuid4(), owner="issue", owner_id=uuid4(), name="a.jpg", mime="image/jpeg", size=len(data),
            sha256=digest(data), stored=stored, at=AT, author="Ada",
        )  # fmt: skip
        self.store.submit(lambda session: session.add(row)).result()

    def close(self) -> None:
        self.worker.stop()
        self.store.close()


@contextmanager
def proxied(port: int) -> Iterator[tuple[FaultyProxy, Callable[[Callable[[], Any]], None]]]:
    """A proxy on a loop of its own, and a way to call its methods from here."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def call(method: Callable[[], Any]) -> None:
        result = method()
        if asyncio.iscoroutine(result):
            await result

    def on_loop(method: Callable[[], Any]) -> None:
        asyncio.run_coroutine_threadsafe(call(method), loop).result(20)

    proxy = FaultyProxy("127.0.0.1", port)
    on_loop(proxy.__aenter__)
    try:
        yield proxy, on_loop
    finally:
        on_loop(lambda: proxy.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
