"""The log: one JSON object a line, no secrets, rotated."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from app.journal_log import BLOT, start_logging


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Logging is the process's own; put it back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for handler in handlers:
        root.removeHandler(handler)
    own_level = logging.getLogger("lineside").level
    yield tmp_path
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger("lineside").setLevel(own_level)
    structlog.reset_defaults()


def _lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "test.jsonl").read_text(encoding="utf-8").splitlines()]


def test_each_event_is_one_json_line_with_its_time(folder: Path) -> None:
    start_logging(folder, process="test")
    structlog.get_logger().info("link_lost", machine="OVEN-2", attempts=3)
    (line,) = _lines(folder)
    assert (line["event"], line["machine"], line["attempts"], line["level"]) == (
        "link_lost",
        "OVEN-2",
        3,
        "info",
    )
    assert str(line["at"]).endswith("Z")


@pytest.mark.parametrize(
    "entry",
    [
        {"password": "geheim-1"},
        {"db": {"user": "x", "secret": "geheim-1"}},
        {"url": "postgresql://ada:geheim-1@plant/lineside"},
        {"urls": ["opc.tcp://u:geheim-1@10.0.0.1:4840"]},
        {"API_KEY": "geheim-1"},
        {"headers": [{"Authorization": "geheim-1"}]},
    ],
)
def test_a_secret_never_reaches_the_log(folder: Path, entry: dict[str, object]) -> None:
    start_logging(folder, process="test")
    structlog.get_logger().warning("connecting", **entry)
    text = (folder / "test.jsonl").read_text(encoding="utf-8")
    assert "geheim" not in text
    assert BLOT in text


def test_warnings_of_libraries_land_in_the_same_file_redacted(folder: Path) -> None:
    start_logging(folder, process="test")
    logging.getLogger("some.library").warning("cannot reach postgresql://ada:geheim-1@plant/db")
    text = (folder / "test.jsonl").read_text(encoding="utf-8")
    assert "cannot reach" in text
    assert "geheim" not in text


def test_files_are_rotated_and_old_ones_go(folder: Path) -> None:
    start_logging(folder, process="test", megabytes=1)
    for _ in range(90):
        structlog.get_logger().info("filler", words="x" * 100_000)
    sizes = {path.name: path.stat().st_size for path in folder.glob("test.jsonl*")}
    assert len(sizes) == 6
    assert all(size <= 1_000_000 for size in sizes.values())
