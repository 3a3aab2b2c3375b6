"""Forwards the samples of this station to the shared server: each once, in order, behind everything that is urgent."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import structlog

from app.domain.errors import Refused, WorldFault
from app.domain.forwarding import ForwardFigures
from app.store.history import FILE_NAME, HistoryWriter
from app.store.history.forward import MOST, SampleStream
from app.sync.machines.forward_meter import ForwardMeter
from app.sync.machines.pace import Pace
from app.sync.machines.signal_numbers import SignalNumbers
from app.sync.membership import address_of, server_url
from app.sync.server.sentences import plain_errors

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

    from app.store.history.forward import Stretch
    from app.sync.machines.sample_server import Batch, SampleServer
    from app.sync.machines.stream_position import Leg
    from app.sync.wire import ServerConnection

log = structlog.get_logger(__name__)

BATCH = 5_000
_EPOCH = 1  # of the history writer of the collector
_LOOK = 0.5  # s between two looks at what was written meanwhile
_LOOK_WHETHER_SHARED = 2.0  # s
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # s between two tries to reach the server
_AFTER_REFUSAL = 60.0
_GOODBYE = 3.0
_COUNT_SECONDS = 5.0  # between two counts of what waits
_SHARE, _SHARE_WHEN_BUSY = 0.5, 0.1  # of a processor


def own_connection(folder: Path) -> ServerConnection:
    """A connection of its own to the server that a folder shares. Raises Refused or WorldFault."""
    from app.sync.wire import ServerConnection

    address = address_of(folder)
    if address is None:
        raise Refused("This station shares no server any more.")
    return ServerConnection.open(server_url(folder, address), program="lineside samples")


def is_shared(folder: Path) -> bool:
    """Whether a folder shares a server; one whose file about it is damaged still does."""
    try:
        return address_of(folder) is not None
    except (Refused, WorldFault):
        return True


class AskAgain(Exception):
    """The server is somewhere else in the stream than it should be: it has to be asked where."""


class Forwarding:
    """Forwards the history of a data folder, as soon as and as long as it `shares` a server.

    `connect` opens a connection of its own, or raises Refused or WorldFault; `run` is the run of the collector. The
    order of the history is kept, so what
    was collected first is forwarded first, also after days without a server.
    """

    def __init__(
        self,
        folder: Path,
        connect: Callable[[], ServerConnection] | None = None,
        *,
        run: Callable[[], UUID | None] = lambda: None,
        shares: Callable[[], bool] | None = None,
        new_id: Callable[[], UUID] = uuid4,
        batch: int = BATCH,
        share: float = _SHARE,
        pause: float = _FIRST_PAUSE,
    ) -> None:
        self._samples = SampleStream(folder / FILE_NAME)
        self._connect = connect or partial(own_connection, folder)
        self._shares = shares or partial(is_shared, folder)
        self._run_id, self._new_id, self._batch, self._share = run, new_id, batch, share
        self._stop = threading.Event()
        self._pace = Pace(self._share_now, self._stop.wait)
        self._meter = ForwardMeter()
        self._busy: Callable[[], bool] = lambda: False
        self._forwarded: int | None = None
        self._attempted: int | None = None
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._line: ServerConnection | None = None
        self._first_pause = self._pause = pause
        self._counted = 0.0

    # Life ---------------------------------------------------------------------------------------------------------

    def begin(self, writer: HistoryWriter, busy: Callable[[], bool] = lambda: False) -> None:
        """Start to forward what `writer` has written; `busy` says that the collector needs the processor itself."""
        self._writer, self._busy = writer, busy
        self._look_whether_shared()
        self._thread = threading.Thread(target=self._run, name="forwarding", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop; waits a moment for the batch that is under way. May be called when nothing was begun."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_GOODBYE)
            if self._thread.is_alive() and self._line is not None:
                self._line.abort()
            self._thread.join()
            self._thread = None
        self._samples.close()

    def keep_from(self) -> tuple[int, int] | None:
        """The (epoch, n) of the first sample that the server does not have yet."""
        return None if self._forwarded is None else (_EPOCH, self._forwarded + 1)

    def figures(self) -> ForwardFigures:
        """How it goes. Raises what brought the thread down, if anything did."""
        if self._failure is not None:
            raise self._failure
        return self._meter.figures()

    def _share_now(self) -> float:
        return _SHARE_WHEN_BUSY if self._busy() else self._share

    # The thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._try_once()
        except BaseException as failure:  # noqa: BLE001 - raised where the figures are asked for
            self._failure = failure

    def _look_whether_shared(self) -> bool:
        """What is not forwarded yet has to be kept from the moment on at which there is a server."""
        if not self._shares():
            self._forwarded = self._attempted = None
            self._meter.alone()
            return False
        if self._forwarded is None:
            streams = self._samples.streams()
            self._forwarded = streams[-1].forwarded if streams else 0
        return True

    def _try_once(self) -> None:
        """Forward until the server is lost, then pause; longer each time that it cannot be reached."""
        if not self._look_whether_shared():
            self._stop.wait(_LOOK_WHETHER_SHARED)
            return
        try:
            self._number_chunks()
            with plain_errors(), ExitStack() as stack:
                connection = self._connect()
                stack.callback(connection.close)
                self._line = connection
                stack.callback(self._writer.stop_offering)
                self._converse(connection)
        except AskAgain:
            self._stop.wait(_LOOK)
        except (WorldFault, Refused) as fault:
            if self._meter.figures().sentence != fault.sentence:
                log.warning("samples not forwarded", reason=fault.sentence)
            self._meter.offline(fault.sentence)
            self._count_waiting(self._forwarded or 0)
            pause = self._pause if isinstance(fault, WorldFault) else _AFTER_REFUSAL
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            self._stop.wait(pause * random.uniform(0.8, 1.2))

    def _number_chunks(self) -> None:
        """What an older Lineside sealed must be looked into once, before it can be found by its number."""
        while self._writer.number_chunks() and not self._stop.wait(0.1):
            pass

    def _converse(self, connection: ServerConnection) -> None:
        """Agree on where to go on, then forward until stopped."""
        from app.sync.machines.sample_server import SampleServer
        from app.sync.machines.stream_position import Known, find_position

        server = SampleServer(connection.session, self._run_id())
        known = None if self._attempted is None else Known(self._forwarded or 0, self._attempted)
        position = find_position(server, self._samples, _EPOCH, self._new_id, known)
        present = position.streams[-1]
        self._writer.begin_offering(position.streams)
        if known is None:
            self._attempted = max(present.offered, present.forwarded)
        elif position.divided:
            self._attempted = present.forwarded
        self._forwarded = min(leg.after for leg in position.legs)
        self._meter.online()
        self._pause = self._first_pause
        signals = SignalNumbers(server, self._samples)
        for leg in position.legs:
            self._walk(server, signals, leg)

    def _walk(self, server: SampleServer, signals: SignalNumbers, leg: Leg) -> None:
        """Forward one stream to its end; the present one has none."""
        after = leg.after
        while not self._stop.is_set():
            self._pace.begin()
            most = MOST if leg.last is None else leg.last - after
            stretch = self._samples.read(_EPOCH, after, min(most, MOST), self._pace.rest) if most else None
            if stretch is not None:
                after = self._send(server, leg, stretch, signals.of(stretch.tags))
                continue
            if leg.last is not None:
                return
            self._count_waiting(after)
            if not self._shares():
                raise AskAgain
            self._stop.wait(_LOOK)

    def _send(self, server: SampleServer, leg: Leg, stretch: Stretch, signals: NDArray[int64]) -> int:
        """Forward a stretch in batches; returns the number of the last sample that the server has now."""
        from app.sync.machines.sample_server import batch_of

        after = stretch.after
        for begin in range(0, max(1, len(stretch.tags)), self._batch):
            if self._stop.is_set():
                break
            batch = batch_of(stretch, begin, begin + self._batch, signals)
            after = self._offer(server, leg, batch)
            if after != batch.last_n:
                break
            self._meter.sent(len(batch.t), int(batch.t[-1]) if len(batch.t) else None)
            self._moved(leg, after)
            self._pace.rest()
        return after

    def _offer(self, server: SampleServer, leg: Leg, batch: Batch) -> int:
        """Hand a batch over; returns how far the server has the stream. Raises AskAgain when that is a surprise."""
        try:
            reached = server.forward(leg.stream, _EPOCH, batch)
        except BaseException:
            self._try_reached(leg, batch.last_n)  # it may have been taken nevertheless
            raise
        if reached == batch.last_n:
            self._try_reached(leg, reached)
        elif not batch.first_n <= reached <= (self._attempted or 0):
            # What lies between was offered by an earlier connection that was lost; anything else was not by us.
            raise AskAgain
        return reached

    def _try_reached(self, leg: Leg, n: int) -> None:
        if leg.last is None:
            self._attempted = max(self._attempted or 0, n)

    def _moved(self, leg: Leg, after: int) -> None:
        self._forwarded = after
        if leg.last is None:
            self._writer.forwarded(after)
        if time.monotonic() - self._counted >= _COUNT_SECONDS:
            self._count_waiting(after)

    def _count_waiting(self, after: int) -> None:
        self._counted = time.monotonic()
        waiting = max(0, self._samples.newest(_EPOCH) - after)
        given_up = sum(stream.given_up for stream in self._samples.streams())
        self._meter.waits(waiting, self._samples.time_of(_EPOCH, after + 1) if waiting else None, given_up)
