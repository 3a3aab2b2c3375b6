"""A data folder that was copied: of all copies of a station one at a time has its machines."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.sync.machines.running_copy import FILE_NAME as COPY_FILE
from app.sync.machines.running_copy import RunningCopy
from app.sync.server.address import connect
from tests.sync.conftest import ServerDatabase
from tests.sync.machines.shop_floor import FEED, WELDER, Floor, Station, until

SENTENCE = "Another copy of the data folder of station 01 is running and has its machines"


def copied(floor: Floor, name: str) -> Path:
    """The whole folder of station 01, as it is now."""
    return Path(shutil.copytree(floor.folder / "01", floor.folder / name))


def is_told(station: Station) -> bool:
    """Whether the window of a copy says why it has no machines."""
    link = station.links.get(WELDER)
    return link is not None and SENTENCE in link.sentence and not link.heard


async def test_a_copy_of_a_folder_has_no_machine_until_the_first_is_silent_and_then_the_first_has_none(
    floor: Floor,
) -> None:
    async with floor.station("01") as first:
        await until(lambda: first.drives)
        floor.send(FEED, 700)
        await until(lambda: first.shows(700))
        async with floor.station("01", folder=copied(floor, "copy")) as copy:
            await until(lambda: is_told(copy))
            await asyncio.sleep(3)  # longer than the silence after which a holder counts as gone
            sent = floor.send(FEED, 800)
            await until(lambda: sent in first.answers)
            assert first.answers[sent].ok, first.answers[sent].sentence
            assert sent not in copy.answers
            assert not copy.drives
            assert len(copy.collector.links) == 0
            assert floor.lease() == ("01", 1)
            first.collector.stop()
            await until(lambda: copy.drives, 30)
            assert floor.lease() == ("01", 2)
            async with floor.station("01") as again:
                await until(lambda: is_told(again))
                assert not again.drives
                assert len(again.collector.links) == 0
            nowhere = floor.server.station_url("01").replace(f":{floor.server.postgres.port}/", ":1/")
            async with floor.station("01", nowhere) as alone:  # it remembers what it was told
                await until(lambda: WELDER in alone.links)
                assert len(alone.collector.links) == 0
            assert copy.drives


async def test_a_restarted_collector_does_not_wait_for_itself(floor: Floor) -> None:
    floor.silence(3600)
    async with floor.station("01") as first:
        await until(lambda: first.drives)
    async with floor.station("01") as again:
        await until(lambda: again.drives)
        await until(lambda: again.collector.fellows.station == "01")
        sent = floor.send(FEED, 600)
        await until(lambda: sent in again.answers)
        assert again.answers[sent].ok, again.answers[sent].sentence
        assert floor.lease() == ("01", 1)


async def test_without_the_server_a_copy_reads_no_machine(floor: Floor) -> None:
    async with floor.station("01") as first:
        await until(lambda: first.drives)
    nowhere = floor.server.station_url("01").replace(f":{floor.server.postgres.port}/", ":1/")
    async with floor.station("01", nowhere, copied(floor, "copy")) as copy:
        await until(lambda: WELDER in copy.links)
        assert "was copied" in copy.links[WELDER].sentence
        assert len(copy.collector.links) == 0
    async with floor.station("01", nowhere) as first:
        await until(lambda: first.drives)


class Run:
    """One run of a collector of station 01 in some folder, asking by hand."""

    def __init__(self, server: ServerDatabase, copy: UUID, *after: UUID) -> None:
        if "01" not in server.stations:
            server.add_station("01")
        self.server = server
        self.db: psycopg.Connection[Any] = connect(server.station_url("01"))
        self.copy, self.run, self.after = copy, uuid4(), list(after)

    def ask(self, statement: str, *parameters: object) -> Any:
        row = self.db.execute(f"SELECT {statement}", parameters).fetchone()
        assert row is not None
        return row[0]

    def begin(self) -> str:
        """Why it may begin, or not."""
        told = self.ask("sync.begin_collecting(%s, %s, %s::uuid[])", self.copy, self.run, self.after)
        return f"{'yes' if told['granted'] else 'no'}, {told['why']}"

    def hang_up(self) -> None:
        """The session is over at the server too."""
        pid = self.db.info.backend_pid
        self.db.close()
        with self.server.connect() as other:
            while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
                time.sleep(0.01)


@pytest.fixture
def begin(server: ServerDatabase) -> Iterator[Callable[..., Run]]:
    """Makes runs, whose lines are hung up at the end."""
    made: list[Run] = []

    def make(copy: UUID | None = None, *after: UUID) -> Run:
        made.append(Run(server, copy or uuid4(), *after))
        return made[-1]

    yield make
    for run in made:
        run.db.close()


def let_pass(server: ServerDatabase, seconds: float) -> None:
    """As if so much time went by at the server."""
    with server.connect() as db:
        db.execute(
            "UPDATE sync.collector SET seen_at = seen_at - make_interval(secs => %(s)s),"
            " asked_since = asked_since - make_interval(secs => %(s)s)",
            {"s": seconds},
        )


def test_the_same_folder_goes_on_at_once_and_a_copy_waits_for_the_whole_silence(
    server: ServerDatabase,
    begin: Callable[..., Run],
) -> None:
    folder = uuid4()
    first = begin(folder)
    assert [first.begin(), first.begin()] == ["yes, free", "yes, own"]
    first.hang_up()
    second = begin(folder, uuid4(), first.run)
    assert second.begin() == "yes, again"
    copy = begin(uuid4(), first.run, second.run)
    assert copy.begin() == "no, copy"
    let_pass(server, 200)
    with server.connect() as db:  # the server, or the line of the copy, was away meanwhile
        db.execute("UPDATE sync.collector SET asked_at = asked_at - interval '40 seconds'")
    assert copy.begin() == "no, copy"
    let_pass(server, 200)
    assert copy.begin() == "yes, silent"
    assert [second.begin(), copy.begin()] == ["no, copy", "yes, own"]


def test_a_run_whose_line_nobody_hung_up_is_followed_and_sends_only_when_that_one_surely_does_not(
    server: ServerDatabase, begin: Callable[..., Run]
) -> None:
    """The power was out, or the server was restored from a backup: nothing of its session tells that it is over."""
    folder, machine = uuid4(), uuid4()
    first = begin(folder)
    first.begin()
    first.ask("sync.take_lease(%s, NULL, true, %s)", machine, first.run)
    second = begin(folder, first.run)
    assert second.begin() == "no, copy"
    let_pass(server, 40)
    assert second.begin() == "yes, again"
    held = second.ask("sync.holds_lease(%s, 1, %s)", machine, second.run)
    assert 60 < held["sends_in"] <= 95


def test_a_whole_computer_that_was_copied_waits_while_the_line_of_the_first_is_up(
    begin: Callable[..., Run],
) -> None:
    """Nothing tells the two folders from each other, but both cannot be alone."""
    folder = uuid4()
    before, first = begin(folder), begin(folder)
    assert before.begin() == "yes, free"
    first.after = [before.run]
    assert first.begin() == "no, copy"
    before.hang_up()
    assert first.begin() == "yes, again"
    clone = begin(folder, before.run, first.run)
    assert clone.begin() == "no, copy"


def test_the_machines_of_a_station_go_to_another_copy_under_new_epochs(
    server: ServerDatabase, begin: Callable[..., Run]
) -> None:
    machine, first = uuid4(), begin()
    first.begin()
    told = first.ask("sync.take_lease(%s, NULL, true, %s)", machine, first.run)
    assert (told["granted"], told["epoch"]) == (True, 1)
    copy = begin()
    copy.begin()
    let_pass(server, 200)
    assert copy.begin() == "yes, silent"
    held = copy.ask("sync.holds_lease(%s, 2, %s)", machine, copy.run)
    assert held["holds"]
    assert 10 < held["sends_in"] <= 15
    terms = copy.db.execute("SELECT epoch, station, ended_at IS NULL FROM sync.lease_term ORDER BY epoch")
    assert terms.fetchall() == [(1, "01", False), (2, "01", True)]


SPOKEN = (
    ("sync.take_lease(%s, NULL, true, %s)", uuid4()),
    ("sync.holds_lease(%s, 1, %s)", uuid4()),
    ("sync.put_live('{}', '{}', '{}', '{}', '{}', '{}', '{}', %s::jsonb, %s)", "[]"),
    ("sync.put_alarms(%s::jsonb, '{}', %s)", "[]"),
    ("sync.put_answers(%s::jsonb, %s)", "[]"),
    ("sync.open_stream(%s, 1, 1, %s)", uuid4()),
    ("sync.forward(%s, 1, 1, 1, '{1}', '{2026-01-01}', '{1}', '{0}', '{0}', NULL, NULL, %s)", uuid4()),
)


@pytest.mark.parametrize(("call", "what"), SPOKEN, ids=[call.partition("(")[0] for call, _ in SPOKEN])
def test_only_the_run_that_has_the_machines_speaks_for_the_station(
    begin: Callable[..., Run], call: str, what: object
) -> None:
    first, copy = begin(), begin()
    first.begin()
    copy.begin()
    for run in (copy.run, None):
        with pytest.raises(psycopg.Error, match=SENTENCE) as raised:
            copy.ask(call, what, run)
        assert raised.value.sqlstate == "SY006"
    if "forward" not in call:  # its stream is not open
        first.ask(call, what, first.run)


def test_a_folder_is_known_again_where_it_lies_and_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    first = RunningCopy(folder).marks()
    second = RunningCopy(folder).marks()
    assert (second.copy, second.after) == (first.copy, (first.run,))
    if os.name == "posix":
        assert (folder / COPY_FILE).stat().st_mode & 0o777 == 0o600
    folder = folder.rename(tmp_path / "there")
    assert RunningCopy(folder).marks().copy == first.copy
    shutil.copytree(folder, tmp_path / "copy")
    copy = RunningCopy(tmp_path / "copy").marks()
    assert copy.copy != first.copy
    assert copy.after == ()
    for broken in (b"", b"\xff", b"[]", b'{"copy": 1}'):
        (folder / COPY_FILE).write_bytes(broken)
        assert RunningCopy(folder).marks().after == ()
    gone = RunningCopy(tmp_path / "nowhere")
    assert gone.marks() == gone.marks(), "a disk that does not take them is no reason not to collect"
