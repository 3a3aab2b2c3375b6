"""A bug becomes a file that a person can read and send: what broke where, and the newest lines of the log."""

from __future__ import annotations

import json
import platform
import threading
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.domain.errors import LinesideError

FOLDER_NAME = "crashes"
_LOG_LINES = 60
_KEPT = 50


class CrashReport:
    """One written report: its file (None when even that failed) and its text."""

    def __init__(self, error: BaseException, file: Path | None, text: str) -> None:
        self.error = error
        self.file = file
        self.text = text


def write_report(data_dir: Path, error: BaseException, *, process: str) -> CrashReport:
    """Write what is known of a bug of `process` as JSON into the folder `crashes`, secrets blotted out.

    The newest fifty reports are kept, and each holds the newest lines of that process's log.
    """
    import structlog

    from app.journal_log import redact

    now = datetime.now(UTC)
    facts: dict[str, Any] = {
        "at": now.isoformat(),
        "process": process,
        "version": _version(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "error": f"{type(error).__name__}: {error}",
        "traceback": "".join(traceback.format_exception(error)),
        "log": _tail(data_dir / "logs" / f"{process}.jsonl"),
    }
    text = json.dumps(redact(None, "", facts), ensure_ascii=False, indent=1)
    folder = data_dir / FOLDER_NAME
    file: Path | None = folder / f"crash-{now:%Y%m%dT%H%M%S-%fZ}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        assert file is not None
        file.write_text(text, encoding="utf-8")
        for old in sorted(folder.glob("crash-*.json"))[:-_KEPT]:
            old.unlink()
    except OSError as failed:
        file = None
        structlog.get_logger().warning("crash_report_not_written", reason=str(failed))
    structlog.get_logger().error("bug", error=facts["error"], report=str(file), traceback=facts["traceback"])
    return CrashReport(error, file, text)


@contextmanager
def bugs_reported(data_dir: Path, *, process: str) -> Iterator[None]:
    """For a process without a window: what nobody caught, on any thread, becomes a report before it goes on its way."""

    def from_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            write_report(data_dir, args.exc_value, process=process)

    before, threading.excepthook = threading.excepthook, from_thread
    try:
        yield
    except LinesideError:
        raise
    except Exception as error:
        write_report(data_dir, error, process=process)
        raise
    finally:
        threading.excepthook = before


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lineside")
    except PackageNotFoundError:
        return "unpacked"


def _tail(file: Path) -> list[str]:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return [line.rstrip("\n") for line in deque(lines, _LOG_LINES)]
    except OSError:
        return []
