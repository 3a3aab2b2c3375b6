"""Alarms from the command line: what people do, the journal with its search and file, the load."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import openpyxl
import pytest

from app.domain.plant import AlarmSettings, Connection, Equipment, Limits, Plant, Tag
from app.domain.plant_file import dump_plant
from app.domain.samples import Sample
from app.live.alarm_desk import AlarmDesk
from app.live.source import AlarmAction
from app.live.store_source import StorePlantSource
from app.store.history import FILE_NAME, HistoryWriter
from app.store.read_only import ReadOnlyStore
from tests.cli.conftest import Lineside

TAG = Tag("OVEN-2/t", "OVEN-2", "plc", "hr:0", "°C", limits=Limits(hi=225), label="temperature")
PLANT = Plant((Equipment("OVEN-2", "Oven 2"),), (Connection("plc", "modbus-tcp", "tcp://10.0.0.9"),), (TAG,))


class Watch:
    """A collector without machines: one desk, one history, and the acts that people left in the store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.numbers = folder, count(1)
        self.desk = AlarmDesk(lambda _: UUID(int=next(self.numbers)), lambda _: None)
        self.now = datetime.now(UTC) - timedelta(minutes=5)
        self.desk.configure(PLANT, self.now)

    def see(self, value: float) -> None:
        self.now += timedelta(seconds=1)
        self.desk.observe(Sample(TAG.name, self.now, self.now, value, 0))
        self.store()

    def store(self) -> None:
        with HistoryWriter(self.folder / FILE_NAME) as writer:
            writer.write([], self.desk.take_batch())

    def follow(self) -> list[AlarmAction]:
        """Apply what people did."""
        store = ReadOnlyStore(self.folder)
        try:
            acts = list(StorePlantSource(store).alarm_actions(()))
        finally:
            store.close()
        self.desk.tick(datetime.now(UTC))
        for act in acts:
            self.desk.act(act)
        self.store()
        return acts


@pytest.fixture
def watch(shop: Path, done: Lineside, tmp_path: Path) -> Watch:
    file = tmp_path / "plant.yaml"
    file.write_text(dump_plant(PLANT), encoding="utf-8")
    done("plant", "apply", file, "--as", "technician")
    made = Watch(shop)
    made.see(231.0)
    return made


def test_an_alarm_goes_its_way_from_the_command_line(
    watch: Watch, done: Lineside, refused: Callable[..., str]
) -> None:
    (alarm,) = done("alarms", "--json").json
    assert (alarm["what"], alarm["key"]) == ("Oven 2 temperature high 231 °C (limit 225)", TAG.name)
    assert done("alarms", "ack", alarm["id"], "--comment", "on my way").out == (
        "Acknowledged Oven 2 temperature (limit alarm).\n"
    )
    watch.follow()
    assert done("alarms", "--json").json[0]["comment"] == "on my way"
    done("alarms", "shelve", TAG.name, "--minutes", "5", "--reason", "probe", "--once")
    done("alarms", "unshelve", TAG.name)
    done("alarms", "out-of-service", alarm["id"], "--reason", "new probe", "--permit", "P-17")
    watch.follow()
    (out,) = done("alarms", "--active", "--json").json
    assert (out["state"], out["reason"], out["permit"]) == ("out-of-service", "new probe", "P-17")
    done("alarms", "return", TAG.name)
    assert [act.verb.value for act in watch.follow()][-1] == "back-in-service"
    assert "does not latch" in refused("alarms", "reset", TAG.name)
    assert "does not latch" in refused("alarms", "reset", alarm["id"])
    assert done("alarms", "--json").json[0]["state"] == "unacknowledged"
    assert "no alarm cow" in refused("alarms", "out-of-service", "cow", "--reason", "x")


def test_only_an_alarm_that_latches_is_reset(watch: Watch, done: Lineside, tmp_path: Path) -> None:
    file = tmp_path / "latching.yaml"
    tag = replace(TAG, alarm=AlarmSettings(latching=True))
    file.write_text(dump_plant(replace(PLANT, tags=(tag,))), encoding="utf-8")
    done("plant", "apply", file)
    assert done("alarms", "reset", TAG.name).out == "Reset Oven 2 temperature (limit alarm).\n"
    assert [act.verb.value for act in watch.follow()] == ["reset"]


def test_the_journal_is_searched_narrowed_and_written_to_a_file(
    watch: Watch, done: Lineside, refused: Callable[..., str], tmp_path: Path
) -> None:
    done("alarms", "ack", TAG.name, "--comment", "=on my way", "--as", "operator")
    watch.follow()
    watch.see(20.0)
    events = [row["event"] for row in done("alarms", "journal", "--json").json]
    assert events == ["cleared", "acknowledged", "raised"]
    (found,) = done("alarms", "journal", "--search", "oven way", "--json").json
    assert (found["reason"], found["actor"]) == ("=on my way", "operator")
    assert len(done("alarms", "journal", "--event", "raised", "--event", "cleared", "--json").json) == 2
    assert done("alarms", "journal", "--to", "-1h").out == "Nothing happened to alarms in that time.\n"
    assert "no event rung" in refused("alarms", "journal", "--event", "rung")
    sheet, text = tmp_path / "journal.xlsx", tmp_path / "journal.csv"
    assert done("alarms", "journal", "--export", sheet, "--json").json["lines"] == 3
    rows = list(openpyxl.load_workbook(sheet).worksheets[0].iter_rows(values_only=True))
    assert rows[0][:4] == ("Time", "Event", "Machine", "Signal")
    assert rows[3][1:4] == ("raised", "Oven 2", "temperature")
    done("alarms", "journal", "--export", text, "--event", "acknowledged")
    with text.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1][-2:] == ["operator", "'=on my way"]
    assert "neither" in refused("alarms", "journal", "--export", tmp_path / "journal.pdf")


def test_the_load_says_what_is_too_much_and_who_says_so(watch: Watch, done: Lineside) -> None:
    for value in (20.0, 231.0) * 12:
        watch.see(value)
    report = done("alarms", "load", "--days", "1").out
    assert report.startswith("13 alarms from ")
    assert "! Most in ten minutes" in report
    assert "ISA-18.2, from memory of the standard" in report
    assert "13 × Oven 2 temperature (limit alarm) (100%)" in report
    figures = done("alarms", "load", "--json").json
    assert (figures["count"], figures["peak_window"], figures["chattering"]) == (13, 13, 11)
