"""Serves the live stream on loopback to those who can read the token; a slow reader never slows the collector."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import structlog

from app.domain.samples import Sample
from app.live.messages import (
    Auth,
    BrokenStream,
    Denied,
    Hello,
    Message,
    Poke,
    SampleBatch,
    Welcome,
    WireSample,
    frame,
    receive,
)
from app.store.private_file import write_private

log = structlog.get_logger(__name__)

FILE_NAME = "collector.json"
BATCH_SECONDS = 1 / 20  # between two batches; what comes after a pause is told at once
MOST_PENDING = 20_000  # samples kept for one reader; beyond that only the newest of each tag
MOST_EVENTS = (
    10_000  # alarms and link states kept for one reader; beyond that it is hung up on and starts afresh
)
_LONGEST_FROM_READER = 4096
_AUTH_SECONDS = 5.0
_BUFFER = 256 * 1024


class Reader:
    """What one connected desktop still has to be told."""

    def __init__(self, most_pending: int = MOST_PENDING) -> None:
        self._most = most_pending
        self._samples: list[Sample] = []
        self._events: deque[Message] = deque()
        self.skipped = 0
        self.overrun = False
        self.news = asyncio.Event()

    def add_samples(self, samples: Sequence[Sample]) -> None:
        """Queue samples; when too many wait, only the newest of each tag is kept and the others are counted."""
        self._samples.extend(samples)
        self.news.set()
        if len(self._samples) > self._most:
            newest = {sample.tag: sample for sample in self._samples}
            self.skipped += len(self._samples) - len(newest)
            self._samples = list(newest.values())

    def add_event(self, message: Message) -> None:
        """Queue what must not be lost; a reader that takes nothing at all is given up."""
        self._events.append(message)
        self.news.set()
        self.overrun = self.overrun or len(self._events) > MOST_EVENTS

    def take(self) -> list[Message]:
        """Everything that waits, events first."""
        self.news.clear()
        messages, self._events = list(self._events), deque()
        if self._samples:
            batch, self._samples = self._samples, []
            messages.append(SampleBatch([WireSample.of(sample) for sample in batch], self.skipped))
        return messages


class StreamServer:
    """Tells every reader what is known, then what changes. `snapshot` gives the first of that.

    `parent` is the process id of the window that started this collector, 0 when nobody did.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        clock: Callable[[], datetime],
        snapshot: Callable[[], tuple[list[Sample], list[Message]]],
        on_poke: Callable[[], None],
        port: int = 0,
        most_pending: int = MOST_PENDING,
        parent: int = 0,
    ) -> None:
        self._path, self._clock, self._parent = data_dir / FILE_NAME, clock, parent
        self._snapshot, self._on_poke = snapshot, on_poke
        self._port, self._most = port, most_pending
        self._token = secrets.token_urlsafe(32)
        self._readers: set[Reader] = set()
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self._started = clock()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen, and write port and token where only this user can read them."""
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", self._port)
        self._started = self._clock()
        facts = {"port": self.port, "token": self._token, "pid": os.getpid(), "parent": self._parent}
        write_private(self._path, json.dumps(facts))

    async def stop(self) -> None:
        """Hang up on everybody and take the file away."""
        server, self._server = self._server, None
        if server is None:
            return
        self._path.unlink(missing_ok=True)
        server.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await server.wait_closed()

    def samples(self, samples: Sequence[Sample]) -> None:
        """Tell all readers about new samples."""
        for reader in self._readers:
            reader.add_samples(samples)

    def event(self, message: Message) -> None:
        """Tell all readers about an alarm, a link, a write to a machine, or that the collector lives."""
        for reader in self._readers:
            reader.add_event(message)

    @property
    def readers(self) -> int:
        """How many desktops listen."""
        return len(self._readers)

    def _welcome(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self._talk(incoming, outgoing), name="live-reader")
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        try:
            if await self._admitted(incoming, outgoing):
                await self._serve(incoming, outgoing)
        except (OSError, EOFError, BrokenStream, TimeoutError) as error:
            log.debug("reader gone", reason=repr(error))
        finally:
            outgoing.close()
            with suppress(OSError, asyncio.CancelledError):
                await outgoing.wait_closed()

    async def _admitted(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> bool:
        """Ask for the token; whoever does not know it is told so and learns nothing else."""
        outgoing.write(frame(Hello()))
        async with asyncio.timeout(_AUTH_SECONDS):
            answer = await receive(incoming, _LONGEST_FROM_READER)
        if isinstance(answer, Auth) and hmac.compare_digest(answer.token.encode(), self._token.encode()):
            return True
        log.warning("live stream refused: wrong token")
        outgoing.write(frame(Denied("The collector does not know this token.")))
        await outgoing.drain()
        return False

    async def _serve(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        outgoing.transport.set_write_buffer_limits(high=_BUFFER)
        reader = Reader(self._most)
        reader.add_event(Welcome(self._started))
        samples, events = self._snapshot()
        for event in events:
            reader.add_event(event)
        reader.add_samples(samples)
        self._readers.add(reader)
        listening = asyncio.create_task(self._listen(incoming), name="live-listener")
        try:
            while not listening.done() and not reader.overrun:
                await _send(outgoing, reader.take())
                await asyncio.wait([listening], timeout=BATCH_SECONDS)
                await _until_news(reader, listening)
        finally:
            self._readers.discard(reader)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self, incoming: asyncio.StreamReader) -> None:
        """A reader says nothing but “look now”."""
        while True:
            if isinstance(await receive(incoming, _LONGEST_FROM_READER), Poke):
                self._on_poke()


async def _until_news(reader: Reader, listening: asyncio.Task[None]) -> None:
    """Wait until there is something to tell, or nobody to tell it to."""
    news = asyncio.create_task(reader.news.wait(), name="live-news")
    try:
        await asyncio.wait([listening, news], return_when=asyncio.FIRST_COMPLETED)
    finally:
        news.cancel()
        await asyncio.gather(news, return_exceptions=True)


async def _send(outgoing: asyncio.StreamWriter, messages: Iterable[Message]) -> None:
    for message in messages:
        outgoing.write(frame(message))
        await outgoing.drain()
