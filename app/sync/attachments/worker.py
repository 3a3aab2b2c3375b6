"""A thread with a connection of its own that sends and fetches photos and files, behind everything else."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.attachments import is_digest
from app.domain.errors import LinesideError, NotFound, Refused, WorldFault
from app.store.blobs import BlobFolder
from app.store.journal import PENDING
from app.store.queries.attachments import WaitingBlob, blobs_to_send, known_blobs, removable_blobs
from app.store.sessions import Store
from app.store.tables import Blob, Outbox
from app.sync.attachments.downloading import fetch_blob
from app.sync.attachments.shelf import Connect, ServerShelf, Terms
from app.sync.attachments.stores import OutsideStore
from app.sync.attachments.uploading import send_blob
from app.sync.files_key import FilesKey

_LOOK_SECONDS = 30.0
_SHORTEST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_REFUSED_SECONDS = 600.0
_SETTLING_SECONDS = 60.0  # what the server has is listed as waiting until its log says so here
_PATIENCE_SECONDS = 5.0  # a queue of changes that does not move must not keep photos back for ever
_POLL_SECONDS = 0.05
_TIDY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class BlobStep:
    """How far one transfer is: `done` of `total` bytes; `problem` is a sentence when it stopped there."""

    sha256: str
    up: bool
    done: int
    total: int
    problem: str = ""

    @property
    def over(self) -> bool:
        return self.done >= self.total or bool(self.problem)


@dataclass(frozen=True, slots=True)
class BlobLimits:
    """`cache_bytes` that may lie here of what the server has too; `bytes_per_second` when sending, 0 for no limit."""

    cache_bytes: int = 5_000_000_000
    bytes_per_second: int = 0


class _Stopped(Exception):
    """Somebody stops the worker."""


class _GiveWay(Exception):
    """A person waits for a file, so sending pauses."""


class BlobWorker:
    """`start`, `stop`; `wake` when the server can be reached or something was added; `fetch` what a person opens.

    `connect` opens a psycopg connection in autocommit; `on_progress` is called on the worker's thread; `files_key`
    gives this station's key of a store beside the database, and may block for seconds.
    """

    def __init__(
        self,
        folder: Path,
        connect: Connect,
        store: Store,
        on_progress: Callable[[BlobStep], None],
        *,
        limits: BlobLimits | None = None,
        files_key: Callable[[], FilesKey | None] = lambda: None,
    ) -> None:
        self._blobs = BlobFolder(folder)
        self._connect = connect
        self._store = store
        self._tell = on_progress
        self._limits = limits or BlobLimits()
        self._files_key = files_key
        self._wanted: deque[str] = deque()
        self._not_before: dict[str, float] = {}
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="blobs", daemon=True)
        self._shelf: ServerShelf | None = None
        self._terms: Terms | None = None
        self._outside: OutsideStore | None = None
        self._outside_is_current = False
        self._failures: Counter[str] = Counter()
        self._tidied = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """Stop after the piece that is on its way; nothing that arrived is lost."""
        self._stopping.set()
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def wake(self) -> None:
        """Look for work now."""
        self._woken.set()

    def fetch(self, sha256: str) -> None:
        """Fetch these bytes next; how it goes is told as progress. Raises `Refused` for what names no bytes."""
        if not is_digest(sha256):
            raise Refused("A file is named by its SHA-256: 64 hex digits in lower case.")
        if sha256 not in self._wanted:
            self._wanted.append(sha256)
        self._woken.set()

    # -- the thread

    def _run(self) -> None:
        wait = 0.0
        while not self._stopping.is_set():
            self._woken.wait(wait)
            self._woken.clear()
            try:
                wait = self._round(wait)
            except _Stopped:
                break
            except Exception:  # noqa: BLE001 - a bug here is written down, and must not end all sending
                structlog.get_logger().exception("blobs_failed")
                wait = _LONGEST_WAIT
        self._hang_up()

    def _round(self, waited: float) -> float:
        """Do all there is; returns after how many seconds to look again."""
        try:
            self._tidy()
            while job := self._next():
                self._do(*job)
        except LinesideError as fault:
            if self._stopping.is_set():
                raise _Stopped from None
            structlog.get_logger().info("blobs_wait", reason=fault.sentence)
            self._hang_up()
            return min(_LONGEST_WAIT, max(_SHORTEST_WAIT, waited * 2)) * random.uniform(0.8, 1.2)
        self._hang_up()
        return _LOOK_SECONDS

    def _next(self) -> tuple[str, WaitingBlob | None] | None:
        """What comes next: what a person waits for, else what waits longest to be sent."""
        if self._stopping.is_set():
            raise _Stopped
        if self._wanted:
            return self._wanted[0], None
        now = time.monotonic()
        with self._store.reader() as session:
            waiting = blobs_to_send(session)
        # One that fails again and again lets the others go first.
        for blob in sorted(waiting, key=lambda blob: self._failures[blob.sha256]):
            if self._not_before.get(blob.sha256, 0.0) <= now and (size := self._blobs.size(blob.sha256)):
                # Rows of others may say what they like; what is sent is what lies here.
                return blob.sha256, replace(blob, size=size)
        return None

    def _do(self, sha256: str, blob: WaitingBlob | None) -> None:
        total = blob.size if blob else 0
        try:
            if blob is None:
                self._fetch(sha256)
            else:
                self._send(blob)
        except _GiveWay:
            return
        except LinesideError as fault:
            self._tell(BlobStep(sha256, blob is not None, 0, total, fault.sentence))
            if blob is None:
                self._wanted.popleft()
            if isinstance(fault, Refused):  # NotFound among them: about this one alone
                if blob is not None:
                    self._not_before[sha256] = time.monotonic() + _REFUSED_SECONDS
                return
            self._failures[sha256] += 1
            raise

    def _fetch(self, sha256: str) -> None:
        shelf, terms = self._connected()

        def told(done: int, total: int) -> None:
            if self._stopping.is_set():
                raise _Stopped
            if done < total:
                self._tell(BlobStep(sha256, False, done, total))

        fetch_blob(shelf, terms, self._outside_store, self._blobs, sha256, told)
        self._wanted.popleft()
        size = self._blobs.file(sha256).stat().st_size
        self._tell(BlobStep(sha256, False, size, size))
        self._make_room()

    def _send(self, blob: WaitingBlob) -> None:
        shelf, terms = self._connected()
        outside = self._outside_store() if terms.store_url else None
        began = time.monotonic()
        sent_from: list[int] = []

        def told(done: int, total: int) -> None:
            if self._stopping.is_set():
                raise _Stopped
            if self._wanted:
                raise _GiveWay
            self._let_changes_go_first()
            if self._limits.bytes_per_second and done:
                sent_from.append(done)
                due = began + (done - sent_from[0]) / self._limits.bytes_per_second
                if self._stopping.wait(max(0.0, due - time.monotonic())):
                    raise _Stopped
            if done < total:
                self._tell(BlobStep(blob.sha256, True, done, total))

        send_blob(shelf, terms, outside, self._blobs, blob, told)
        self._not_before[blob.sha256] = time.monotonic() + _SETTLING_SECONDS
        self._failures.pop(blob.sha256, None)
        self._store.submit(_mark_sent(blob.sha256)).result()
        self._tell(BlobStep(blob.sha256, True, blob.size, blob.size))

    def _let_changes_go_first(self) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until and not self._wanted:
            with self._store.reader() as session:
                if session.execute(select(Outbox.n).where(Outbox.state == PENDING).limit(1)).first() is None:
                    return
            if self._stopping.wait(_POLL_SECONDS):
                raise _Stopped

    # -- the connection

    def _connected(self) -> tuple[ServerShelf, Terms]:
        if self._shelf is None or self._terms is None:
            try:
                self._shelf = ServerShelf(self._connect)
                self._terms = self._shelf.terms()
            except Refused as refused:  # about the station, not about one file: all of them wait
                raise WorldFault(refused.sentence) from refused
        return self._shelf, self._terms

    def _outside_store(self) -> OutsideStore:
        _, terms = self._connected()
        if not terms.store_url:
            raise NotFound(
                "The server does not name the store any more in which this file lies; ask an administrator."
            )
        if not self._outside_is_current or self._outside is None or self._outside.url != terms.store_url:
            try:
                key = self._files_key()
                if self._outside is None or (self._outside.url, self._outside.key) != (terms.store_url, key):
                    self._outside = OutsideStore(terms.store_url, key)
            except Refused as refused:  # about the station, not about one file: all of them wait
                raise WorldFault(refused.sentence) from refused
            self._outside_is_current = True
        return self._outside

    def _hang_up(self) -> None:
        """Let go of the connection: two hundred stations that send nothing take no places at the server."""
        shelf, self._shelf, self._terms = self._shelf, None, None
        self._outside_is_current = False  # a person may set another key meanwhile
        if shelf is not None:
            shelf.close()

    # -- the folder

    def _tidy(self) -> None:
        if time.monotonic() < self._tidied:
            return
        self._tidied = time.monotonic() + _TIDY_SECONDS
        with self._store.reader() as session:
            known = known_blobs(session)
        self._blobs.sweep(known)
        self._make_room()

    def _make_room(self) -> None:
        with self._store.reader() as session:
            removable = removable_blobs(session)
        self._blobs.make_room(self._limits.cache_bytes, removable)


def _mark_sent(sha256: str) -> Callable[[Session], None]:
    def write(session: Session) -> None:
        session.execute(update(Blob).where(Blob.sha256 == sha256).values(sent=True))

    return write
