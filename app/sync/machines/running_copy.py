"""Which copy of a station's data folder this is, and which run of its collector: two must not drive one machine."""

from __future__ import annotations

import json
import os
import platform
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, TextIO
from uuid import UUID, uuid4

import structlog

log = structlog.get_logger(__name__)

FILE_NAME = "collector.copy"
_RUNS_KEPT = 20
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


@dataclass(frozen=True, slots=True)
class Marks:
    """`copy` is this folder on this computer, `run` this run, `after` those before it in the very same folder."""

    copy: UUID
    run: UUID
    after: tuple[UUID, ...] = ()


class RunningCopy:
    """The marks of a data folder; asked for only while the lock of its collector is held, since that ends a run.

    They stand in a file that is known again by its number on the disk and by the computer: a folder that was copied,
    restored or moved to another computer is another copy. One that was only renamed is the same.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE_NAME
        self._lock = Lock()
        self._marks: Marks | None = None

    def marks(self) -> Marks:
        """Those of this run, made and kept when first asked for; blocks.

        A disk that does not take them is no reason not to collect: then the next run waits a little longer.
        """
        with self._lock:
            if self._marks is None:
                try:
                    descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
                    with os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace") as file:
                        self._next(file)
                except OSError as error:
                    log.warning("this run of the collector is not noted", reason=str(error))
            return self._marks or self._made(Marks(uuid4(), uuid4()))

    def _made(self, marks: Marks) -> Marks:
        self._marks = marks
        return marks

    def run(self) -> UUID:
        """This run."""
        return self.marks().run

    def _next(self, file: TextIO) -> None:
        """In place, so that the file keeps its number."""
        place = {"computer": _computer(), "number": os.fstat(file.fileno()).st_ino}
        known = _read(file.read())
        if known is not None and {key: known[key] for key in place} == place:
            after = tuple(UUID(run) for run in known["runs"])
            marks = self._made(Marks(UUID(known["copy"]), uuid4(), after))
        else:
            if known is not None:
                log.warning("this data folder is a copy of another, or was moved here")
            marks = self._made(Marks(uuid4(), uuid4()))
        runs = [str(run) for run in (*marks.after, marks.run)][-_RUNS_KEPT:]
        file.seek(0)
        json.dump({"copy": str(marks.copy), "runs": runs, **place}, file)
        file.truncate()


def _read(text: str) -> dict[str, Any] | None:
    """What an earlier run left; None for nothing, and for what was cut off."""
    with suppress(ValueError, KeyError, TypeError):
        found: dict[str, Any] = json.loads(text)
        known = [UUID(one) for one in (found["copy"], *found["runs"])]
        return found if known and found.keys() >= {"computer", "number"} else None
    return None


def _computer() -> str:
    """A name of this computer that a copy of its disk on another one mostly does not have."""
    for file in _MACHINE_IDS:
        with suppress(OSError):
            return file.read_text(encoding="ascii").strip()
    if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
        import winreg

        with (
            suppress(OSError),
            winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key,
        ):
            return str(winreg.QueryValueEx(key, "MachineGuid")[0])
    return platform.node()
