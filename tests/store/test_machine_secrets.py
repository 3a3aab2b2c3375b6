"""Passwords of machines: in a keyring where there is one, in a private file otherwise, and never anybody's wait."""

from __future__ import annotations

import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from app.domain.errors import Refused, WorldFault
from app.store import machine_secrets
from app.store.machine_secrets import FILE_NAME, SecretsPlace


class MemoryKeyring(KeyringBackend):
    """A keyring like the one of a desktop, which may be locked or hang."""

    priority = 1
    name = "Memory"

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False
        self.free = threading.Event()
        self.free.set()

    def get_password(self, service: str, username: str) -> str | None:
        self.free.wait(10)
        if self.locked:
            raise KeyringLocked("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def memory() -> Iterator[MemoryKeyring]:
    before, memory = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


def test_a_password_lives_in_the_keyring_under_its_folder_and_connection(
    memory: MemoryKeyring, data_dir: Path
) -> None:
    one, other = SecretsPlace(data_dir, "one"), SecretsPlace(data_dir, "other")
    assert "keyring of this computer (Memory)" in one.set_password("oven", "secret")
    assert memory.kept == {("lineside", "one/oven"): "secret"}
    assert (one.password("oven"), one.password("press"), other.password("oven")) == ("secret", "", "")
    one.set_password("oven", "")
    assert memory.kept == {}
    assert not (data_dir / FILE_NAME).exists()


def test_without_a_keyring_a_private_file_keeps_it_and_that_is_said(data_dir: Path) -> None:
    place = SecretsPlace(data_dir)
    sentence = place.set_password("oven", "secret")
    assert str(data_dir / FILE_NAME) in sentence
    assert "not encrypted: this computer has no keyring." in sentence
    assert SecretsPlace(data_dir).password("oven") == "secret"
    if sys.platform != "win32":
        assert stat.S_IMODE((data_dir / FILE_NAME).stat().st_mode) == 0o600
        (data_dir / FILE_NAME).chmod(0o644)
        assert place.password("oven") == "secret"
        assert stat.S_IMODE((data_dir / FILE_NAME).stat().st_mode) == 0o600
    place.set_password("oven", "")
    assert place.password("oven") == ""


def test_the_environment_comes_first(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = SecretsPlace(data_dir)
    place.set_password("oven-2 (hall)", "kept")
    monkeypatch.setenv("LINESIDE_MACHINE_PASSWORD", "for all")
    assert (place.password("oven-2 (hall)"), place.password("press")) == ("kept", "for all")
    monkeypatch.setenv("LINESIDE_MACHINE_PASSWORD_OVEN_2__HALL_", "own")
    assert place.password("oven-2 (hall)") == "own"


def test_a_keyring_that_hangs_or_is_locked_holds_nobody_up(
    memory: MemoryKeyring, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_secrets, "_KEYRING_SECONDS", 0.2)
    memory.locked = True
    place = SecretsPlace(data_dir, "one")
    with pytest.raises(WorldFault, match="oven cannot be read: the keyring cannot be used"):
        place.password("oven")
    memory.free.clear()
    with pytest.raises(WorldFault, match="does not answer; is it locked"):
        place.password("oven")
    with pytest.raises(WorldFault, match="a moment ago"):  # it is left alone for a while
        place.password("oven")
    assert "only your account can read" in place.set_password("oven", "in the file")
    assert place.password("oven") == "in the file"
    memory.free.set()


def test_a_broken_file_is_said(data_dir: Path) -> None:
    (data_dir / FILE_NAME).write_text("passwords = ")
    with pytest.raises(Refused, match=r"no valid TOML"):
        SecretsPlace(data_dir).password("oven")


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.text(min_size=1, max_size=9), max_size=4))
def test_every_name_and_password_comes_back(
    tmp_path_factory: pytest.TempPathFactory, given: dict[str, str]
) -> None:
    place = SecretsPlace(tmp_path_factory.mktemp("secrets"))
    for name, password in given.items():
        place._write_file(name, password)
    assert place._from_file() == given
