"""An opened store with one administrator, and people of any role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from app.domain.people import THE_PLANT, Actor, Role
from app.operations.people import add_user, create_first_admin
from app.plant import House, opened_house
from tests.operations.shop import Shop, open_shop

PASSWORD = "a quiet winter morning"


@pytest.fixture
def house(data_dir: Path) -> Iterator[House]:
    with opened_house(data_dir) as opened:
        yield opened


@pytest.fixture
def admin(house: House) -> Actor:
    user_id = house.door.perform(create_first_admin(name="Ada", password=PASSWORD), THE_PLANT).result
    return Actor(user_id, "Ada", Role.ADMIN)


@pytest.fixture
def person(house: House, admin: Actor) -> Callable[[Role], Actor]:
    """Makes an account with the given role."""
    numbers = count(1)

    def make(role: Role) -> Actor:
        name = f"{role.value.title()} {next(numbers)}"
        intent = add_user(name=name, role=role, password=PASSWORD, must_change_password=False)
        return Actor(house.door.perform(intent, admin).result, name, role)

    return make


@pytest.fixture
def shop(data_dir: Path) -> Iterator[Shop]:
    """A store with one person of each role and a clock that the test moves."""
    with open_shop(data_dir) as opened:
        yield opened
