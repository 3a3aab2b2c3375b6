"""`lineside history`: samples with and without corrections, files, figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.domain.samples import Quality, Sample
from app.store.history import FILE_NAME, HistoryWriter, Keeping
from tests.cli.conftest import Lineside

NOW = datetime.now(UTC).replace(microsecond=0)


def write(data_dir: Path) -> None:
    rules = Keeping(seal_after=timedelta(0), seal_least=10)
    with HistoryWriter(data_dir / FILE_NAME, keeping=rules) as writer:
        times = [NOW - timedelta(seconds=s) for s in range(600, 0, -1)]
        writer.write([Sample("M/x", t, t, 20.0, Quality.GOOD) for t in times])
        while writer.seal(NOW).more:
            pass


def test_samples_are_read_exported_and_counted(done: Lineside, data_dir: Path, tmp_path: Path) -> None:
    write(data_dir)
    assert len(done("history", "read", "M/x", "--json").json) == 600
    assert len(done("history", "read", "M/x", "--pixels", 5, "--raw", "--json").json) <= 5
    file = tmp_path / "out.csv"
    said = done("history", "export", file, "--tag", "M/x", "--step", "1m", "--json").json
    assert said["rows"] == 60
    assert len(file.read_text(encoding="utf-8-sig").splitlines()) == 61
    figures = done("history", "stats", "--json").json
    assert (figures["samples"], figures["rows"], figures["chunks"]) == (600, 1, 1)
    assert 0 < figures["bytes_per_sealed_sample"] < 5
    assert "600 samples of 1 tags" in done("history", "stats").out


def test_a_wrong_tag_step_or_file_is_refused(
    refused: Callable[..., str], data_dir: Path, tmp_path: Path
) -> None:
    write(data_dir)
    export = ("history", "export", tmp_path / "out.csv")
    assert "no samples of M/y" in refused(*export, "--tag", "M/y")
    assert "is no step" in refused(*export, "--tag", "M/x", "--step", "soon")
    assert "should end in" in refused("history", "export", tmp_path / "out.doc", "--tag", "M/x")
    assert not (tmp_path / "out.csv").exists()
