"""The live stream: only for those who know the token, never slowed by those who read slowly."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.machine_news import LinkState, LinkStatus
from app.domain.samples import Quality, Sample
from app.live.feed import Feed, FeedStatus
from app.live.messages import (
    Auth,
    BrokenStream,
    Denied,
    Hello,
    Message,
    Ping,
    Poke,
    SampleBatch,
    Welcome,
    frame,
    receive,
)
from app.live.stream import FILE_NAME, Reader, StreamServer
from tests.live.conftest import until

T0 = datetime(2026, 3, 4, tzinfo=UTC)
STATUS = LinkStatus("c", LinkState.ONLINE, "Connected.", T0)


def sample(tag: str, value: float) -> Sample:
    return Sample(tag, T0, T0, value, Quality.GOOD)


@pytest.fixture
async def pokes() -> list[int]:
    return []


@pytest.fixture
async def server(data_dir: Path, pokes: list[int]) -> AsyncIterator[StreamServer]:
    made = StreamServer(
        data_dir,
        clock=lambda: T0,
        snapshot=lambda: ([sample("M/x", 1.0)], [STATUS]),
        on_poke=lambda: pokes.append(1),
        most_pending=100,
    )
    await made.start()
    yield made
    await made.stop()


async def listen(feed: Feed, enough: Callable[[], object], do: Callable[[], object] | None = None) -> None:
    running = asyncio.create_task(feed.run())
    try:
        await until(lambda: feed.status.connected)
        if do is not None:
            do()
        await until(enough)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_listener_gets_what_is_known_and_then_what_happens(
    server: StreamServer, data_dir: Path, pokes: list[int]
) -> None:
    got: list[Message] = []
    feed = Feed(data_dir, got.append)
    feed.poke()

    def happen() -> None:
        server.samples([sample("M/x", 2.0)])
        server.event(Ping(T0))

    def values() -> list[object]:
        return [s.value for m in got if isinstance(m, SampleBatch) for s in m.samples]

    def enough() -> bool:
        return values() == [1.0, 2.0] and bool(pokes) and isinstance(got[-1], (Ping, SampleBatch))

    async def later() -> None:
        await until(lambda: values() == [1.0])
        happen()

    happening = asyncio.create_task(later())
    await listen(feed, enough)
    await happening
    assert isinstance(got[0], Welcome)
    assert STATUS in got
    assert next(m for m in got if isinstance(m, SampleBatch)).samples[0].sample() == sample("M/x", 1.0)
    await until(lambda: server.readers == 0)


async def test_a_wrong_token_is_refused_and_learns_nothing(server: StreamServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    assert isinstance(await receive(reader), Hello)
    writer.write(frame(Auth("guess")))
    assert isinstance(await receive(reader), Denied)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "nonsense", [b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\4rubb", b"\xff\xff\xff\xff", frame(Poke())]
)
async def test_nonsense_is_hung_up_on(server: StreamServer, nonsense: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    assert isinstance(await receive(reader), Hello)
    writer.write(nonsense)
    with suppress(ConnectionError):
        async with asyncio.timeout(5):
            while await reader.read(100):
                pass
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    assert server.readers == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
async def test_the_token_can_be_read_by_this_user_alone_and_goes_with_the_collector(
    server: StreamServer, data_dir: Path
) -> None:
    file = data_dir / FILE_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(json.loads(file.read_text())["token"]) > 30
    await server.stop()
    assert not file.exists()


def test_of_what_a_slow_reader_missed_the_newest_of_each_tag_is_kept_and_the_rest_counted() -> None:
    reader = Reader(most_pending=4)
    for i in range(10):
        reader.add_samples([sample("M/a", i), sample("M/b", -i)])
    reader.add_event(STATUS)
    first, batch = reader.take()
    assert first == STATUS
    assert isinstance(batch, SampleBatch)
    newest = {s.tag: s.value for s in batch.samples}
    assert newest == {"M/a": 9.0, "M/b": -9.0}
    assert batch.skipped + len(batch.samples) == 20
    assert batch.skipped > 0


async def test_a_reader_that_does_not_read_holds_up_nobody(server: StreamServer, data_dir: Path) -> None:
    token = json.loads((data_dir / FILE_NAME).read_text())["token"]
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    assert isinstance(await receive(reader), Hello)
    writer.write(frame(Auth(token)))
    got: list[Message] = []
    long_name = "M/" + "x" * 200

    async def flood() -> None:
        for i in range(400):
            server.samples([sample(f"{long_name}{n}", float(i)) for n in range(90)])
            await asyncio.sleep(0.002)

    flooding = asyncio.create_task(flood())
    await listen(Feed(data_dir, got.append), lambda: len([m for m in got if isinstance(m, SampleBatch)]) > 5)
    await flooding
    last: SampleBatch | None = None
    async with asyncio.timeout(15):
        while last is None or last.samples[-1].value != 399.0:
            message = await receive(reader)
            last = message if isinstance(message, SampleBatch) else last
    assert last.skipped > 0
    writer.close()
    await writer.wait_closed()


async def test_a_listener_comes_back_when_the_collector_does(server: StreamServer, data_dir: Path) -> None:
    told: list[FeedStatus] = []
    feed = Feed(data_dir, lambda _: None, told.append)
    running = asyncio.create_task(feed.run())
    await until(lambda: feed.status.connected)
    await server.stop()
    await until(lambda: not feed.status.connected)
    await server.start()
    await until(lambda: feed.status.connected)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert [s.connected for s in told] == [True, False, True]


async def test_without_a_collector_the_listener_says_so(data_dir: Path) -> None:
    feed = Feed(data_dir, lambda _: None)
    (data_dir / FILE_NAME).write_text("{}")
    running = asyncio.create_task(feed.run())
    await until(lambda: "cannot be read" in feed.status.sentence)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_message_that_is_too_long_is_not_read() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"\x7f\xff\xff\xff")
    with pytest.raises(BrokenStream):
        await receive(reader)
