"""Makes a data folder a station of a server: checks, what it brings along, the first fetching of everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import func, select

from app.domain.errors import LinesideError, Refused
from app.operations.door import Door
from app.store import entries
from app.store.entries import SHARED_SCHEMA
from app.store.private_file import write_private
from app.store.sharing import joined_server, joined_station
from app.store.tables import Outbox
from app.sync.bringing import become_station, sign_earlier, unsign
from app.sync.files_key import FilesKey
from app.sync.join_line import JoinLine, read_join_line, settled_url
from app.sync.membership import (
    AUTHORITY_NAME,
    FILE_NAME,
    Address,
    address_of,
    files_key_of,
    forget_secrets,
    keep_address,
    keep_files_key,
    keep_secrets,
    with_password,
)
from app.sync.server.address import ServerAddress
from app.sync.sole import sole_engine

if TYPE_CHECKING:
    from app.sync.wire import Hello, ServerConnection

Progress: TypeAlias = Callable[[str, int, int], None]
"""What is done at the moment, how much of it, of how much (0: nobody knows). Called on the thread that joins."""
Cancelled: TypeAlias = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Joined:
    """What came of joining: `brought` changes went to the server, `rows` came from it."""

    station: str
    server: str
    kept_where: str
    warning: str = ""
    brought: int = 0
    rows: int = 0

    @property
    def sentence(self) -> str:
        brought = f" {self.brought:,} changes were brought along." if self.brought else ""
        warning = f" {self.warning}" if self.warning else ""
        return f"Joined {self.server} as station {self.station}.{brought}{warning}"


@dataclass(frozen=True)
class Joining:
    """One try to join: `run` ends with a joined folder, or leaves it as it was."""

    folder: Path
    door: Door
    progress: Progress
    cancelled: Cancelled

    def run(self, text: str) -> Joined:
        """Join with a pasted line; minutes for much data, so on a worker thread.

        Raises `Refused` (on the field `line`) with one sentence, also when it was cancelled, or `WorldFault` when
        the server cannot be reached. A folder that is this station already gets its secrets anew.
        """
        line = read_join_line(text)
        before = self._server_before(line)
        self.progress("Asking the server", 0, 0)
        with self._alone(before), self._as_it_was_on_failure() as undo:
            url = settled_url(self.folder, line)
            with _opened(url, line) as server:
                facts = server.hello()
                bringing = self._check(line, facts, before)
                kept = self._keep(Address(line.station, url, str(uuid4())), line, undo)
                report = Joined(line.station, ServerAddress(url).shown, kept)
                if before is None:
                    warning = _used_before(server, line.station)
                    brought = self._bring(line, facts, undo) if bringing else 0
                    rows = self._fetch(server, facts)
                    self.door.store.submit(
                        partial(become_station, station=line.station, server_id=facts.server_id)
                    ).result()
                    report = replace(report, warning=warning, brought=brought, rows=rows)
            undo.pop_all()
        return report

    def _alone(self, before: UUID | None) -> AbstractContextManager[None]:
        """No sync process may begin while the first round is under way here."""
        return sole_engine(self.folder) if before is None else nullcontext()

    @contextmanager
    def _as_it_was_on_failure(self) -> Iterator[ExitStack]:
        """The server's address and authority of before come back: a folder that shared goes on sharing."""
        with ExitStack() as undo:
            for name in (AUTHORITY_NAME, FILE_NAME):
                undo.callback(_put_back, self.folder / name, _text_of(self.folder / name))
            yield undo

    def _keep(self, address: Address, line: JoinLine, undo: ExitStack) -> str:
        """Keep address and secrets; returns where the latter are, in a sentence."""
        files_key = line.files_key or self._files_key_before()
        undo.callback(forget_secrets, self.folder, address)
        keep_address(self.folder, address)
        if files_key is not None:
            keep_files_key(self.folder, address, files_key)
        return keep_secrets(self.folder, address, line.secrets)

    def _files_key_before(self) -> FilesKey | None:
        """A new line without a key of the store of photos and files says nothing about the one that is here."""
        try:
            known = address_of(self.folder)
            return files_key_of(self.folder, known) if known else None
        except LinesideError:  # what is damaged or locked is why people join again; the key can be set anew
            return None

    def _server_before(self, line: JoinLine) -> UUID | None:
        """The server whose station this folder is already, None when it shares nothing."""
        with self.door.store.reader() as session:
            station, server = joined_station(session), joined_server(session)
        if station is not None and station != line.station:
            raise Refused(
                f"This data folder is station {station} already; join as {line.station} with a folder of its own "
                "(--data-dir).",
                field="line",
            )
        return None if station is None else server

    def _check(self, line: JoinLine, facts: Hello, before: UUID | None) -> bool:
        """Whether this folder brings data along; raises `Refused` when it has some and may not."""
        if facts.station != line.station:
            raise Refused(
                f"The line is for station {line.station}, but the server calls it {facts.station}; make a new line.",
                field="line",
            )
        if facts.min_schema > SHARED_SCHEMA:
            raise Refused("The server needs a newer Lineside than this one; update it first.", field="line")
        if before is not None:
            if before != facts.server_id:
                raise Refused(
                    "This folder shares another server; join with a folder of its own.", field="line"
                )
            return False
        with self.door.store.reader() as session:
            own = session.execute(select(func.count()).select_from(Outbox)).scalar_one()
        again = f"lineside server add-station {line.station} --bring-data"
        if own and not facts.may_bring:
            raise Refused(
                f"There is data in this folder already ({own:,} changes), and station {line.station} may not bring "
                f"any: join with an empty folder, or with a line of `{again}`.",
                field="line",
            )
        if not own and not facts.head_seq:
            raise Refused(
                "Nobody has an account on this server yet: make the first administrator here, then join with a line "
                f"of `{again}`.",
                field="line",
            )
        return bool(own)

    def _bring(self, line: JoinLine, facts: Hello, undo: ExitStack) -> int:
        self.progress("Signing what is here", 0, 0)
        undo.callback(self._unsign)
        self._unsign()  # what another joining signed before it was cut off, maybe with another key
        return sign_earlier(self.door, line.station, facts.server_id, bytes.fromhex(line.secrets.station_key))

    def _unsign(self) -> None:
        self.door.store.submit(unsign).result()

    def _fetch(self, server: ServerConnection, facts: Hello) -> int:
        """Everything that the server has, and before it everything that is brought; returns the number of rows."""
        from app.sync.passwords import push_password_notes
        from app.sync.round import run_round
        from app.sync.shared_rows import shared_tables
        from app.sync.station import Station

        here = Station(self.door.store, progress=self.progress, cancelled=self.cancelled)
        run_round(here, server, facts)
        push_password_notes(self.door.store, server)
        with self.door.store.reader() as session:
            tables = [entries.table_of(entity) for entity in shared_tables()]
            return sum(
                session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
            )


def _opened(url: str, line: JoinLine) -> ServerConnection:
    from app.sync.wire import ServerConnection

    try:
        return ServerConnection.open(with_password(url, line.secrets.password))
    except Refused as refused:
        if "password authentication failed" not in str(refused.__cause__):
            raise
        raise Refused(
            "The password in this line counts no more: a newer line was made for this station, or it was removed. Ask "
            f"for a new one (`lineside server add-station {line.station}`).",
            field="line",
        ) from refused


def _text_of(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def _put_back(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink(missing_ok=True)
    else:
        write_private(file, text)


def _used_before(server: ServerConnection, station: str) -> str:
    """A warning where another data folder spoke for this station before."""
    if not server.sources():
        return ""
    return f"Another data folder was station {station} before; if it is still in use, give this one a name of its own."
