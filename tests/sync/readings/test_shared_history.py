"""The history of a machine is read where it is: from this computer's file, from the server, or from both."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.domain.errors import WorldFault
from app.domain.samples import Quality, Sample
from app.plant import open_house
from app.store.history import FILE_NAME, HistoryReader
from app.store.history.export import Signal, export_history
from app.store.read_only import ReadOnlyStore
from app.store.sessions import STORE_NAME
from app.sync.machines.lease_book import Held, LeaseBook
from app.sync.machines.shared_history import SharedHistory
from app.sync.membership import Address, keep_address
from tests.sync.conftest import ServerDatabase
from tests.sync.readings.stand import START, Station

SPAN = timedelta(minutes=10)


def make_tag(folder: Path, name: str = "M/x") -> UUID:
    """A tag in the store of a folder; returns the id of its connection."""
    open_house(folder).close()
    equipment, connection, tag = (uuid4() for _ in range(3))
    with closing(sqlite3.connect(folder / STORE_NAME)) as db:
        for table, values in (
            ("equipment", {"id": equipment, "code": "M", "name": "M", "area": "", "type": "", "in_maintenance": 0}),
            ("connection", {"id": connection, "name": "m", "driver": "opcua", "url": "x", "settings": "{}"}),
            (
                "tag",
                {
                    "id": tag, "name": name, "equipment_id": equipment, "connection_id": connection,
                    "address": "a", "unit": "", "settings": "{}",
                },
            ),
        ):  # fmt: skip
            row = {**values, "version": 1, "deleted": 0}
            stored = [v.hex if isinstance(v, UUID) else v for v in row.values()]
            db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", stored)
        db.commit()
    return connection


def at(seconds: float, value: float) -> Sample:
    moment = START + timedelta(seconds=seconds)
    return Sample("M/x", moment, moment, value, Quality.GOOD)


class Desk:
    """Station 08, which reads what 07 collected."""

    def __init__(self, folder: Path, server: ServerDatabase) -> None:
        self.station = Station(folder / "08", server, "08")
        self.folder = self.station.folder
        self.connection = make_tag(self.folder)
        keep_address(self.folder, Address("08", server.station_url("08"), "test"))
        self.store = ReadOnlyStore(self.folder)
        self.local = HistoryReader(self.folder / FILE_NAME)
        self.history = SharedHistory(self.local, self.folder, self.store.reader, self.station.line)

    def held_by(self, station: str, epoch: int = 1) -> None:
        book = LeaseBook(self.folder)
        book.learn({self.connection: Held(epoch, station)})
        book.keep("08")

    def values(self) -> list[object]:
        return [sample.value for sample in self.history.samples("M/x", START, START + SPAN)]

    def curve(self, pixels: int = 600) -> list[float]:
        found: list[float] = self.history.buckets("M/x", START, START + SPAN, pixels).max.tolist()
        return found

    def close(self) -> None:
        self.history.close()
        self.local.close()
        self.store.close()


@pytest.fixture
def desk(tmp_path: Path, server: ServerDatabase) -> Iterator[Desk]:
    desk = Desk(tmp_path, server)
    yield desk
    desk.close()


@pytest.fixture
def other(tmp_path: Path, server: ServerDatabase) -> Station:
    """Station 07, whose samples are on the server."""
    station = Station(tmp_path / "07", server)
    station.write([at(s, 7.0) for s in range(60)])
    station.forward_all()
    return station


def test_the_machine_of_another_station_is_read_from_the_server(desk: Desk, other: Station) -> None:
    desk.held_by("07")
    assert desk.values() == desk.curve() == [7.0] * 60
    before = desk.history.before("M/x", START + timedelta(seconds=30))
    assert before is not None
    assert before.source_time == START + timedelta(seconds=29)


def test_an_own_machine_is_read_here_without_asking_the_server(desk: Desk, other: Station) -> None:
    desk.held_by("08")
    desk.station.write([at(-5, 8.0), at(10, 8.5)])
    desk.station.down = True
    assert desk.values() == desk.curve() == [8.5]


def test_what_was_before_a_machine_was_taken_over_comes_from_the_server(desk: Desk, other: Station) -> None:
    desk.held_by("08")
    desk.station.write([at(30 + s, 8.0) for s in range(40)])
    assert desk.values() == desk.curve() == [7.0] * 30 + [8.0] * 40
    desk.station.down = True
    desk.history.close()
    assert desk.values() == [8.0] * 40


def test_offline_what_is_here_is_shown_and_otherwise_a_sentence(desk: Desk, other: Station) -> None:
    desk.held_by("07")
    desk.station.down = True
    for ask in (desk.values, desk.curve):
        with pytest.raises(
            WorldFault,
            match=r"M/x is collected by station 07; its history is on the server\. The cable is out\.",
        ):
            ask()
    desk.station.write([at(30, 8.0)])
    assert desk.values() == desk.curve() == [8.0]


def test_what_another_station_collected_between_two_times_of_our_own_is_not_missing(
    desk: Desk, other: Station
) -> None:
    desk.held_by("08", epoch=3)
    desk.station.write([at(s, 8.0) for s in (*range(-20, -10), *range(60, 90))])
    with desk.station.server.connect() as admin:
        admin.execute(
            "INSERT INTO sync.lease_term (connection, epoch, station, granted_at, why, ended_at) VALUES "
            "(%(c)s, 1, '08', %(a)s, 'free', %(b)s), (%(c)s, 2, '07', %(b)s, 'silent', %(d)s), "
            "(%(c)s, 3, '08', %(d)s, 'by hand', NULL)",
            {"c": desk.connection, "a": START - SPAN, "b": START, "d": START + timedelta(seconds=60)},
        )
    assert desk.values() == desk.curve() == [7.0] * 60 + [8.0] * 30
    newest = desk.history.before("M/x", START + timedelta(seconds=30))
    assert newest is not None
    assert newest.value == 7.0
    blocks = desk.history.blocks("M/x", START, START + SPAN)
    assert [s.value for block in blocks for s in block] == desk.values()


def test_an_export_has_what_another_station_collected_and_says_why_it_cannot(
    desk: Desk, other: Station, tmp_path: Path
) -> None:
    desk.held_by("07")
    file = tmp_path / "samples.csv"
    signals = [Signal("M/x", "mm")]
    assert export_history(desk.history, signals, START, START + SPAN, file) == 60
    assert len(file.read_text("utf-8").splitlines()) == 61
    assert export_history(desk.history, signals, START, START + SPAN, file, step=60.0) == 10
    desk.history.close()
    desk.station.down = True
    file.unlink()
    with pytest.raises(WorldFault, match=r"M/x is collected by station 07; its history is on the server\."):
        export_history(desk.history, signals, START, START + SPAN, file)
    assert not file.exists()


def test_blocks_of_the_server_leave_nothing_out_and_tell_nothing_twice(
    desk: Desk, other: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sync.machines.server_history._BLOCK", 7)
    other.write([at(20, float(n)) for n in range(20)])  # more of one instant than fit into a block
    other.forward_all()
    desk.held_by("07")
    blocks = list(desk.history.blocks("M/x", START, START + SPAN))
    assert len(blocks) > 8
    assert [s for block in blocks for s in block] == desk.history.samples("M/x", START, START + SPAN)
