"""That one process at a time talks to the server in the name of a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.domain.errors import Refused, WorldFault
from app.store.filelock import FileLock

LOCK_NAME = "sync.lock"


class EngineElsewhere(Refused):
    """Another process does it."""


@contextmanager
def sole_engine(folder: Path) -> Iterator[None]:
    """Be the one; raises `EngineElsewhere` while another process is."""
    try:
        lock = FileLock(folder / LOCK_NAME)
    except OSError as error:
        raise WorldFault(f"The data folder {folder} cannot be written: {error.strerror}.") from error
    try:
        held = lock.held(0.0)
        try:
            held.__enter__()
        except WorldFault:
            raise EngineElsewhere(
                "Another Lineside syncs this data folder already; it does so by itself."
            ) from None
        try:
            yield
        finally:
            held.__exit__(None, None, None)
    finally:
        lock.close()
