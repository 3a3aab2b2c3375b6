"""Keeps `sync.json` true: what the sync process is doing, written at most four times a second."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog

from app.domain.errors import LinesideError
from app.store.queries.conflicts import open_conflicts
from app.store.queries.unsent import unconfirmed
from app.store.sessions import Store
from app.sync.status import Progress, SyncStatus, write_status

log = structlog.get_logger(__name__)

_BETWEEN = 0.25
_ANYWAY = 5.0  # a status that is not renewed for half a minute is taken for that of a dead process


@dataclass
class Reporter:
    """The status of one process. `say` changes it, `write` puts it on the disk when it is time to."""

    folder: Path
    store: Store
    clock: Callable[[], datetime]
    now: SyncStatus = field(default_factory=SyncStatus)
    _written: SyncStatus | None = None
    _at: float = -_ANYWAY
    _trouble: str = ""

    def begin(self, **facts: Any) -> None:
        """The process runs; what it says stays as it was until something is known."""
        self.now = msgspec.structs.replace(self.now, pid=os.getpid(), since=self.clock(), **facts)
        self.count()
        self.write(at_once=True)

    def say(self, **facts: Any) -> None:
        """Something is different now; a new state counts from this moment."""
        if facts.get("state", self.now.state) != self.now.state:
            facts["since"] = self.clock()
        self.now = msgspec.structs.replace(self.now, **facts)

    def progress(self, what: str, done: int, total: int) -> None:
        """A long step goes on."""
        self.say(progress=Progress(what, done, total))
        self.write()

    def count(self) -> None:
        """Look at the store: what waits, what is in conflict."""
        with self.store.reader() as session:
            waiting, oldest = unconfirmed(session)
            self.say(to_send=waiting, oldest_pending_at=oldest, conflicts=open_conflicts(session))

    def write(self, *, at_once: bool = False) -> None:
        """Write what changed, not too often; and the same again now and then, as a sign of life."""
        passed = time.monotonic() - self._at
        due = self.now != self._written if passed >= _BETWEEN else False
        if not (at_once or due or passed >= _ANYWAY):
            return
        self._at, self._written = time.monotonic(), self.now
        try:
            write_status(self.folder, msgspec.structs.replace(self.now, written_at=self.clock()))
        except LinesideError as error:
            if error.sentence != self._trouble:
                log.warning("the status cannot be written", reason=error.sentence)
            self._trouble = error.sentence
        else:
            self._trouble = ""
