"""Has the history seal and drop old samples, in small steps between the batches that are written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from app.domain.errors import LinesideError
from app.settings import Settings
from app.store.history import HistoryWriter, Keeping

log = structlog.get_logger(__name__)

STEP_SECONDS = 0.05  # how long one step keeps the disk's thread from the next batch
_BUSY, _IDLE = 0.2, 5.0  # s between two steps, with and without more to do
_AFTER_FAULT = 60.0


def keeping_of(settings: Settings) -> Keeping:
    """How the settings of this station want samples to be kept."""
    return Keeping(
        seal_after=timedelta(minutes=settings.history_seal_minutes),
        keep=timedelta(days=settings.history_keep_days),
        most_bytes=round(settings.history_max_gb * 1e9),
    )


async def keep_sealing(
    writer: HistoryWriter,
    on_disk: Callable[..., Awaitable[object]],
    clock: Callable[[], datetime],
    keep_from: Callable[[], tuple[int, int] | None] = lambda: None,
    *,
    careful_clock: Callable[[], datetime] | None = None,
) -> None:
    """Run until cancelled. A history that cannot be tidied is told of once and tried again; it is still written.

    `keep_from` is the (epoch, n) of the first sample that some other place still waits for. What is old enough to be
    dropped is judged by `careful_clock`, which a clock that is set wrong cannot hurry.
    """
    told = ""
    while True:
        pause = _IDLE
        try:
            drop_at = (careful_clock or clock)()
            for act, now, argument in (
                (writer.seal, clock(), STEP_SECONDS),
                (writer.drop_old, drop_at, keep_from()),
            ):
                done = await on_disk(act, now, argument)
                if getattr(done, "more", False):
                    pause = _BUSY
            told = ""
        except LinesideError as fault:
            if fault.sentence != told:
                log.warning("history not sealed", reason=fault.sentence)
            told, pause = fault.sentence, _AFTER_FAULT
        await asyncio.sleep(pause)
