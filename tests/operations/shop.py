"""An open store with one person of each role, and a clock that tests move."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.people import Actor, Role
from app.operations.change import Intent, Outcome
from app.operations.orders import create_work_order
from app.plant import House, open_house
from app.store.sessions import STORE_NAME
from app.store.tables import Stage, UserAccount, WorkOrder


class Shop:
    """A store, its people, and short ways to act in it and to look at it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.now = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)
        house.door.clock = self._clock
        self.people: dict[Role, Actor] = {}

    def _clock(self) -> datetime:
        return self.now

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def do(self, intent: Intent[Any], role: Role = Role.ADMIN) -> Outcome[Any]:
        return self.house.door.perform(intent, self.people[role])

    def order(self, **values: Any) -> UUID:
        result: UUID = self.do(create_work_order(**{"product": "FRAME-M", "quantity": 60, **values})).result
        return result

    def read(self, order_id: UUID) -> WorkOrder:
        with self.house.store.reader() as session:
            return session.get_one(WorkOrder, order_id)

    def stages(self, order_id: UUID) -> list[Stage]:
        with self.house.store.reader() as session:
            found = select(Stage).where(Stage.work_order_id == order_id).order_by(Stage.position)
            return list(session.execute(found).scalars())

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Every value of every order and stage but the version, to compare before and after."""
        with self.house.store.reader() as session:
            rows: dict[str, dict[str, Any]] = {}
            for table in (WorkOrder, Stage):
                for row in session.execute(select(table)).scalars():
                    columns = [column.key for column in table.__table__.columns if column.key != "version"]
                    rows[str(row.id)] = {name: getattr(row, name) for name in columns}
            return rows


def add_people(shop: Shop) -> None:
    """One account a role, written without hashing a password for each."""

    def write(session: Any) -> None:
        for role in Role:
            user_id = shop.house.door.new_id()
            session.add(
                UserAccount(
                    id=user_id,
                    name=role.value,
                    name_key=role.value,
                    role=role,
                    created_at=shop.now,
                )
            )
            shop.people[role] = Actor(user_id, role.value, role)

    shop.house.store.submit(write).result()


@cache
def empty_store() -> Path:
    """A store without rows, made once: the migrations take longer than most tests."""
    folder = Path(mkdtemp(prefix="lineside-empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    open_house(folder).close()
    return folder / STORE_NAME


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """A shop in `folder`, closed again afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(empty_store(), folder / STORE_NAME)
    house = open_house(folder)
    made = Shop(house)
    try:
        add_people(made)
        yield made
    finally:
        house.close()
