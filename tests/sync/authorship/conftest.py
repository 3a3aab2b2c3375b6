"""A server whose people come from one workshop, and a second station beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.sync.authorship.workshop import Place, furnish, joined

if TYPE_CHECKING:
    from tests.sync.conftest import ServerDatabase


@pytest.fixture
def office(server: ServerDatabase, tmp_path: Path) -> Iterator[Place]:
    """Station 01, which brought three people and one order."""
    folder = tmp_path / "office"
    furnish(folder)
    line = server.add_station("01", bring_data=True)
    with joined(folder, "01", line, server.station_url("01")) as place:
        yield place


@pytest.fixture
def hall(server: ServerDatabase, office: Place, tmp_path: Path) -> Iterator[Place]:
    """Station 07, which came with an empty folder."""
    with joined(tmp_path / "hall", "07", server.add_station("07"), server.station_url("07")) as place:
        yield place
