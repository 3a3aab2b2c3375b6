"""A TCP proxy between a client and a real server that does to the wire what a workshop does to it, on demand."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from typing import Literal, Self

Direction = Literal["up", "down"]  # up: from the client to the server; down: what the server answers
_CHUNK = 65536


@dataclass(slots=True)
class _Line:
    """One direction of one connection: what was read, when it may leave, and where to."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    waiting: asyncio.Queue[tuple[float, bytes]] = field(default_factory=asyncio.Queue)


@dataclass(eq=False, slots=True)
class _Pair:
    """One client with its connection to the server; a deaf one swallows everything for ever."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    deaf: bool = False

    def abort(self) -> None:
        for writer in (self.client, self.server):
            if writer is not None:
                writer.transport.abort()


class FaultyProxy:
    """Forwards `port` on loopback to a server, and breaks in the way it is told to.

    `accepted` counts the connections that clients opened, `open` those that are open now, `most` the most at a time.

    async with FaultyProxy("127.0.0.1", server_port) as proxy:
        client = connect_to(proxy.host, proxy.port)
        proxy.cut()           # both sides closed at once; the next connection works
        proxy.cut_after(7)    # … as soon as 7 more bytes came from the server
        proxy.mute_after(7)   # … after which the connection stays open and silent
        proxy.hold()          # cable out: nothing passes, everything arrives when it heals, as TCP sends it again
        proxy.half_open()     # accepts and swallows; these connections stay silent for ever, also once healed
        await proxy.refuse()  # nobody listens any more
        proxy.delay(0.3)      # every byte arrives that many seconds later, both ways or "up" or "down"
        proxy.throttle(1000)  # bytes a second, each way
        await proxy.heal()
    """

    def __init__(self, target_host: str, target_port: int) -> None:
        self._target = (target_host, target_port)
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reserved: socket.socket | None = None
        self._swallow = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delay: dict[Direction, float] = {"up": 0.0, "down": 0.0}
        self._rate = 0.0
        self._left: dict[Direction, tuple[int, bool]] = {}
        self.host, self.port = "127.0.0.1", 0
        self.accepted = self.most = 0

    @property
    def open(self) -> int:
        """How many connections are open now."""
        return len(self._pairs)

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop_listening()
        if self._reserved is not None:
            self._reserved.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # lets the aborted transports let go of their sockets

    # ── faults ───────────────────────────────────────────────────────────────────────────────────────────────

    def cut(self) -> None:
        """Close both sides of every connection at once; bytes on their way are lost."""
        for pair in list(self._pairs):
            pair.abort()

    def cut_after(self, count: int, direction: Direction = "down") -> None:
        """Cut every connection as soon as `count` more bytes went in that direction; in the middle of a message."""
        self._left[direction] = (count, True)

    def mute_after(self, count: int, direction: Direction = "down") -> None:
        """Let `count` more bytes pass, then leave that connection open and silent for ever."""
        self._left[direction] = (count, False)

    def hold(self) -> None:
        """Nothing passes until `heal`, then all of it, in order: the cable is out for less than TCP gives up."""
        self._flowing.clear()

    def half_open(self) -> None:
        """Accept and swallow everything; nothing comes back, the sockets stay open."""
        self._swallow = True

    async def refuse(self, *, cut: bool = True) -> None:
        """Nobody listens any more; running connections are cut unless told otherwise."""
        await self._stop_listening()
        if self._reserved is not None:
            self._reserved.close()
        self._reserved = socket.socket()  # bound but not listening: refused, and nobody else gets the port
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind((self.host, self.port))
        if cut:
            self.cut()

    def delay(self, seconds: float, direction: Direction | None = None) -> None:
        """Everything arrives later, in one direction or both; what was sent before keeps its time."""
        for way in (direction,) if direction else ("up", "down"):
            self._delay[way] = seconds

    def throttle(self, bytes_per_second: float) -> None:
        """Each direction of each connection passes so many bytes a second; 0 for as many as come."""
        self._rate = bytes_per_second

    async def heal(self) -> None:
        """Everything passes again; connections that swallowed something stay silent, as the network forgot them."""
        self._swallow = False
        self._left.clear()
        self.delay(0.0)
        self.throttle(0.0)
        self._flowing.set()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        if self._server is None:
            await self._listen()

    # ── wire ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await asyncio.sleep(0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A new client; the task is ours, so that nobody but us ends it."""
        self.accepted += 1
        pair = _Pair(writer)
        self._pairs.add(pair)
        self.most = max(self.most, self.open)
        task = asyncio.ensure_future(self._connect(pair, reader))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, pair: _Pair, client: asyncio.StreamReader) -> None:
        try:
            if self._swallow:
                pair.deaf = True
                await self._swallow_all(client)
                return
            try:
                server, pair.server = await asyncio.open_connection(*self._target)
            except OSError:
                return
            await self._run(pair, _Line(client, pair.server), _Line(server, pair.client))
        finally:
            pair.abort()
            self._pairs.discard(pair)

    async def _run(self, pair: _Pair, up: _Line, down: _Line) -> None:
        """Pump until either side is at its end and what it said has been delivered."""
        readers = {
            asyncio.ensure_future(self._take(pair, up, "up")),
            asyncio.ensure_future(self._take(pair, down, "down")),
        }
        writers = {
            asyncio.ensure_future(self._give(pair, up, "up")),
            asyncio.ensure_future(self._give(pair, down, "down")),
        }
        try:
            await asyncio.wait(writers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in readers | writers:
                task.cancel()
            await asyncio.gather(*readers, *writers, return_exceptions=True)

    async def _take(self, pair: _Pair, line: _Line, direction: Direction) -> None:
        """Read what comes and note when it may leave; an empty piece is the end."""
        clock = asyncio.get_running_loop().time
        data = b"begin"
        while data:
            try:
                data = await line.reader.read(_CHUNK)
            except OSError:
                data = b""
            pair.deaf = pair.deaf or (self._swallow and bool(data))
            if not pair.deaf or not data:
                line.waiting.put_nowait((clock() + self._delay[direction], data))

    async def _give(self, pair: _Pair, line: _Line, direction: Direction) -> None:
        """Deliver in order, each piece at its time; ends with the connection."""
        clock = asyncio.get_running_loop().time
        while True:
            due, data = await line.waiting.get()
            await asyncio.sleep(max(0.0, due - clock()))
            await self._flowing.wait()
            if not data:
                return
            if pair.deaf:
                continue
            data, cut = self._portion(pair, data, direction)
            for piece in self._pieces(data):
                with contextlib.suppress(OSError):
                    line.writer.write(piece)
                    await line.writer.drain()
                if self._rate:
                    await asyncio.sleep(len(piece) / self._rate)
            if cut:
                await asyncio.sleep(0)
                return

    def _portion(self, pair: _Pair, data: bytes, direction: Direction) -> tuple[bytes, bool]:
        """What of `data` may still pass, and whether the connection ends with it."""
        if direction not in self._left:
            return data, False
        left, cuts = self._left[direction]
        if len(data) < left:
            self._left[direction] = (left - len(data), cuts)
            return data, False
        del self._left[direction]
        pair.deaf = not cuts
        return data[:left], cuts

    def _pieces(self, data: bytes) -> list[bytes]:
        size = max(1, int(self._rate / 20)) if self._rate else len(data)
        return [data[i : i + size] for i in range(0, len(data), size)] if data else []

    async def _swallow_all(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while await reader.read(_CHUNK):
                pass
