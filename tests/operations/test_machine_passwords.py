"""Passwords of machines: who may set them, what is written down of it, and that they follow a new name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.errors import Denied, NotFound
from app.domain.people import Actor, Role
from app.domain.plant import Connection
from app.operations.machine_passwords import move_machine_password, set_machine_password
from app.operations.plant import save_machine
from app.plant import House
from app.store.machine_secrets import SecretsPlace

PLC = Connection("plc", "opcua", "opc.tcp://10.0.0.1:4840", user="anna")


def test_a_password_follows_the_new_name_of_its_connection(
    house: House, admin: Actor, data_dir: Path
) -> None:
    place = SecretsPlace(data_dir)
    house.door.perform(save_machine(connection=PLC), admin)
    renamed = Connection("oven-plc", PLC.driver, PLC.url, user="anna")
    house.door.perform(save_machine(connection=renamed, connection_was="plc"), admin)
    move_machine_password(house.door, place, admin, "plc", "oven-plc")  # nobody has set one
    assert place.password("oven-plc") == ""
    place.set_password("plc", "secret")
    move_machine_password(house.door, place, admin, "plc", "oven-plc")
    assert (place.password("plc"), place.password("oven-plc")) == ("", "secret")


def test_nothing_is_kept_for_whoever_may_not_or_for_no_connection(
    house: House, admin: Actor, person: Callable[[Role], Actor], data_dir: Path
) -> None:
    place = SecretsPlace(data_dir)
    with pytest.raises(NotFound):
        set_machine_password(house.door, place, admin, "plc", "secret")
    house.door.perform(save_machine(connection=PLC), admin)
    with pytest.raises(Denied):
        set_machine_password(house.door, place, person(Role.OPERATOR), "plc", "secret")
    assert place.password("plc") == ""
