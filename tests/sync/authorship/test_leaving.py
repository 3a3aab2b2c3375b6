"""Leaving a server: what is unsent is spoken of, what stays can be read, and a new line brings the folder back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.domain.errors import Refused
from app.store.tables import WorkOrder
from app.sync.leaving import leave
from app.sync.membership import address_of
from app.sync.sole import sole_engine
from tests.sync.authorship.workshop import ADMIN, Place, joined, never, silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sync.conftest import ServerDatabase


HUT = "02"


@pytest.fixture
def hut(server: ServerDatabase, office: Place, tmp_path: Path) -> Iterator[Place]:
    """A station that no other test knows, so that it may get new passwords."""
    with joined(tmp_path / "hut", server.add_station(HUT), server.station_url(HUT)) as place:
        yield place


def test_a_station_leaves_only_when_everything_is_sent_and_comes_back_with_a_new_line(
    server: ServerDatabase, hut: Place
) -> None:
    folder, store = hut.house.folder, hut.house.store
    hut.log_in(ADMIN)
    hut.order()
    with pytest.raises(Refused, match="does not have 1 changes of this computer"):
        leave(folder, store)
    assert address_of(folder) is not None
    hut.sync()
    assert leave(folder, store) == HUT
    assert address_of(folder) is None
    assert "@" not in (folder / "secrets.toml").read_text()
    assert len(hut.rows(WorkOrder)) == 2
    with pytest.raises(Refused, match="shares no server"):
        leave(folder, store)
    hut.house.join(server.add_station(HUT), silent, never)
    hut.url = server.station_url(HUT)
    hut.log_in(ADMIN)
    hut.order()
    hut.sync()
    assert hut.verdicts()[-1] == ("done", "applied")


def test_what_was_not_sent_stays_when_a_station_leaves_anyway(server: ServerDatabase, hut: Place) -> None:
    hut.log_in(ADMIN)
    hut.order()
    leave(hut.house.folder, hut.house.store, anyway=True)
    assert hut.verdicts()[-1] == ("pending", "")
    hut.house.join(server.add_station(HUT), silent, never)
    hut.url = server.station_url(HUT)
    hut.sync()
    assert hut.verdicts()[-1] == ("done", "applied")


def test_nobody_leaves_while_a_sync_process_runs(hut: Place) -> None:
    with sole_engine(hut.house.folder), pytest.raises(Refused, match="syncs this data folder already"):
        leave(hut.house.folder, hut.house.store, anyway=True)
