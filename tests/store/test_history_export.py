"""Files of the history: every sample or means of steps, in three kinds of file, whole or not at all."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from app.domain.corrections import Correction, CorrectionKind
from app.domain.errors import Refused
from app.domain.samples import Quality
from app.store.history import HistoryReader, HistoryWriter, export_files
from app.store.history.export import Signal, Telling, export_history
from tests.store.test_history_sealing import SOON, T0, at, moment, seal_all

EAST = timezone(timedelta(hours=2))
SIGNALS = [Signal("M/x", "°C"), Signal("M/mode")]


@pytest.fixture
def history(tmp_path: Path) -> HistoryReader:
    """Two minutes of a number, half of them sealed, and a text that looks like a formula."""
    path = tmp_path / "history.sqlite"
    with HistoryWriter(path, keeping=SOON) as writer:
        writer.write([at(s, s / 10) for s in range(60)] + [at(30, "=1+1", tag="M/mode")])
        seal_all(writer)
        writer.write([at(s, s / 10) for s in range(60, 120)] + [at(120, None, Quality.BAD_NO_COMMUNICATION)])
    return HistoryReader(path)


def written(history: HistoryReader, file: Path, **options: Any) -> int:
    with history:
        return export_history(history, SIGNALS, T0, moment(600), file, zone=EAST, **options)


def csv_rows(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.reader(opened))


def test_a_csv_file_has_every_sample_with_both_times_unit_and_quality(
    history: HistoryReader, tmp_path: Path
) -> None:
    file = tmp_path / "out.csv"
    assert written(history, file) == 122
    rows = csv_rows(file)
    assert rows[0] == ["time_utc", "time_local", "tag", "value", "unit", "quality", "corrected"]
    assert rows[1] == [
        "2026-03-04T00:00:00.000000Z",
        "2026-03-04 02:00:00.000000",
        "M/x",
        "0.0",
        "°C",
        "good",
        "False",
    ]
    assert rows[121][3:6] == ["", "°C", "no connection to the machine"]
    assert rows[122][2:4] == ["M/mode", "'=1+1"]


def test_a_workbook_and_a_parquet_file_hold_the_same(history: HistoryReader, tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    book, table = tmp_path / "out.xlsx", tmp_path / "out.parquet"
    assert written(history, book) == written(history, table) == 122
    opened = openpyxl.load_workbook(book)
    try:
        (sheet,) = opened.worksheets
        rows = list(sheet.iter_rows(values_only=True))
        assert sheet["D123"].data_type == "s"
    finally:
        opened.close()
    assert rows[61][:4] == (moment(60).replace(tzinfo=None), moment(7260).replace(tzinfo=None), "M/x", 6.0)
    assert rows[122][3] == "=1+1"
    columns = parquet.read_table(table).to_pydict()
    assert columns["time_utc"][60] == datetime(2026, 3, 4, 0, 1, tzinfo=UTC)
    assert (columns["value"][60], columns["value_text"][121], columns["value"][120]) == (6.0, "=1+1", None)


def test_means_of_steps_stand_side_by_side_and_the_last_step_may_be_short(
    history: HistoryReader, tmp_path: Path
) -> None:
    file = tmp_path / "out.csv"
    with history:
        assert export_history(history, SIGNALS, T0, moment(90), file, step=60, zone=UTC) == 2
    assert csv_rows(file)[0][2:] == ["M/x [°C]", "M/mode"]
    assert [[float(row[2]), row[3]] for row in csv_rows(file)[1:]] == [
        [pytest.approx(2.95), ""],
        [pytest.approx(7.45), ""],
    ]


def test_corrections_are_laid_over_and_told(history: HistoryReader, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    layer = {"M/x": [Correction("M/x", moment(10), moment(20), CorrectionKind.OFFSET, 100.0)]}
    written(history, file, corrections=layer)
    assert csv_rows(file)[11][3:] == ["101.0", "°C", "good", "True"]


def test_a_stopped_or_refused_export_leaves_the_old_file_and_nothing_else(
    history: HistoryReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("out.csv", "out.xlsx", "out.parquet"):
        (folder / name).write_text("older")
        with pytest.raises(Refused, match="stopped"):
            written(history, folder / name, telling=Telling(cancelled=lambda: True))
    monkeypatch.setattr(export_files, "SHEET_ROWS", 11)
    with pytest.raises(Refused, match="more than the 50 rows"):
        written(history, folder / "out.xlsx")
    with pytest.raises(Refused, match="should end in"):
        written(history, folder / "out.pdf")
    with pytest.raises(Refused, match="step"):
        written(history, folder / "out.csv", step=-1)
    assert {file.name: file.read_text() for file in folder.iterdir()} == dict.fromkeys(
        ("out.csv", "out.xlsx", "out.parquet"), "older"
    )


def test_rows_beyond_one_sheet_go_on_in_the_next(
    history: HistoryReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_files, "SHEET_ROWS", 101)
    written(history, tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    try:
        assert [sheet.max_row for sheet in book] == [101, 23]
    finally:
        book.close()


def test_progress_is_told_up_to_the_end(history: HistoryReader, tmp_path: Path) -> None:
    shares: list[float] = []
    written(history, tmp_path / "out.csv", step=10, telling=Telling(progress=shares.append))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
