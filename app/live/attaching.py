"""What can be learnt of a running collector from its file: its process, and whether the window behind it still is."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.live.stream import FILE_NAME
from app.store.processes import process_lives

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunningCollector:
    """`parent` is the window that started it; 0 when it is a service or was started by hand."""

    pid: int
    parent: int

    @property
    def orphan(self) -> bool:
        """Whether a window started it that is no more."""
        return self.parent > 0 and not process_lives(self.parent)


def running_collector(folder: Path) -> RunningCollector | None:
    """The collector that the folder's file speaks of; None when there is no such file."""
    try:
        found = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return RunningCollector(int(found["pid"]), int(found.get("parent", 0)))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def end_orphan(folder: Path) -> bool:
    """Ask the folder's collector to end when the window that started it is no more; whether it was asked.

    Call it only while that collector answers on its stream: a file that was left behind may name any process.
    """
    found = running_collector(folder)
    if found is None or not found.orphan:
        return False
    try:
        os.kill(found.pid, signal.SIGTERM)
    except OSError:
        return False
    log.info("collector of a lost window asked to end", pid=found.pid)
    return True
