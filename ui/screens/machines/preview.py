"""What the chosen addresses say right now, asked for once a second, with a short memory of each."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.errors import LinesideError
from ui.bridge.machine_talk import MachineTalk, Reading
from ui.bridge.rings import Ring
from ui.screens.machines.draft import Draft

EACH_MS = 1000


class Preview(QObject):
    """`ticked` after each answer and each failure; `trouble` is why nothing comes, empty while it does."""

    ticked = Signal()

    def __init__(self, draft: Draft, talk: MachineTalk, parent: QObject) -> None:
        super().__init__(parent)
        self._draft, self._talk = draft, talk
        self._waiting = False
        self.trouble = ""
        self._latest: dict[str, Reading] = {}
        self._rings: dict[str, Ring] = {}
        self._tick = QTimer(self, interval=EACH_MS)
        self._tick.timeout.connect(self.read)

    def start(self) -> None:
        """Begin to ask."""
        self._tick.start()
        self.read()

    def stop(self) -> None:
        """Ask no more."""
        self._tick.stop()

    def read(self) -> None:
        """Ask for all picks once, unless an answer is still awaited."""
        addresses = list(self._draft.picks)
        if not self._waiting and addresses:
            self._waiting = True
            self._talk.values(addresses, self._take, self._failed, owner=self)

    def _take(self, readings: list[Reading]) -> None:
        self._waiting, self.trouble = False, ""
        now = datetime.now(UTC).timestamp()
        for reading in readings:
            self._latest[reading.address] = reading
            value = reading.value
            known = isinstance(value, (bool, int, float))
            self._rings.setdefault(reading.address, Ring()).add(
                now, float(value) if known and value is not None else float("nan")
            )
        self.ticked.emit()

    def _failed(self, error: BaseException) -> None:
        self._waiting = False
        if not isinstance(error, LinesideError):
            raise error
        self.trouble = error.sentence
        self.ticked.emit()

    def latest(self, address: str) -> Reading | None:
        """The newest reading of an address."""
        return self._latest.get(address)

    def ring(self, address: str) -> Ring | None:
        """What was read of an address since it was chosen."""
        return self._rings.get(address)
