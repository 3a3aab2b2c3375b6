"""Questions to one machine for the screens: does it answer, what does it offer, what are its values now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import QObject

from app.domain.plant import Connection
from app.domain.samples import Value
from app.drivers import certificates, for_trial, open_driver
from app.drivers.faults import ServerCertificate, UnknownServer
from app.drivers.modbus_decodings import all_decodings
from app.drivers.modbus_values import BIT_TABLES, TABLES
from app.drivers.protocol import BrowseNode, Credentials, Driver, Reading
from app.drivers.serial_ports import ports_here
from app.plant import House
from app.store.queries.secrets_place import secrets_place
from ui.bridge.conversation import Conversation
from ui.bridge.desk import Desk

__all__ = [
    "BIT_TABLES",
    "TABLES",
    "BrowseNode",
    "MachineTalk",
    "Reading",
    "ServerCertificate",
    "Subject",
    "UnknownServer",
    "ports_here",
    "ways_to_read",
]

T = TypeVar("T")
Failed = Callable[[BaseException], None]


@dataclass(frozen=True)
class Subject:
    """Whom to talk to: `password` as typed, None for the kept one, which is found under `kept_as`."""

    connection: Connection
    password: str | None
    kept_as: str


class MachineTalk:
    """Asks the machine that `subject` names at that moment; answers come on the GUI thread while their owner lives.

    The conversation is made anew when the subject changed. A later question of an owner under the same key
    supersedes the answer to an earlier one.
    """

    def __init__(self, desk: Desk, subject: Callable[[], Subject]) -> None:
        self._desk, self._subject = desk, subject
        self._about: Subject | None = None
        self._conversation: Conversation | None = None

    def test(self, done: Callable[[str], None], failed: Failed, *, owner: QObject) -> Future[str]:
        """Prove that somebody talks there; the answer says what was found, in a sentence."""
        return self._ask(_prove(self._subject().connection), done, failed, owner, "test")

    def children(
        self,
        address: str | None,
        done: Callable[[list[BrowseNode]], None],
        failed: Failed,
        *,
        owner: QObject,
        key: str,
    ) -> None:
        """What the machine offers below an address, or at the top."""

        async def work(driver: Driver) -> list[BrowseNode]:
            return await driver.browse(address)

        self._ask(work, done, failed, owner, key)

    def values(
        self,
        addresses: Sequence[str],
        done: Callable[[list[Reading]], None],
        failed: Failed,
        *,
        owner: QObject,
    ) -> None:
        """One reading for each address, in order."""

        async def work(driver: Driver) -> list[Reading]:
            return await driver.read(addresses)

        self._ask(work, done, failed, owner, "values")

    def _ask(
        self,
        work: Callable[[Driver], Awaitable[T]],
        done: Callable[[T], None],
        failed: Failed,
        owner: QObject,
        key: str,
    ) -> Future[T]:
        subject = self._subject()
        if self._conversation is None or self._about != subject:
            self.close()
            self._about = subject
            self._conversation = Conversation(_opener(self._desk.house, subject))
        future = self._conversation.ask(work)
        self._desk.tasks.follow(future, done, owner=owner, failed=failed, key=key)
        return future

    def close(self) -> None:
        """Hang up; the next question calls again."""
        conversation, self._conversation = self._conversation, None
        if conversation is not None:
            conversation.close()


def _opener(house: House, subject: Subject) -> Callable[[], Driver]:
    def make() -> Driver:
        password = subject.password or ""
        if subject.password is None and subject.connection.user:
            with house.store.reader() as session:
                place = secrets_place(house.folder, session)
            password = place.password(subject.kept_as)
        seen = for_trial(subject.connection)
        return open_driver(seen, Credentials(password, house.folder / certificates.FOLDER))

    return make


def _prove(connection: Connection) -> Callable[[Driver], Awaitable[str]]:
    async def work(driver: Driver) -> str:
        if connection.driver.startswith("modbus"):
            from app.drivers.modbus import ModbusDriver

            assert isinstance(driver, ModbusDriver)
            await driver.prove()
            return f"Unit {connection.unit} answers."
        found = len(await driver.browse(None))
        if connection.driver in ("mqtt", "sparkplug"):
            return f"The broker answers. So far it has passed on {found} {'branch' if found == 1 else 'branches'}."
        return f"The server answers and shows {found} folders and values at the top."

    return work


def ways_to_read(
    words: Sequence[int], table: str, offset: int, *, one_based: bool
) -> list[tuple[str, Value]]:
    """(address, value) of every way to read up to eight registers from the 0-based `offset`, the likely ones first."""
    return [(way.address, way.value) for way in all_decodings(words, table, offset, one_based=one_based)]
