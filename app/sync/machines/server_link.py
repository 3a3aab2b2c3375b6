"""The collector's own connection to the server: one thread that may wait, so that the event loop never does."""

from __future__ import annotations

import asyncio
import random
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import structlog

from app.domain.errors import LinesideError, WorldFault

if TYPE_CHECKING:
    from psycopg import Connection

log = structlog.get_logger(__name__)

CHANNEL = "lineside_live"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0  # s between two tries to reach the server
_GOODBYE = 3.0
_T = TypeVar("_T")
Work: TypeAlias = "Callable[[Connection[Any]], Any]"
_Job: TypeAlias = "tuple[Work, asyncio.Future[Any]]"


class ServerLink:
    """Connects, connects again, and does one piece of work after the other; `ask` from the event loop only.

    `open_connection` runs in the thread. `on_up`, `on_down` and `on_hint` (with what the server called out) are called
    on the event loop.
    """

    def __init__(
        self,
        open_connection: Callable[[], Connection[Any]],
        *,
        on_up: Callable[[], None],
        on_down: Callable[[str], None],
        on_hint: Callable[[str], None],
    ) -> None:
        self._open = open_connection
        self._on_up, self._on_down, self._on_hint = on_up, on_down, on_hint
        self._loop = asyncio.get_running_loop()
        self._jobs: deque[_Job] = deque()
        self._ours, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)
        self._ours.setblocking(False)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="machines-server", daemon=True)
        self.up = False

    def start(self) -> None:
        """Begin to call the server."""
        self._thread.start()

    async def stop(self) -> None:
        """Hang up; waits a moment for what is under way."""
        self._stop.set()
        self._wake()
        await asyncio.to_thread(self._thread.join, _GOODBYE)
        if not self._thread.is_alive():
            self._ours.close()
            self._theirs.close()

    async def ask(self, work: Callable[[Connection[Any]], _T]) -> _T:
        """The result of `work`, done in the thread; raises WorldFault when the server is not reached."""
        if not self.up:
            raise WorldFault("The server is not reached.")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.append((work, future))
        self._wake()
        done: _T = await future
        return done

    def _wake(self) -> None:
        with suppress(BlockingIOError, OSError):
            self._ours.send(b"!")

    # In the thread --------------------------------------------------------------------------------------------------

    def _tell(self, what: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(what, *arguments)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            try:
                connection = self._open()
            except LinesideError as fault:
                self._tell(self._down, fault.sentence)
                self._stop.wait(pause * random.uniform(0.7, 1.3))
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            try:
                self._serve(connection)
            except LinesideError as fault:
                self._tell(self._down, fault.sentence)
            finally:
                connection.close()
                self._refuse_all()

    def _serve(self, connection: Connection[Any]) -> None:
        from app.sync.server.sentences import plain_errors

        with plain_errors():
            connection.add_notify_handler(lambda note: self._tell(self._on_hint, note.payload))
            connection.execute(f"LISTEN {CHANNEL}")
            self._tell(self._came_up)
            while not self._stop.is_set():
                while self._jobs:
                    self._do(connection, *self._jobs.popleft())
                server, woken = connection.fileno(), self._theirs.fileno()
                ready, _, _ = select.select([server, woken], [], [], 5.0)
                if woken in ready:
                    with suppress(BlockingIOError):
                        self._theirs.recv(4096)
                if server in ready:
                    self._hear(connection)

    def _hear(self, connection: Connection[Any]) -> None:
        """Take in what the server called out while nothing was asked."""
        connection.pgconn.consume_input()
        while (note := connection.pgconn.notifies()) is not None:
            self._tell(self._on_hint, note.extra.decode())

    def _do(self, connection: Connection[Any], work: Work, future: asyncio.Future[Any]) -> None:
        """One piece of work; what fails for good is the asker's, a lost connection ends the conversation."""
        import psycopg

        from app.sync.server.sentences import plain_error

        try:
            result = work(connection)
        except psycopg.Error as error:
            self._tell(_fail, future, plain_error(error))
            if connection.closed or isinstance(error, psycopg.OperationalError):
                raise
        except Exception as error:  # noqa: BLE001 - a bug belongs to whoever asked, on the event loop
            self._tell(_fail, future, error)
        else:
            self._tell(_settle, future, result)

    def _refuse_all(self) -> None:
        lost = WorldFault("The connection to the server was lost.")
        while self._jobs:
            self._tell(_fail, self._jobs.popleft()[1], lost)

    # On the loop ----------------------------------------------------------------------------------------------------

    def _came_up(self) -> None:
        self.up = True
        log.info("machines shared through the server")
        self._on_up()

    def _down(self, sentence: str) -> None:
        if self.up:
            log.warning("server of shared machines lost", reason=sentence)
        self.up = False
        self._on_down(sentence)


def _settle(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
