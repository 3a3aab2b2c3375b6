"""The proxy that breaks connections breaks them as it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.proxy import FaultyProxy


@pytest.fixture
async def proxy() -> AsyncIterator[FaultyProxy]:
    """In front of a server that says everything back."""
    talking: set[asyncio.StreamWriter] = set()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(writer)
        try:
            while data := await reader.read(1000):
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.transport.abort()
            talking.discard(writer)

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with FaultyProxy("127.0.0.1", server.sockets[0].getsockname()[1]) as made:
        yield made
    server.close()
    while talking:  # noqa: ASYNC110 — over when the set is empty
        await asyncio.sleep(0.01)


class Client:
    """A client that says something and reads what comes back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def of(cls, proxy: FaultyProxy) -> Client:
        return cls(*await asyncio.open_connection(proxy.host, proxy.port))

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self, count: int, seconds: float = 5.0) -> bytes:
        """`count` bytes; what came before the end; or, after `seconds`, b"silence"."""
        try:
            async with asyncio.timeout(seconds):
                return await self.reader.readexactly(count)
        except asyncio.IncompleteReadError as end:
            return end.partial
        except TimeoutError:
            return b"silence"
        except OSError:
            return b""

    def close(self) -> None:
        self.writer.transport.abort()


async def test_what_is_said_comes_through_and_connections_are_counted(proxy: FaultyProxy) -> None:
    one, two = await Client.of(proxy), await Client.of(proxy)
    one.say(b"hello")
    two.say(b"world")
    assert (await one.hear(5), await two.hear(5)) == (b"hello", b"world")
    assert (proxy.accepted, proxy.open, proxy.most) == (2, 2, 2)
    one.close()
    two.close()
    async with asyncio.timeout(5):
        while proxy.open:  # noqa: ASYNC110 — a count, not an event
            await asyncio.sleep(0.01)


async def test_a_cut_ends_what_is_open_and_lets_the_next_one_in(proxy: FaultyProxy) -> None:
    client = await Client.of(proxy)
    client.say(b"x")
    await client.hear(1)
    proxy.cut()
    assert await client.hear(1) == b""
    client.close()
    client = await Client.of(proxy)
    client.say(b"again")
    assert await client.hear(5) == b"again"
    client.close()


async def test_an_answer_can_be_cut_or_muted_in_its_middle(proxy: FaultyProxy) -> None:
    client = await Client.of(proxy)
    proxy.cut_after(3)
    client.say(b"abcdef")
    assert await client.hear(6) == b"abc"
    client.close()
    client = await Client.of(proxy)
    proxy.mute_after(2)
    client.say(b"abcdef")
    assert await client.hear(2) == b"ab"
    await proxy.heal()
    client.say(b"more")
    assert await client.hear(1, 0.1) == b"silence"
    client.close()


async def test_what_is_held_arrives_when_it_heals_and_what_is_swallowed_never(proxy: FaultyProxy) -> None:
    held = await Client.of(proxy)
    proxy.hold()
    held.say(b"late")
    assert await held.hear(4, 0.1) == b"silence"
    await proxy.heal()
    assert await held.hear(4) == b"late"
    proxy.half_open()
    new = await Client.of(proxy)
    for client in (held, new):
        client.say(b"lost")
        assert await client.hear(1, 0.1) == b"silence"
    await proxy.heal()
    for client in (held, new):
        client.say(b"lost too")
        assert await client.hear(1, 0.1) == b"silence"
        client.close()


async def test_a_refusing_proxy_refuses_until_it_heals(proxy: FaultyProxy) -> None:
    client = await Client.of(proxy)
    await proxy.refuse()
    assert await client.hear(1) == b""
    client.close()
    with pytest.raises(ConnectionRefusedError):
        await Client.of(proxy)
    await proxy.heal()
    client = await Client.of(proxy)
    client.say(b"back")
    assert await client.hear(4) == b"back"
    client.close()


async def test_delayed_and_throttled_bytes_keep_their_order(proxy: FaultyProxy) -> None:
    clock = asyncio.get_running_loop().time
    client = await Client.of(proxy)
    proxy.delay(0.2, "down")
    began = clock()
    for letter in b"abc":
        client.say(bytes([letter]))
        await asyncio.sleep(0)
    assert await client.hear(3) == b"abc"
    assert clock() - began >= 0.2
    await proxy.heal()
    proxy.throttle(200)
    began = clock()
    client.say(b"0123456789" * 4)
    assert await client.hear(40) == b"0123456789" * 4
    assert clock() - began >= 0.15
    client.close()
