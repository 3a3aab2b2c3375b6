"""Passwords of machines and of the server: in the keyring of this computer, else in a file of its owner alone."""

from __future__ import annotations

import os
import queue
import re
import sys
import threading
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import structlog

from app.domain.errors import Refused, WorldFault
from app.store.private_file import toml_text, write_private

log = structlog.get_logger(__name__)

FILE_NAME = "secrets.toml"
PASSWORD_VARIABLE = "LINESIDE_MACHINE_PASSWORD"
_SERVICE = "lineside"
_KEYRING_SECONDS = 5.0  # a locked keyring asks a person who may not be there, and does not answer meanwhile
_AVOID_SECONDS = 60.0
_OTHERS_MAY_READ = 0o077
_NO_KEYRING = ("keyring.backends.fail", "keyring.backends.null")


def password_from_environment(connection: str) -> str:
    """LINESIDE_MACHINE_PASSWORD_<NAME> (letters and digits, others as _); empty when it is not set."""
    return os.environ.get(f"{PASSWORD_VARIABLE}_{re.sub('[^A-Z0-9]', '_', connection.upper())}", "")


class _KeyringSilent(Exception):
    """The keyring cannot be asked now."""


class _NoKeyring(_KeyringSilent):
    """This computer has none."""


class SecretsPlace:
    """Where the passwords of one data folder are. `owner` tells its entries in the keyring from other folders'.

    Methods block, for a few seconds at most: call them from a thread.
    """

    def __init__(self, folder: Path, owner: str = "") -> None:
        self._path = folder / FILE_NAME
        self._owner = owner or str(folder.resolve())
        self._avoid_until = 0.0

    @property
    def sentence(self) -> str:
        """Where the password of a machine goes that is set now, plainly."""
        return self.sentence_about("Passwords of machines")

    def sentence_about(self, what: str) -> str:
        """Where `what` (in the plural) goes that is set now, plainly."""
        try:
            name = self._ask(_keyring_name)
        except _KeyringSilent as silent:
            return (
                f"{what} are kept in {self._path}, which only your account can read, not encrypted: {silent}"
            )
        return f"{what} are kept in the keyring of this computer ({name})."

    def password(self, connection: str) -> str:
        """The password of a connection's user: from the environment, the keyring, the file; empty when in none.

        Raises WorldFault when it may be in a keyring that does not answer.
        """
        own = password_from_environment(connection)
        if own:
            return own
        return self.kept(connection, os.environ.get(PASSWORD_VARIABLE, ""))

    def kept(self, connection: str, instead: str = "") -> str:
        """From the keyring or the file, else `instead`; raises WorldFault when a silent keyring may have another."""
        silent, found = None, ""
        try:
            found = self._ask(lambda: _get(self._key(connection)))
        except _NoKeyring:
            pass
        except _KeyringSilent as reason:
            silent = reason
        found = found or self._from_file().get(connection, "") or instead
        if not found and silent is not None:
            raise WorldFault(f"The password of {connection} cannot be read: {silent}")
        return found

    def set_password(self, connection: str, password: str) -> str:
        """Keep a password, or forget it when it is empty; returns where it is now, in a sentence."""
        key = self._key(connection)
        try:
            self._ask(lambda: _put(key, password))
        except _KeyringSilent:
            self._write_file(connection, password)
        else:
            if connection in self._from_file():
                self._write_file(connection, "")
        return self.sentence

    def _key(self, connection: str) -> str:
        return f"{self._owner}/{connection}"

    def _ask(self, work: Callable[[], str]) -> str:
        """What the keyring says, within a few seconds; one that hung is left alone for a minute."""
        if time.monotonic() < self._avoid_until:
            raise _KeyringSilent("the keyring did not answer a moment ago.")
        answers: queue.Queue[str | BaseException] = queue.Queue(1)
        threading.Thread(target=_work, args=(work, answers), name="keyring", daemon=True).start()
        try:
            answer = answers.get(timeout=_KEYRING_SECONDS)
        except queue.Empty:
            self._avoid_until = time.monotonic() + _AVOID_SECONDS
            log.warning("keyring does not answer", seconds=_KEYRING_SECONDS)
            raise _KeyringSilent("the keyring does not answer; is it locked?") from None
        if isinstance(answer, _KeyringSilent):
            raise answer
        if isinstance(answer, BaseException):
            log.warning("keyring not usable", kind=type(answer).__name__)
            raise _KeyringSilent(f"the keyring cannot be used ({type(answer).__name__}).") from answer
        return answer

    def _from_file(self) -> dict[str, str]:
        try:
            if sys.platform != "win32" and self._path.stat().st_mode & _OTHERS_MAY_READ:
                log.warning("secrets.toml could be read by others; its permissions are tightened")
                self._path.chmod(0o600)
            found = tomllib.loads(self._path.read_text(encoding="utf-8")).get("passwords", {})
        except FileNotFoundError:
            return {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise Refused(
                f"{self._path} is no valid TOML; set the passwords of the machines again."
            ) from None
        except OSError as error:
            raise WorldFault(f"{self._path} cannot be read: {error.strerror}.") from error
        return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}

    def _write_file(self, connection: str, password: str) -> None:
        known = {**self._from_file(), connection: password}
        lines = [f"{toml_text(name)} = {toml_text(value)}" for name, value in sorted(known.items()) if value]
        what = "Passwords of machines and of the server"
        head = f"# {what}. This computer has no usable keyring; keep this file to yourself.\n"
        write_private(self._path, head + "[passwords]\n" + "".join(f"{line}\n" for line in lines))


def _work(work: Callable[[], str], answers: queue.Queue[str | BaseException]) -> None:
    try:
        answers.put(work())
    except Exception as error:  # noqa: BLE001 — a keyring may fail in ways of its own; it is told to who asked
        answers.put(error)


def _keyring_name() -> str:
    """The name of the keyring at work; raises when there is none."""
    import keyring

    backend = keyring.get_keyring()
    kinds = {type(each).__module__ for each in (backend, *getattr(backend, "backends", ()))}
    if kinds <= {*_NO_KEYRING, "keyring.backends.chainer"}:
        raise _NoKeyring("this computer has no keyring.")
    return str(getattr(backend, "name", type(backend).__name__))


def _get(key: str) -> str:
    import keyring

    _keyring_name()
    return keyring.get_password(_SERVICE, key) or ""


def _put(key: str, password: str) -> str:
    import keyring

    _keyring_name()
    if password:
        keyring.set_password(_SERVICE, key, password)
    elif keyring.get_password(_SERVICE, key):
        keyring.delete_password(_SERVICE, key)
    return ""
