"""The log: one JSON object a line, no secrets, rotated."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from app.journal_log import BLOT, redact, start_logging


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
        {"url": "opc.tcp://u:geheim/1-geheim@10.0.0.1:4840/path"},
        {"url": "opc.tcp://u:1@geheim@10.0.0.1"},
        {"url": "postgresql://u:a/b@c/geheim:x@plant"},
        {"url": "redis://:geheim@plant"},
        {"error": ValueError("cannot reach opc.tcp://u:ge/geheim@h")},
        {"said": "connect(user='u', password='geheim, it is \\' geheim', port=1)"},
        {"said": 'connect {"password": "geheim geheim"}'},
        {"said": "host=h password=geheim@1,geheim user=u"},
        {"said": "Authorization: Bearer geheim"},
        {"said": "https://h/login?user=u&api_key=geheim"},
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


@pytest.mark.parametrize(
    "text",
    [
        "opc.tcp://10.0.0.1:4840/plant is lost",
        "opc.tcp://10.0.0.1:4840 refused; write to ada@plant",
        "the password is wrong, 3 passed",
    ],
)
def test_a_text_without_a_secret_is_logged_as_it_is(text: str) -> None:
    assert redact(None, "", {"event": text}) == {"event": text}


@pytest.mark.parametrize(
    "piece",
    [
        "://u:",
        "://",
        "a:",
        "password=",
        "password='",
        "password='\\",
        'token: "',
        "pass",
        " ",
        "@",
        "://u:x@",
    ],
)
def test_redacting_a_long_line_takes_time_in_proportion_to_its_length(piece: str) -> None:
    def seconds(length: int) -> float:
        entry = {"event": (piece * length)[:length]}
        start = time.process_time()
        redact(None, "", entry)
        return time.process_time() - start

    assert min(seconds(200_000) for _ in range(2)) < 20 * min(seconds(50_000) for _ in range(3)) + 0.05


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
