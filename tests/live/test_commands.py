"""Values sent to a real Modbus machine: at once or never, exactly once, read back, answered in a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.domain.machine_news import WriteAnswered
from app.domain.plant import Equipment, Plant, Scale, Tag, Writing
from app.domain.samples import Value
from app.drivers import open_driver
from app.drivers.simulator import SimulatedPlant
from app.live.commands import Command, CommandDesk
from app.live.feed import Feed
from app.live.messages import Message
from app.live.source import MemoryPlantSource
from app.store.history import FILE_NAME, HistoryWriter
from app.store.machine_writes import WriteResult, WriteResults, read_write_results
from tests.drivers.odd_device import OddDevice, registers
from tests.live.conftest import collecting, until

FEED = "WELD-1/wire_feed"


class Wishes:
    """What people sent, in memory."""

    def __init__(self) -> None:
        self.sent: list[Command] = []
        self.handed = 0

    def commands(self, known: Container[str]) -> Sequence[Command]:
        news, self.handed = self.sent[self.handed :], len(self.sent)
        return [command for command in news if command.id not in known]

    def send(self, tag: str, value: Value, age: float = 0.0) -> str:
        number = len(self.sent) + 1
        at = datetime.now(UTC) - timedelta(seconds=age)
        self.sent.append(Command(number, f"write-{number}", tag, value, "anna", at))
        return f"write-{number}"


def writable(machines: SimulatedPlant, **more: object) -> Plant:
    """One welder alone, whose wire feed may be set between 0 and 2,000; it stands still but for that."""
    whole = machines.plant
    tags = tuple(
        replace(t, scan=0.1, **({"writing": Writing(0, 2000), **more} if t.name == FEED else {}))  # type: ignore[arg-type]  # fields of a tag, by name
        for t in whole.tags
        if t.equipment == "WELD-1"
    )
    return replace(
        whole, connections=tuple(c for c in whole.connections if c.name == "weld-1-modbus"), tags=tags
    )


async def answer(data_dir: Path, id: str) -> WriteResult:
    await until(lambda: read_write_results(data_dir / FILE_NAME, [id]))
    return read_write_results(data_dir / FILE_NAME, [id])[id]


async def test_a_value_is_sent_read_back_stored_and_told(
    modbus_machines: SimulatedPlant, data_dir: Path
) -> None:
    wishes, heard = Wishes(), list[Message]()
    listening = asyncio.create_task(Feed(data_dir, heard.append).run())
    async with collecting(
        MemoryPlantSource(writable(modbus_machines)), data_dir, commands=wishes
    ) as collector:
        await until(lambda: [s for s in collector.intake.latest() if s.tag == FEED])
        await until(lambda: heard)
        id = wishes.send(FEED, "1234")
        found = await answer(data_dir, id)
        assert (found.ok, found.read_back, found.tag) == (True, 1234, FEED), found.sentence
        assert found.sentence.startswith(f"{FEED} is now 1234")
        await until(lambda: [s.value for s in collector.intake.latest() if s.tag == FEED] == [1234])
        # Two at once to the same machine arrive in their order.
        wishes.send(FEED, 500)
        last = await answer(data_dir, wishes.send(FEED, 600))
        assert (last.ok, last.read_back) == (True, 600)
        await until(lambda: len([m for m in heard if isinstance(m, WriteAnswered)]) == 3)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    told = [m for m in heard if isinstance(m, WriteAnswered)]
    assert [(m.id, m.ok) for m in told] == [("write-1", True), ("write-2", True), ("write-3", True)]


async def test_a_scaled_value_is_sent_raw(modbus_machines: SimulatedPlant, data_dir: Path) -> None:
    wishes = Wishes()
    plant = writable(modbus_machines, scale=Scale(0, 1000, 0, 10), writing=Writing(0, 10))
    async with collecting(MemoryPlantSource(plant), data_dir, commands=wishes) as collector:
        await until(lambda: [s for s in collector.intake.latest() if s.tag == FEED])
        found = await answer(data_dir, wishes.send(FEED, 7.5))
        assert (found.ok, found.read_back) == (True, 7.5)
        driver = collector.links.driver_of("weld-1-modbus")
        assert driver is not None
        address = next(t.address for t in plant.tags if t.name == FEED)
        assert (await driver.read([address]))[0].value == 750


@pytest.mark.parametrize(
    ("tag", "value", "age", "said"),
    [
        (FEED, 2001, 0, "outside what may be sent"),
        (FEED, "fast", 0, "was not sent|is not a number"),
        ("WELD-1/voltage", 1, 0, "may not be written"),
        ("WELD-1/none", 1, 0, "no tag called"),
        (FEED, 100, 31, "has expired and was not sent"),
        (FEED, 100, -60, "The clock of the computer that sent this is .* s ahead of this station's"),
    ],
)
async def test_what_may_not_be_sent_is_not_and_is_answered(
    modbus_machines: SimulatedPlant, data_dir: Path, tag: str, value: Value, age: float, said: str
) -> None:
    wishes = Wishes()
    async with collecting(
        MemoryPlantSource(writable(modbus_machines)), data_dir, commands=wishes
    ) as collector:
        await until(lambda: [s for s in collector.intake.latest() if s.tag == FEED])
        before = next(s.value for s in collector.intake.latest() if s.tag == FEED)
        found = await answer(data_dir, wishes.send(tag, value, age))
        assert not found.ok
        with pytest.raises(AssertionError, match=said):
            raise AssertionError(found.sentence)
        assert next(s.value for s in collector.intake.latest() if s.tag == FEED) == before


async def test_a_command_for_a_machine_that_is_away_is_answered_and_not_kept_for_later(
    modbus_machines: SimulatedPlant, data_dir: Path
) -> None:
    wishes = Wishes()
    await modbus_machines.stop_modbus()
    async with collecting(
        MemoryPlantSource(writable(modbus_machines)), data_dir, commands=wishes
    ) as collector:
        await until(lambda: [s for s in collector.links.statuses() if s.attempts])
        found = await answer(data_dir, wishes.send(FEED, 100))
        assert not found.ok
        assert found.sentence.startswith("Nothing was sent: ")
        await modbus_machines.start_modbus()
        await modbus_machines.tick()
        await until(lambda: collector.links.driver_of("weld-1-modbus"))
        await until(lambda: [s for s in collector.intake.latest() if s.tag == FEED and s.good])
        assert next(s.value for s in collector.intake.latest() if s.tag == FEED) != 100


@contextmanager
def results(data_dir: Path) -> Iterator[WriteResults]:
    kept = WriteResults(data_dir / FILE_NAME)
    try:
        yield kept
    finally:
        kept.close()


async def test_a_command_under_way_when_the_collector_died_is_never_sent_again_and_said_to_be_unknown(
    modbus_machines: SimulatedPlant, data_dir: Path
) -> None:
    source, wishes = MemoryPlantSource(writable(modbus_machines)), Wishes()
    async with collecting(source, data_dir, commands=wishes):
        pass
    id = wishes.send(FEED, 100)
    with results(data_dir) as kept:
        assert kept.begin(id, 1, FEED, datetime.now(UTC))  # and then it was killed
    async with collecting(source, data_dir, commands=wishes) as collector:
        found = await answer(data_dir, id)
        assert not found.ok
        assert "unknown whether" in found.sentence
        await until(lambda: [s for s in collector.intake.latest() if s.tag == FEED])
        assert next(s.value for s in collector.intake.latest() if s.tag == FEED) != 100


async def test_a_write_is_taken_up_once(data_dir: Path) -> None:
    async with collecting(MemoryPlantSource(Plant()), data_dir):
        pass
    with results(data_dir) as kept:
        now = datetime.now(UTC)
        assert kept.begin("a", 7, "M/x", now)
        assert not kept.begin("a", 7, "M/x", now)
        kept.finish(WriteResult("a", "M/x", True, "It is.", now, "text"))
        assert (kept.last_number(), kept.unfinished()) == (7, [])
    assert read_write_results(data_dir / FILE_NAME, ["a", "b"])["a"].read_back == "text"
    assert read_write_results(data_dir / "none.sqlite", ["a"]) == {}


def test_a_tag_is_read_only_unless_somebody_said_otherwise() -> None:
    assert Tag("M/x", "M", "c", "hr:0").writing is None


async def test_a_command_that_grew_old_while_a_slow_machine_was_read_is_not_sent(data_dir: Path) -> None:
    now, asked = [datetime.now(UTC)], list[int]()

    def slow(transaction: int, unit: int, message: bytes) -> bytes:
        asked.append(message[0])
        now[0] += timedelta(seconds=20)
        return registers(transaction, unit, 7)

    async def on_disk(work: Callable[..., object], *arguments: object) -> object:
        return work(*arguments)

    HistoryWriter(data_dir / FILE_NAME).close()
    answers: list[WriteAnswered] = []
    with results(data_dir) as kept:
        async with OddDevice(slow) as device:
            connection = device.connection()
            driver = open_driver(connection)
            await driver.connect()
            desk = CommandDesk(
                clock=lambda: now[0],
                driver_of=lambda _: driver,
                why_silent=lambda _: "",
                on_disk=on_disk,
                on_answer=answers.append,
            )
            await desk.use(kept, set(), [])
            tag = Tag("M/x", "M", connection.name, "hr:0", writing=Writing())
            desk.follow(Plant((Equipment("M", "M"),), (connection,), (tag,)))
            desk.take([Command(1, "a", "M/x", 5, "anna", now[0] - timedelta(seconds=15))])
            await until(lambda: answers)
            await desk.end()
            await driver.close()
    assert "has expired and was not sent" in answers[0].sentence
    assert asked == [3]
