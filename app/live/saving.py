"""Puts samples and alarms on the disk, twice a second in whole batches; what the disk refuses is kept and told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from app.domain.alarms import Urgency
from app.domain.errors import WorldFault
from app.live.alarm_desk import AlarmDesk
from app.live.backlog import Backlog
from app.store.history import AlarmBatch, HistoryWriter

log = structlog.get_logger(__name__)

COMMIT_SECONDS = 0.4  # at most this much, and what a disk needs, is lost when the power goes
ALARM = "disk"
ALARM_SECONDS = 10.0  # a disk that refuses for a moment wakes nobody
IDLE_SECONDS = 5.0  # a collector with nothing to write still leaves a sign of life this often


def _nobody_asks(_batch: AlarmBatch) -> None:
    pass


class Saving:
    """`on_disk` runs blocking work on the thread of the history; `trouble` is why it is not written, or empty.

    `on_stored` is told what is on the disk now of alarms.
    """

    def __init__(
        self,
        backlog: Backlog,
        desk: AlarmDesk,
        clock: Callable[[], datetime],
        on_disk: Callable[..., Awaitable[object]],
        on_stored: Callable[[AlarmBatch], None] = _nobody_asks,
    ) -> None:
        self._on_stored = on_stored
        self._backlog, self._desk, self._clock, self._on_disk = backlog, desk, clock, on_disk
        self._writer: HistoryWriter | None = None
        self._committing = asyncio.Lock()
        self._committed = -IDLE_SECONDS
        self._since = 0.0
        self._ringing = False
        self._lost_before = 0, 0
        self.trouble = ""

    def use(self, writer: HistoryWriter) -> None:
        """From now on batches go here."""
        self._writer = writer

    async def keep_committing(self) -> None:
        """Commit again and again; a commit that is under way when the collector stops is finished."""
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            await asyncio.shield(asyncio.create_task(self.commit(), name="commit"))

    async def commit(self) -> None:
        """Put everything that waits on the disk; what the disk refuses is kept and tried again."""
        assert self._writer is not None
        async with self._committing:
            at = asyncio.get_running_loop().time()
            samples, alarms, now = self._backlog.take(), self._desk.take_batch(), self._clock()
            if not samples and not alarms and at - self._committed < IDLE_SECONDS:
                return
            try:
                await self._on_disk(self._writer.write, samples, alarms, now)
            except WorldFault as fault:
                self._backlog.give_back(samples)
                self._desk.give_back(alarms)
                self._tell(fault.sentence)
                return
            except BaseException:
                self._backlog.give_back(samples)
                self._desk.give_back(alarms)
                raise
            self._committed = at
            self._tell("")
            if alarms:
                self._on_stored(alarms)

    def _tell(self, trouble: str) -> None:
        if trouble and not self.trouble:
            self._since = asyncio.get_running_loop().time()
            log.warning("history not written", reason=trouble)
        elif self.trouble and not trouble:
            log.info("history written again", given_up=self._backlog.given_up)
        self.trouble = trouble

    def judge(self) -> None:
        """Ring while the disk refuses for long or values are lost, and say how many; call it each second."""
        values, lines = self._backlog.given_up, self._desk.given_up
        lost, lost_lines = values - self._lost_before[0], lines - self._lost_before[1]
        lasting = self.trouble and asyncio.get_running_loop().time() - self._since >= ALARM_SECONDS
        if self.trouble and (lost or lost_lines or lasting):
            urgency = Urgency.CRITICAL if lost else Urgency.WARNING
            count = f" {lost:,} of the oldest values had to be given up." if lost else ""
            count += f" {lost_lines:,} of the oldest entries about alarms are lost." if lost_lines else ""
            self._desk.raise_system(ALARM, f"{self.trouble}{count}", urgency, priority=1 if lost else 2)
            self._ringing = True
        elif self._ringing and not self.trouble:
            self._ringing = False
            self._lost_before = values, lines
            self._desk.clear_system(ALARM)
