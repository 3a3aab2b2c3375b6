"""Looks at the history now and then for where each machine is heading; screens ask what was found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from app.domain.plant import Plant
from app.store.history import HistoryReader
from app.store.queries.outlook import Outlook, outlooks
from ui.tasks import Tasks

EVERY_MS = 120_000
REST = 20  # times as long as a look took: a plant of thousands of tags must not keep a worker busy
SOON_MS = 1_500  # after the plant was read: the first curves on the screen come before
_NOTHING = Outlook()


class OutlookKeeper(QObject):
    """Keeps the newest outlook of every tag; `changed` when it was read again."""

    changed = Signal()

    def __init__(
        self,
        tasks: Tasks,
        history: HistoryReader,
        clock: Callable[[], datetime],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._history, self._clock = tasks, history, clock
        self._plant = Plant()
        self._found: dict[str, Outlook] = {}
        self._took = QElapsedTimer()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.look)

    def follow(self, plant: Plant) -> None:
        """Watch the tags of another plant, from soon on."""
        self._plant = plant
        self._timer.start(SOON_MS)

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def of(self, tag: str) -> Outlook:
        """What is ahead of a tag; empty as long as nothing was found."""
        return self._found.get(tag, _NOTHING)

    @Slot()
    def look(self) -> None:
        """Read the history on a worker."""
        plant, history, now = self._plant, self._history, self._clock()
        self._took.start()
        midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        # Soon after midnight a day says nothing yet: what is counted goes back at least an hour.
        start = min(midnight, now - timedelta(hours=1)).astimezone(now.tzinfo)
        self._tasks.run(
            lambda: outlooks(history, plant.tags, start, now),
            self._take,
            owner=self,
            failed=self._not_read,
            key="outlook",
        )

    def _take(self, found: dict[str, Outlook]) -> None:
        self._found = found
        self._timer.start(max(EVERY_MS, REST * self._took.elapsed()))
        self.changed.emit()

    def _not_read(self, _error: BaseException) -> None:
        """A history that cannot be read now is told by whoever draws curves; here the next look tries again."""
        self._timer.start(EVERY_MS)
