"""What another process wrote shows, also when this one wrote in the same moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from uuid import UUID

from pytestqt.qtbot import QtBot

from ui.bridge.desk import EVERYTHING, Desk


def test_a_foreign_commit_beside_an_own_one_shows(
    qtbot: QtBot, desk: Desk, order: Callable[..., UUID]
) -> None:
    told: list[frozenset[str]] = []
    desk.changed.connect(told.append)
    order()
    with closing(sqlite3.connect(desk.house.folder / "lineside.sqlite")) as other, other:
        other.execute("UPDATE work_order SET note = 'from outside'")
    qtbot.waitUntil(lambda: EVERYTHING in told, timeout=5000)
