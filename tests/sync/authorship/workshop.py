"""Two data folders at one server, and the few things that tests of logins do with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from sqlalchemy import select

from app.domain.people import THE_PLANT, Actor, Role
from app.operations.login import Login
from app.operations.orders import create_work_order
from app.operations.people import add_user, create_first_admin
from app.plant import House, open_house
from app.store.tables import Outbox, UserAccount
from app.sync.login import StationLogin
from app.sync.membership import keep_address, station_address

if TYPE_CHECKING:
    from app.sync.join import Joined

ADMIN, PLANNER, OPERATOR = "Ada Boss", "Piotr Plan", "Olu Hand"
OFFICE, HALL = "OFFICE", "HALL"
SECRET, NEW = "a good long sentence", "another good sentence"


def furnish(folder: Path) -> None:
    """A workshop of one computer: three people, one order."""
    house = open_house(folder)
    try:
        user_id = house.door.perform(create_first_admin(name=ADMIN, password=SECRET), THE_PLANT).result
        admin = Actor(user_id, ADMIN, Role.ADMIN)
        for name, role in ((PLANNER, Role.PLANNER), (OPERATOR, Role.OPERATOR)):
            house.door.perform(
                add_user(name=name, role=role, password=SECRET, must_change_password=False), admin
            )
        house.door.perform(create_work_order(product="FRAME-M", quantity=6), admin)
    finally:
        house.close()


@dataclass
class Place:
    """One open data folder that shares a server."""

    house: House
    url: str
    report: Joined | None = None
    people: dict[str, Actor] = field(default_factory=dict)

    def log_in(self, name: str, password: str = SECRET) -> Login:
        house = self.house
        # As `House.log_in`, but patient: a busy machine must not look like a server that is not there.
        address = station_address(house.folder)
        station = StationLogin(house.folder, address, house.door, house.signing, seconds=30)
        login = station.log_in(name, password)
        self.people[name] = login.actor
        return login

    def do(self, intent: Any, name: str = ADMIN) -> Any:
        return self.house.door.perform(intent, self.people[name]).result

    def order(self, name: str = ADMIN) -> UUID:
        result: UUID = self.do(create_work_order(product="FRAME-M", quantity=6), name)
        return result

    def sync(self) -> None:
        """One round, with nobody's help."""
        one_round(self.house, self.url)

    def rows(self, table: type[Any]) -> list[Any]:
        with self.house.store.reader() as session:
            return list(session.execute(select(table)).scalars())

    def lead_to(self, port: int, database: str = "") -> None:
        """From now on the server is looked for at another port of this computer, or in another database."""
        address = station_address(self.house.folder)
        parts = urlsplit(address.url)
        where = f"{parts.netloc.rpartition(':')[0]}:{port}"
        moved = urlunsplit(parts._replace(netloc=where, path=f"/{database}" if database else parts.path))
        keep_address(self.house.folder, replace(address, url=moved))

    def log_out(self, name: str) -> None:
        self.house.log_out(self.people.pop(name)).result()

    def account(self, name: str) -> UserAccount:
        with self.house.store.reader() as session:
            return session.execute(select(UserAccount).where(UserAccount.name == name)).scalar_one()

    def verdicts(self) -> list[tuple[str, str]]:
        """State and verdict of everything that was made here, in order."""
        entries = sorted(self.rows(Outbox), key=lambda entry: entry.position)
        return [(entry.state, entry.verdict) for entry in entries]


@contextmanager
def joined(folder: Path, line: str, url: str) -> Iterator[Place]:
    """A data folder that joins with this line."""
    with ExitStack() as stack:
        house = open_house(folder)
        stack.callback(house.close)
        yield Place(house, url, house.join(line, silent, never))


def silent(_what: str, _done: int, _total: int) -> None:
    return


def never() -> bool:
    return False


def one_round(house: House, url: str) -> None:
    """What the sync process does all the time, once."""
    from app.sync.ended_logins import end_outdated_logins
    from app.sync.passwords import push_password_notes
    from app.sync.round import run_round
    from app.sync.station import Station
    from app.sync.wire import ServerConnection

    with ServerConnection.open(url) as server:
        run_round(Station(house.store), server, server.hello())
        push_password_notes(house.store, server)
        end_outdated_logins(house.store, server, house.door.clock())
