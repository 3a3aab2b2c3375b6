"""A window's surroundings for every test of a screen: a theme, an open store, a person at the desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PySide6.QtWidgets import QApplication

from app.domain.people import Actor, Role
from app.operations.orders import create_work_order
from app.operations.people import add_user, create_first_admin
from app.plant import House, open_house
from app.sync.status import ONLINE, SyncStatus, write_status
from tests.parking import Parking
from ui.bridge import sync_status
from ui.bridge.desk import Desk
from ui.tasks import Tasks
from ui.theme import Density, Theme, install_theme
from ui.window.desktop import Desktop
from ui.window.open_desk import OpenDesk
from ui.window.opening import Opened

PASSWORD = "correct horse 7"


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """The theme of the process, light and at desk density."""
    made = Theme.installed or install_theme(qapp, "light")
    made.set_scheme("light")
    made.set_density(Density.DESK)
    yield made
    made.set_scheme("light")
    made.set_density(Density.DESK)


@pytest.fixture
def house(data_dir: Path) -> Iterator[House]:
    """An open data folder."""
    opened = open_house(data_dir)
    yield opened
    opened.close()


@pytest.fixture
def admin(house: House) -> Actor:
    """The first account."""
    nobody = Actor(None, "setup", Role.ADMIN)
    user_id = house.door.perform(create_first_admin(name="Ada Boss", password=PASSWORD), nobody).result
    return Actor(user_id, "Ada Boss", Role.ADMIN)


@pytest.fixture
def desk(qapp: QApplication, theme: Theme, house: House, admin: Actor) -> Iterator[Desk]:
    """A desk with an admin logged in."""
    tasks = Tasks()
    made = Desk(house, tasks)
    made.set_actor(admin)
    yield made
    made.close()
    tasks.close()
    made.deleteLater()
    tasks.deleteLater()


@pytest.fixture
def as_role(desk: Desk, house: House, admin: Actor) -> Callable[[Role], Actor]:
    """Puts a fresh person with a role at the desk."""

    def switch(role: Role) -> Actor:
        name = f"Some {role.value}"
        added = house.door.perform(add_user(name=name, role=role, password=PASSWORD), admin).result
        user_id = added if isinstance(added, UUID) else added[0]
        actor = Actor(user_id, name, role)
        desk.set_actor(actor)
        return actor

    return switch


@pytest.fixture
def order(house: House, admin: Actor) -> Callable[..., UUID]:
    """Creates a work order through the door."""

    def create(**values: Any) -> UUID:
        wanted = {"product": "FRAME-M", "quantity": 60, **values}
        return house.door.perform(create_work_order(**wanted), admin).result

    return create


@pytest.fixture
def parking(house: House, admin: Actor) -> Parking:
    made = Parking(house)
    made.join()
    return made


@pytest.fixture
def told(house: House) -> Callable[..., None]:
    """Writes what the sync process would say."""

    def tell(state: str = ONLINE, **more: object) -> None:
        now = house.door.clock()
        status = SyncStatus(
            state=state, since=now, written_at=now, station="07", tls="verified", checked_at=now, pid=1
        )
        values = {name: getattr(status, name) for name in status.__struct_fields__} | more
        write_status(house.folder, SyncStatus(**values))

    return tell


@pytest.fixture
def whole(
    qapp: QApplication, theme: Theme, house: House, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desktop]:
    """The program with one window at 1366 × 768 and an admin logged in; it starts no other process."""
    monkeypatch.setattr(OpenDesk, "close_store", _close_desk)
    monkeypatch.setattr(sync_status, "LOOK_MS", 100)
    desktop = Desktop(house.folder, None)
    desktop._take_opened(Opened(house, True))
    desktop.enter(admin)
    yield desktop
    desktop.close()
    desktop.login.deleteLater()
    desktop.deleteLater()


def _close_desk(inside: OpenDesk) -> None:
    """The house is let go of by its own fixture."""
    inside.desk.close()
