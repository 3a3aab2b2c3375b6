"""The live side of a window without a collector: tests tell it what a collector would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.domain.people import Actor
from app.operations.plant import apply_plant
from app.plant import House
from tests.ui.plant import connect, demo_plant
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk


@pytest.fixture
def bare_live(qtbot: QtBot, desk: Desk) -> Iterator[LiveDesk]:
    """A live desk over a store without machines."""
    live = LiveDesk(desk)
    yield live
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)
    live.close()
    live.deleteLater()


@pytest.fixture
def live(qtbot: QtBot, house: House, admin: Actor, bare_live: LiveDesk) -> LiveDesk:
    """A live desk that knows the demo plant and has just been welcomed by a collector."""
    house.door.perform(apply_plant(plant=demo_plant()), admin)
    bare_live.reload_plant()
    qtbot.waitUntil(lambda: bool(bare_live.plant.tags) and bare_live.desk.tasks.idle, timeout=5000)
    connect(bare_live)
    return bare_live
