"""Sounds for alarms that nobody has acknowledged: by priority, again and again, until somebody does or mutes them."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.domain.alarms import Urgency
from app.store.history import AlarmRecord
from ui.bridge.live import LiveDesk

EVERY_SECONDS = {1: 3.0, 2: 8.0, 3: 30.0}  # priority 4 is for the diagnosis and makes no sound
MUTE = timedelta(minutes=2)


class Sounder(Protocol):
    """What makes the sound."""

    def play(self, priority: int) -> Future[None]:
        """Begin to play the pattern of a priority."""
        ...

    def close(self) -> None:
        """Stop for good."""
        ...


class Annunciator(QObject):
    """Follows the alarms of one desk. Muting covers the alarms that sound now: a new or worse one is heard all
    the same.

    `changed` when it begins or ends to sound or to be muted; `failed` carries why this PC makes no sound, or nothing
    once it does again.
    """

    changed = Signal()
    failed = Signal(str)
    _played = Signal(object)

    def __init__(self, live: LiveDesk, sounder: Sounder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live, self._sounder = live, sounder
        self._muted: dict[str, Urgency] = {}
        self._muted_until: datetime | None = None
        self._priority: int | None = None
        self._fault = ""
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._sound)
        self._unmute = QTimer(self, singleShot=True)
        self._unmute.timeout.connect(self._mute_over)
        self._played.connect(self._on_played)
        live.alarms_changed.connect(self.look)

    @property
    def sounding(self) -> int | None:
        """The priority that is sounded, or None."""
        return self._priority

    @property
    def muted_seconds(self) -> float:
        """How long the mute still lasts; 0 when nothing is muted."""
        if self._muted_until is None:
            return 0.0
        return max(0.0, (self._muted_until - self._live.now()).total_seconds())

    @Slot()
    def look(self) -> None:
        """Sound the most urgent alarm that waits for somebody and is not muted."""
        waiting = [r for r in self._live.board.wanted() if r.phase.unacked and r.priority in EVERY_SECONDS]
        self._muted = {r.id: self._muted[r.id] for r in waiting if r.id in self._muted}
        if self._muted_until is not None and not self._muted:
            self._end_mute()
        loudest = min((r.priority for r in waiting if not self._is_muted(r)), default=None)
        before, self._priority = self._priority, loudest
        if loudest == before:
            return
        if loudest is None:
            self._again.stop()
        elif before is None or loudest < before:
            self._sound()
        self.changed.emit()

    def _is_muted(self, record: AlarmRecord) -> bool:
        """An alarm that has become worse since it was muted is heard."""
        return record.id in self._muted and record.urgency <= self._muted[record.id]

    def mute(self) -> None:
        """Two minutes of quiet for the alarms that wait now."""
        self._muted = {r.id: r.urgency for r in self._live.board.wanted() if r.phase.unacked}
        self._muted_until = self._live.now() + MUTE
        self._unmute.start(int(MUTE.total_seconds() * 1000))
        self.look()
        self.changed.emit()

    def test(self) -> None:
        """Let it be heard how a critical alarm sounds."""
        self._start(1)

    def stop(self) -> None:
        """Be silent from now on."""
        self._again.stop()
        self._unmute.stop()
        self._sounder.close()

    @Slot()
    def _mute_over(self) -> None:
        self._end_mute()
        self.look()
        self.changed.emit()

    def _end_mute(self) -> None:
        self._muted, self._muted_until = {}, None
        self._unmute.stop()

    @Slot()
    def _sound(self) -> None:
        if self._priority is not None:
            self._start(self._priority)
            self._again.start(int(EVERY_SECONDS[self._priority] * 1000))

    def _start(self, priority: int) -> None:
        self._sounder.play(priority).add_done_callback(self._played.emit)

    @Slot(object)
    def _on_played(self, future: Future[None]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        fault = str(error) if isinstance(error, OSError) else ""
        if error is not None and not fault:
            raise error
        if fault != self._fault:
            self._fault = fault
            self.failed.emit(fault)
