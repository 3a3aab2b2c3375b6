"""The sync process of a data folder: connects, does rounds when they are due, and never gives up."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from app.domain.errors import LinesideError, Refused
from app.store.entries import SHARED_SCHEMA
from app.store.sessions import DataVersion, Store
from app.store.sharing import joined_station
from app.sync.clock_offset import clock_of, measured_offset
from app.sync.control import ControlServer, Handlers
from app.sync.reporting import Reporter
from app.sync.round import Round, Skew, run_round
from app.sync.server.sentences import plain_errors
from app.sync.station import Station
from app.sync.status import OFFLINE, ONLINE, PAUSED, REFUSED, STARTING, Presence, Transfer, read_status
from app.sync.waking import USUAL, Pauses, Surroundings, Tries, hears

if TYPE_CHECKING:
    from app.sync.wire import Hello, ServerConnection

log = structlog.get_logger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class _Due:
    """When, on the monotonic clock, what is to be done next."""

    round: float = 0.0
    full: float = 0.0
    connect: float = 0.0
    compare: float = 0.0
    presence: float = 0.0


class SyncService:
    """One engine on one thread: `run` until `stop`. Only `stop` and the requests of the control come from others.

    `connect` opens a new connection to the server, `server` names it for people. `wake_files` has photos and files
    looked after, `fetch_file` gets one of them now. `ends_when` is asked now and then. `listen` subscribes to news and
    tells whether they come.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        connect: Callable[[], ServerConnection],
        *,
        clock: Callable[[], datetime] = _utc_now,
        pauses: Pauses = USUAL,
        server: str = "",
        wake_files: Callable[[], None] = lambda: None,
        fetch_file: Callable[[str], None] = lambda _sha256: None,
        ends_when: Callable[[], bool] = lambda: False,
        listen: Callable[[ServerConnection], bool] = hears,
    ) -> None:
        self._store, self._connect, self._pauses = store, connect, pauses
        self._wake_files, self._fetch_file, self._ends_when = wake_files, fetch_file, ends_when
        self._ends = threading.Event()
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._report = Reporter(folder, store, clock)
        self._station = Station(
            store, clock=clock, progress=self._report.progress, cancelled=self._ends.is_set
        )
        self._folder, self._clock, self._name = folder, clock, server
        self._tries = Tries(pauses)
        self._due = _Due()
        self._server: ServerConnection | None = None
        self._hello: Hello | None = None
        self._listen, self._hears = listen, False
        self._may_push = True
        self._offline_wanted = False
        self._moved = False
        self._compared = time.monotonic()
        self._news = 0.0

    # ── from outside ─────────────────────────────────────────────────────────────────────────────────────────

    def stop(self) -> None:
        """End soon: after the step that is under way."""
        self._ends.set()

    def run(self) -> None:
        """Work until `stop`. Whatever the world does is borne; what a person must mend is said and tried again."""
        handlers: Handlers = {
            "sync_now": lambda: self._asked.put(self._hurry),
            "work_offline": lambda offline: self._asked.put(partial(self._work_offline, bool(offline))),
            "look_at": self._ask_presence,
            "fetch_file": self._fetch_file,
        }
        before = read_status(self._folder)
        self._offline_wanted = before is not None and before.state == PAUSED
        control = ControlServer(handlers)
        version = self._store.data_version()
        try:
            self._begin(control)
            self._loop(version)
        finally:
            version.close()
            self._hang_up()
            control.stop()
            state = PAUSED if self._offline_wanted else OFFLINE
            self._report.say(state=state, address="", token="", pid=0, progress=None)
            self._report.write(at_once=True)

    def _begin(self, control: ControlServer) -> None:
        with self._store.reader() as session:
            station = joined_station(session) or ""
        state = PAUSED if self._offline_wanted else STARTING
        self._report.begin(
            state=state, station=station, server=self._name, address=control.address, token=control.token
        )

    def _loop(self, version: DataVersion) -> None:
        surroundings = Surroundings(self._pauses.slept)
        seen = -1
        while not self._ends.is_set() and not self._ends_when():
            current = version()
            if current != seen and self._guarded(self._local_change):
                seen = current
            happened = surroundings.changed()
            if happened:
                log.info("the connection is made anew", reason=happened)
                self._hang_up()
                self._hurry()
            while not self._asked.empty():
                self._asked.get()()
            if self._step():
                surroundings.look_past()
            self._report.write()
            self._wait()

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────

    def _hurry(self) -> None:
        self._tries.failed = 0
        self._due.connect = self._due.round = 0.0
        self._wake_files()

    def _work_offline(self, offline: bool) -> None:
        self._offline_wanted = offline
        if offline:
            self._hang_up()
            self._report.say(state=PAUSED, last_error="")
        else:
            self._report.say(state=OFFLINE)
            self._hurry()

    def _ask_presence(self, entity: str, row_id: str | None, actor: str, editing: bool = False) -> None:
        seen = None if row_id is None else UUID(row_id)
        self._asked.put(partial(self._look_at, entity, seen, actor, bool(editing)))

    def _look_at(self, entity: str, row_id: UUID | None, actor: str, editing: bool) -> None:
        server = self._server
        if server is None:
            return

        def tell() -> None:
            with suppress(Refused):  # a table that the server does not know is nobody's trouble
                server.look_at(None if row_id is None else entity, row_id, actor, editing)

        self._guarded(tell)
        self._due.presence = 0.0

    def show_transfers(self, transfers: tuple[Transfer, ...]) -> None:
        """Photos and files on their way; may be called from any thread."""
        self._asked.put(partial(self._report.say, transfers=transfers))

    @property
    def works_offline(self) -> bool:
        """Whether a person had the server left alone; may be asked from any thread."""
        return self._offline_wanted

    # ── one step ─────────────────────────────────────────────────────────────────────────────────────────────

    def _local_change(self) -> None:
        """Somebody wrote to the store: count what waits, and send it if it is something to send."""
        self._report.count()
        self._wake_files()
        if self._may_push and self._pending():
            self._due.round = 0.0

    def _pending(self) -> bool:
        with self._store.reader() as session:
            found = session.connection().exec_driver_sql("SELECT 1 FROM outbox WHERE state='pending' LIMIT 1")
            return found.first() is not None

    def _step(self) -> bool:
        """Do what is due; whether anything was done that takes time."""
        now = time.monotonic()
        if self._offline_wanted:
            return False
        if self._server is None:
            if now < self._due.connect:
                return False
            self._guarded(self._open)
        elif now >= self._due.round:
            self._guarded(self._round)
        elif now >= self._due.compare:
            self._guarded(self._compare)
        elif now >= self._due.presence:
            self._guarded(self._presence)
        else:
            return False
        return True

    def _guarded(self, act: Callable[[], None]) -> bool:
        """Do it; whether that went well. A connection that failed is given up, and tried anew after a pause."""
        try:
            with plain_errors():
                act()
        except LinesideError as error:
            patient = isinstance(error, Refused)
            pause = self._tries.pause(patient=patient)
            self._hang_up()
            self._due.connect = time.monotonic() + pause
            state = REFUSED if patient else PAUSED if self._offline_wanted else OFFLINE
            if (self._report.now.state, self._report.now.last_error) != (state, error.sentence):
                log.warning("no connection to the server", reason=error.sentence)
            self._report.say(state=state, last_error=error.sentence, progress=None, presence=())
            return False
        return True

    def _open(self) -> None:
        self._server = server = self._connect()
        self._hello = hello = server.hello()
        self._hears = self._listen(server)
        if not self._hears:
            log.info("news of the server do not come through; it is asked more often")
        offset = measured_offset(clock_of(server), self._clock)
        self._report.say(tls=server.way, clock_offset_s=round(offset, 3), station=hello.station)
        self._due.round = self._due.full = self._due.presence = 0.0
        self._due.compare = self._compared + self._pauses.compare_anyway

    def _round(self) -> None:
        assert self._server is not None
        began = time.monotonic()
        full = began >= self._due.full
        if full or self._hello is None:
            self._hello = self._server.hello()
        done = run_round(self._station, self._server, self._hello, full=full)
        self._told_all(self._server)
        if full:
            self._due.full = time.monotonic() + self._pauses.full
        self._after(done, self._hello)

    def _told_all(self, server: ServerConnection) -> None:
        from app.sync.ended_logins import end_outdated_logins
        from app.sync.passwords import push_password_notes

        if not self._pending():
            push_password_notes(self._store, server)
            end_outdated_logins(self._store, server, self._clock())

    def _after(self, done: Round, hello: Hello) -> None:
        skew, now = Skew.between(SHARED_SCHEMA, hello), time.monotonic()
        self._tries.failed = 0
        self._due.round = now + (self._pauses.tick if self._hears else self._pauses.deaf)
        if done.moved:
            self._due.compare = max(now + self._pauses.rest, self._compared + self._pauses.compare)
        self._report.count()
        state = REFUSED if skew.sentence else ONLINE
        now_here = self._clock()
        confirmed = now_here if not self._report.now.to_send else self._report.now.confirmed_at
        self._report.say(
            state=state,
            last_error=skew.sentence,
            progress=None,
            checked_at=now_here if skew.may_pull else self._report.now.checked_at,
            confirmed_at=confirmed,
        )
        if done.moved:
            self._wake_files()
        self._may_push = skew.may_push
        if self._may_push and self._pending():
            self._due.round = 0.0

    def _compare(self) -> None:
        from app.sync.comparing import compare

        assert self._server is not None
        if not compare(self._station, self._server):
            self._due.round = 0.0
        self._compared = time.monotonic()
        self._due.compare = self._compared + self._pauses.compare_anyway

    def _presence(self) -> None:
        assert self._server is not None
        self._due.presence = time.monotonic() + self._pauses.presence
        here = tuple(
            Presence(one.entity, str(one.id), one.actor, one.station, one.at, one.editing)
            for one in self._server.lookers()
        )
        if here != self._report.now.presence:
            self._report.say(presence=here)

    def _wait(self) -> None:
        """A moment, or until somebody changed something on the server."""
        if self._server is None or not self._hears:
            self._ends.wait(self._pauses.look)
            return
        server = self._server

        def listen() -> None:
            if server.wait_for_news(self._pauses.look):
                self._due.round = min(self._due.round, time.monotonic() + self._patience_with_news())

        self._guarded(listen)

    def _patience_with_news(self) -> float:
        """Seconds until the next round: few for one edit now and then, more where many follow each other."""
        shortest, longest = self._pauses.jitter
        now, before = time.monotonic(), self._news
        self._news = now
        often = now - before < self._pauses.silence
        return random.uniform(shortest, longest) if often else random.uniform(0.0, shortest)

    def _hang_up(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
