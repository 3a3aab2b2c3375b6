"""Garbage with widgets in it dies on the GUI thread."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from ui.window.garbage import GarbageRounds


class _Traced(QObject):
    died_on: list[threading.Thread] = []  # noqa: RUF012 - what outlives the objects

    def __init__(self) -> None:
        super().__init__()
        self.itself = self

    def __del__(self) -> None:
        self.died_on.append(threading.current_thread())


@pytest.fixture
def rounds(qtbot: QtBot) -> Iterator[GarbageRounds]:
    made = GarbageRounds()
    yield made
    made._timer.stop()
    made.deleteLater()
    gc.unfreeze()


def test_a_cycle_with_a_qt_object_is_collected_on_the_gui_thread(rounds: GarbageRounds, qtbot: QtBot) -> None:
    _Traced.died_on.clear()
    _Traced()

    def allocate() -> None:
        kept: list[list[int]] = [[] for _ in range(100_000)]
        del kept

    worker = threading.Thread(target=allocate)
    worker.start()
    worker.join()
    assert _Traced.died_on == []
    filler: list[list[int]] = [[] for _ in range(2000)]
    qtbot.waitUntil(lambda: bool(_Traced.died_on), timeout=20_000)
    del filler
    assert _Traced.died_on == [threading.main_thread()]
