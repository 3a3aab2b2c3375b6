"""A station with a history of its own and a real server to forward it to, for tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias

from app.domain.errors import WorldFault
from app.domain.samples import Quality, Sample, Value
from app.store.history import FILE_NAME, HistoryWriter, Keeping
from app.store.history.forward import SampleStream
from app.sync.machines.forwarding import Forwarding
from app.sync.machines.sample_server import Stored, batch_of, told
from app.sync.server.address import connect
from app.sync.wire import ServerConnection
from tests.sync.conftest import ServerDatabase

if TYPE_CHECKING:
    from psycopg import Connection

PATIENCE = 60.0  # s
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
AT_ONCE = Keeping(seal_after=timedelta(0), seal_least=10)
VALUES: tuple[Value, ...] = (
    20.5,
    -3,
    True,
    False,
    "cold",
    "",
    "a\0b",
    None,
    float("nan"),
    float("-inf"),
    2**62,
    0.1,
)
QUALITIES = (Quality.GOOD, Quality.BAD_NOT_CONNECTED, Quality.UNCERTAIN, 0x0000_0401)
Content: TypeAlias = list[tuple[int, Stored]]


def samples(count: int, chance: Random, since: datetime = START, tags: int = 7) -> list[Sample]:
    """Samples of all kinds; every tag keeps to one kind, as machines do, and is silent now and then."""
    found = []
    for n in range(count):
        tag = chance.randrange(tags)
        at = since + timedelta(seconds=n * 0.1 + chance.uniform(-30, 30))
        late = timedelta(microseconds=chance.randrange(5_000_000))
        value = chance.choice(VALUES) if tag == 0 else round(chance.gauss(20, 3), 2)
        found.append(Sample(f"M/{tag}", at, at + late, value, chance.choice(QUALITIES)))
    return found


def eventually(condition: Callable[[], object], what: str = "") -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"It did not happen: {what or condition}"
        time.sleep(0.02)


@dataclass
class Station:
    """One data folder with a history, and how it reaches the server; `down` cuts it off."""

    folder: Path
    server: ServerDatabase
    name: str = "07"
    down: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        if self.name not in self.server.stations:
            self.server.add_station(self.name)

    def connect(self) -> Connection[Any]:
        """A connection for statements of a test."""
        return connect(self.server.station_url(self.name))

    def line(self) -> ServerConnection:
        if self.down:
            raise WorldFault("The cable is out.")
        return ServerConnection.open(self.server.station_url(self.name))

    def writer(self, keeping: Keeping = AT_ONCE) -> HistoryWriter:
        return HistoryWriter(self.folder / FILE_NAME, keeping=keeping)

    def write(self, *batches: Sequence[Sample]) -> None:
        with self.writer() as writer:
            for batch in batches:
                writer.write(batch)

    @contextmanager
    def forwarding(self, writer: HistoryWriter, batch: int = 500) -> Iterator[Forwarding]:
        """Forwarding at work, as fast as it can."""
        work = Forwarding(self.folder, self.line, batch=batch, shares=lambda: True, share=1.0, pause=0.05)
        work.begin(writer)
        try:
            yield work
        finally:
            work.end()
            work.figures()

    def forward_all(self, batch: int = 500) -> None:
        """Forward until the server has everything."""
        with self.writer() as writer, self.forwarding(writer, batch) as work:
            self.wait(work)

    def wait(self, work: Forwarding) -> None:
        """Wait until the server has everything that is written now."""

        def all_there() -> bool:
            work.figures()
            return (work.keep_from() or (1, 0))[1] > self.newest()

        eventually(all_there, "all samples forwarded")

    def newest(self) -> int:
        with SampleStream(self.folder / FILE_NAME) as stream:
            return stream.newest(1)

    def content(self) -> Content:
        """All samples as the server ought to have them."""
        found: Content = []
        with SampleStream(self.folder / FILE_NAME) as stream:
            names, after = stream.names(), 0
            while (stretch := stream.read(1, after)) is not None:
                after = stretch.last
                if len(stretch.tags):
                    batch = batch_of(stretch, 0, len(stretch.tags), stretch.tags)
                    found += told(batch, [names[tag][0] for tag in stretch.tags.tolist()])
        return found


def on_server(server: ServerDatabase, station: str = "07") -> Content:
    """All samples of a station that the server has, by number."""
    with server.connect() as connection:
        rows = connection.execute(
            "SELECT r.n, g.name, (extract(epoch FROM r.t) * 1000000)::bigint, r.q, r.v, r.s "
            "FROM lineside.reading r JOIN lineside.origin o ON o.id = r.origin "
            "JOIN lineside.signal g ON g.id = r.signal WHERE o.station = %s ORDER BY r.n",
            (station,),
        ).fetchall()
    return [(n, tuple(rest)) for n, *rest in rows]


def seal(writer: HistoryWriter, until: datetime = START + timedelta(days=400)) -> None:
    while writer.seal(until, 0.05).more:
        pass


def assert_same(found: Iterable[object], expected: Iterable[object]) -> None:
    """Equal, told by the first difference: whole lists would fill pages."""
    found, expected = list(found), list(expected)
    for place, (here, there) in enumerate(zip(found, expected, strict=False)):
        assert here == there, f"at {place}"
    assert len(found) == len(expected)
