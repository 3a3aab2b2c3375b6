"""A program with a desk that writes one order after the other and tells each that was confirmed, until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import UUID

from PySide6.QtWidgets import QApplication

from app.domain.people import THE_PLANT
from app.operations.change import Outcome
from app.operations.orders import create_work_order
from app.plant import open_house
from ui.bridge.desk import Desk
from ui.tasks import Tasks


class Writer:
    """Asks for the next order as soon as the last one is confirmed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def go_on(self) -> None:
        self._desk.perform(create_work_order(product="FRAME-M", quantity=1), owner=self._desk, done=self.tell)

    def tell(self, outcome: Outcome[UUID]) -> None:
        sys.stdout.write(f"{outcome.result}\n")
        sys.stdout.flush()
        self.go_on()


def main() -> None:
    application = QApplication([])
    desk = Desk(open_house(Path(sys.argv[1])), Tasks())
    desk.set_actor(THE_PLANT)
    writer = Writer(desk)
    for _ in range(4):
        writer.go_on()
    sys.exit(application.exec())


if __name__ == "__main__":
    main()
