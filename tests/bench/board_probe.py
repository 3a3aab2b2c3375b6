"""The stage board in a process of its own: a key moves a card, and the clock runs until the moved card is painted.

`python -m tests.bench.board_probe FOLDER USER ROUNDS` prints the seconds of each round as JSON: until the change was
committed, until the card stood painted in its new state.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
from sqlalchemy import select

from app.domain.people import Actor
from app.plant import opened_house
from app.store.tables import UserAccount
from ui.bridge.desk import Desk
from ui.screens.board import BoardScreen
from ui.tasks import Tasks
from ui.theme import install_theme


class Rounds(QObject):
    """Presses “next step” on one card after the other, as soon as the last one was painted."""

    def __init__(self, screen: BoardScreen, desk: Desk, rounds: int) -> None:
        super().__init__()
        self._screen, self._rounds = screen, rounds
        self._used: set[str] = set()
        self._began = self._committed = 0.0
        self._status: object = None
        self._card = ""
        self.seconds: list[dict[str, float]] = []
        desk.performed.connect(self._on_performed)
        screen.view.viewport().installEventFilter(self)
        self._next = QTimer(self, singleShot=True, interval=100)
        self._next.timeout.connect(self._press)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self._painted)
        return False

    def _painted(self) -> None:
        if not self._card:
            if self._screen.model.board.orders and not self._next.isActive():
                self._next.start()
        elif self._committed and self._status_of(self._card) != self._status:
            now = time.perf_counter()
            self.seconds.append({"committed": self._committed - self._began, "painted": now - self._began})
            self._card, self._committed = "", 0.0
            self._next.start()

    def _press(self) -> None:
        if len(self.seconds) >= self._rounds:
            QApplication.quit()
            return
        cards = (card for column in self._screen.view.columns() for card in column.cards)
        self._card = next(
            card.key for card in cards if card.key not in self._used and not card.disabled_reason
        )
        self._used.add(self._card)
        self._status = self._status_of(self._card)
        self._screen.view.set_current_card(self._card)
        self._began = time.perf_counter()
        self._screen.work.advance()

    def _status_of(self, card: str) -> object:
        order = self._screen.model.order(card)
        stage = order.current if order is not None else None
        return None if stage is None else (stage.name, stage.status)

    def _on_performed(self, _outcome: Any) -> None:
        self._committed = time.perf_counter()


def main(folder: Path, name: str, rounds: int) -> None:
    """Show the board, play the rounds, print what they took."""
    app = QApplication(sys.argv[:1])
    install_theme(app)
    with opened_house(folder) as house:
        with house.store.reader() as session:
            account = session.execute(select(UserAccount).where(UserAccount.name == name)).scalar_one()
            actor = Actor(account.id, account.name, account.role)
        tasks = Tasks()
        desk = Desk(house, tasks)
        desk.set_actor(actor)
        screen = BoardScreen(desk)
        screen.resize(1366, 768)
        played = Rounds(screen, desk, rounds)
        screen.show()
        screen.refresh()
        app.exec()
        desk.close()
        tasks.close()
    sys.stdout.write(json.dumps({"rounds": played.seconds}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
