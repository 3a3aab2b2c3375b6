"""A world of stations for each test, closed at its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.conftest import ServerDatabase
from tests.sync.harness import World


@pytest.fixture
def world(server: ServerDatabase, tmp_path: Path) -> Iterator[World]:
    """A server with one account a role and no stations yet."""
    made = World(server, tmp_path)
    yield made
    made.close()
