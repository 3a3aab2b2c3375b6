"""Keeps an eye on the forwarding of samples: tells windows how it goes, and rings when too much waits for too long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from app.domain.forwarding import ForwardState
from app.live.alarm_desk import AlarmDesk
from app.live.forwarder import Forwarder
from app.live.messages import Forwarding, Message
from app.live.saving import Saving
from app.store.history import HistoryWriter

ALARM = "forwarding"
_SAY_AGAIN = timedelta(hours=1)  # the count in the sentence grows all the time
_BUSY = 5_000  # samples that wait for the disk when the collector has no time for anything else


class ForwardWatch:
    """`forwarder` is None where nothing is ever forwarded."""

    def __init__(self, forwarder: Forwarder | None, desk: AlarmDesk, saving: Saving) -> None:
        self._forwarder, self._desk, self._saving = forwarder, desk, saving
        self._said_at: datetime | None = None

    def begin(self, writer: HistoryWriter, waiting: Callable[[], int]) -> None:
        """Forwarding begins; `waiting` is how many samples wait for the disk."""
        if self._forwarder is not None:
            self._forwarder.begin(writer, lambda: bool(self._saving.trouble) or waiting() > _BUSY)

    def end(self) -> None:
        """Wait for what is under way."""
        if self._forwarder is not None:
            self._forwarder.end()

    def keep_from(self) -> tuple[int, int] | None:
        """The (epoch, n) of the first sample that must not be dropped yet."""
        return None if self._forwarder is None else self._forwarder.keep_from()

    def messages(self) -> list[Message]:
        """How it goes, for a window that comes new."""
        return [] if self._forwarder is None else [Forwarding(self._forwarder.figures())]

    def look(self, now: datetime) -> list[Message]:
        """How it goes, and whether to ring about it; call it every few seconds."""
        told = self.messages()
        if self._forwarder is not None:
            figures = self._forwarder.figures()
            backlog = figures.backlog(now) if figures.state is ForwardState.OFFLINE else ""
            if not backlog:
                self._said_at = None
                self._desk.clear_system(ALARM, now=now)
            elif self._said_at is None or abs(now - self._said_at) >= _SAY_AGAIN:
                self._said_at = now
                self._desk.raise_system(ALARM, backlog, priority=3, now=now)
        return told
