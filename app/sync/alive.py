"""Whether the sync process that wrote a status still runs."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.store.processes import process_lives
from app.sync.status import SyncStatus

SILENT_AFTER = timedelta(seconds=30)
"""A running process writes its status every five seconds."""


def is_alive(status: SyncStatus, now: datetime) -> bool:
    """It says so when it ends, and is gone when its process is; one that hangs writes no more.

    The time counts besides the process id: that may belong to another program by now.
    """
    if not status.pid or status.written_at is None or now - status.written_at > SILENT_AFTER:
        return False
    return process_lives(status.pid)
