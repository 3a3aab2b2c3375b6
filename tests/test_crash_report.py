"""Reports of bugs in processes without a window."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pytest

from app.crash_report import FOLDER_NAME, bugs_reported
from app.domain.errors import WorldFault


def reports(data_dir: Path) -> list[str]:
    """The errors that were reported, oldest first."""
    files = sorted((data_dir / FOLDER_NAME).glob("crash-*.json"))
    told = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    assert {report["process"] for report in told} <= {"sync"}
    return [report["error"] for report in told]


def test_a_bug_on_any_thread_is_reported_and_goes_on_its_way(
    tmp_path: Path, expected_errors: list[logging.LogRecord]
) -> None:
    def break_down() -> None:
        raise KeyError("on a thread")

    def work() -> None:
        thread = threading.Thread(target=break_down)
        thread.start()
        thread.join()
        raise ValueError("in the middle")

    before = threading.excepthook
    with pytest.raises(ValueError, match="in the middle"), bugs_reported(tmp_path, process="sync"):
        work()
    assert reports(tmp_path) == ["KeyError: 'on a thread'", "ValueError: in the middle"]
    assert threading.excepthook is before
    assert len(expected_errors) == 2


def test_a_fault_of_the_world_is_no_bug(tmp_path: Path) -> None:
    with pytest.raises(WorldFault), bugs_reported(tmp_path, process="sync"):
        raise WorldFault("The disk is full.")
    assert reports(tmp_path) == []
