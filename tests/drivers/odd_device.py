"""A server that answers Modbus TCP requests with whatever the test tells it to, byte by byte."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from app.domain.plant import Connection

# transaction, unit and message of a request → the bytes to send back
Reply = Callable[[int, int, bytes], bytes]


def registers(transaction: int, unit: int, *words: int) -> bytes:
    """A proper answer with these holding registers."""
    message = struct.pack(f">BB{len(words)}H", 3, 2 * len(words), *words)
    return struct.pack(">HHHB", transaction, 0, len(message) + 1, unit) + message


class OddDevice:
    """`reply` makes each answer; `clients` are those that are connected, `accepted` all that ever were.

    With `places` it lets in so many clients and closes on the others at once, as many devices do.
    """

    def __init__(self, reply: Reply, places: int = 1000) -> None:
        self.reply, self.places = reply, places
        self.port = self.accepted = self.turned_away = 0
        self.clients: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._meet, "0.0.0.0", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for client in list(self.clients):
            client.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def connection(self, unit: int = 1, timeout: float = 2.0) -> Connection:
        """A connection to one of its units."""
        return Connection(
            f"u{unit}", "modbus-tcp", f"tcp://127.0.0.1:{self.port}", unit=unit, timeout=timeout
        )

    def at(self, host: str) -> Connection:
        """A connection by another of the loopback addresses."""
        return replace(self.connection(timeout=10.0), url=f"tcp://{host}:{self.port}")

    def through(self, port: int) -> Connection:
        """A connection through a proxy."""
        return replace(self.connection(timeout=20.0), url=f"tcp://127.0.0.1:{port}")

    def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if len(self.clients) >= self.places:
            self.turned_away += 1
            writer.transport.abort()
            return
        self.clients.add(writer)
        task = asyncio.ensure_future(self._talk(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                transaction, _, length = struct.unpack(">HHH", await reader.readexactly(6))
                body = await reader.readexactly(length)
                writer.write(self.reply(transaction, body[0], body[1:]))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.clients.discard(writer)
            writer.transport.abort()
