"""A workshop floor for each test: one welder that really talks, one server that is really there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.drivers.simulator import SimulatedPlant
from tests.live.conftest import standing_still
from tests.sync.conftest import ServerDatabase
from tests.sync.machines.shop_floor import Floor, welder


@pytest.fixture
async def machines() -> AsyncIterator[SimulatedPlant]:
    """The Modbus machines of the demo plant, standing still."""
    async with standing_still() as plant:
        yield plant


@pytest.fixture
def floor(server: ServerDatabase, machines: SimulatedPlant, tmp_path: Path) -> Floor:
    """Stations may be opened on it; a holder counts as gone after two seconds."""
    made = Floor(server, welder(machines), tmp_path)
    made.silence(2)
    return made
