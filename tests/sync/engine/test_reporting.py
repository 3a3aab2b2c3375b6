"""A status that cannot be written is said once, and again when it is another trouble."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from app.plant import opened_house
from app.sync.reporting import Reporter
from app.sync.snapshot import many
from app.sync.status import FILE_NAME, OFFLINE, read_status


def test_a_file_in_the_way_is_told_once_and_the_status_follows_when_it_is_gone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with opened_house(tmp_path) as house, capture_logs() as logs:
        report = Reporter(tmp_path, house.store, house.door.clock)
        report.begin(state=OFFLINE)
        report.write(at_once=True)
        assert [entry["event"] for entry in logs] == ["the status cannot be written"]
        assert read_status(tmp_path) is None
        (tmp_path / FILE_NAME).rmdir()
        report.write(at_once=True)
        told = read_status(tmp_path)
        assert told is not None
        assert told.state == OFFLINE


def test_several_rows_have_a_name_that_people_use() -> None:
    assert many("work_order") == "work orders"
    assert many("equipment") == "machines"
