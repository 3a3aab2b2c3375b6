"""Everything that the server has at one moment, streamed into a SQLite file beside the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.sync.failpoints import Failpoint
from app.sync.place import Place
from app.sync.records import Record, read_record
from app.sync.shared_rows import SharedTable, shared_tables
from app.sync.staging import Staging
from app.sync.station import Station

if TYPE_CHECKING:
    from app.sync.server.patience import PatientConnection
    from app.sync.wire import ServerConnection

FETCH = 5000
HEADS = 2000
"""How many of the newest heads of the log come along, for the history of rows."""

# A parked entry that was offered again under another identity stands in the log once, under the first one.
_PARKED = """
    SELECT l.body, s.seq, s.body::jsonb->>'actor', s.at
    FROM sync.txn t JOIN sync.log l ON l.seq = t.seq LEFT JOIN sync.log s ON s.seq = t.settled_seq
    WHERE t.verdict <> 'applied' AND t.src::text = l.body::jsonb->>'src'
    ORDER BY t.seq"""
_HEADS = (
    "SELECT (body::jsonb - '{rows,entry,raw,reason}'::text[])::text FROM sync.log WHERE seq > %s ORDER BY seq"
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What settled a parked entry."""

    seq: int
    by: str
    at: Any


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of the server besides its rows: head of the log, numbers of all sources, conflicts, newest heads.

    `continues`: the history goes on from where this station was.
    """

    seq: int
    hash: str
    continues: bool
    have: Mapping[UUID, int]
    parked: list[tuple[Record, Settled | None]]
    heads: list[Record]


def fetch(station: Station, server: ServerConnection, staging: Staging, place: Place) -> Snapshot:
    """Read all in ONE repeatable-read transaction: rows and head belong together, whatever is pushed meanwhile."""
    with server.snapshot() as session:
        head = session.execute(
            "SELECT seq, encode(hash,'hex') FROM sync.log ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        seq, chained = head or (0, "")
        seen = session.execute(
            "SELECT encode(hash,'hex') FROM sync.log WHERE seq=%s", (place.cursor,)
        ).fetchone()
        continues = not place.cursor or (seen is not None and seen[0] == place.hash)
        station.reach(Failpoint.BASELINE_BEGUN)
        have: dict[UUID, int] = dict(session.execute("SELECT src, last_n FROM sync.source").fetchall())
        _fetch_rows(station, session, staging)
        parked = [
            (read_record(body), None if settled is None else Settled(settled, by or "", at))
            for body, settled, by, at in session.execute(_PARKED)
        ]
        heads = [read_record(body) for (body,) in session.execute(_HEADS, (max(0, seq - HEADS),))]
        return Snapshot(seq, chained, continues, have, parked, heads)


def many(entity: str) -> str:
    """What people call several rows of a table."""
    return "machines" if entity == "equipment" else f"{entity.replace('_', ' ')}s"


def _fetch_rows(station: Station, session: PatientConnection, staging: Staging) -> None:
    columns = _columns(session)
    tables = [table for entity, table in shared_tables().items() if entity in columns]
    counts = {t.entity: _count(session, t.entity) for t in tables}
    done, total = 0, sum(counts.values())
    for table in tables:
        for page in _pages(session, table, columns[table.entity]):
            staging.add(table, page)
            done += len(page)
            station.progress(f"Fetching {many(table.entity)}", done, total)
            station.check_cancelled()
        station.reach(Failpoint.BASELINE_MID)


def _columns(session: PatientConnection) -> dict[str, frozenset[str]]:
    """The tables and columns of the server, which may be older or newer than this program."""
    found: dict[str, set[str]] = {}
    for table, column in session.execute(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'lineside'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
    ):
        found.setdefault(table, set()).add(column)
    return {table: frozenset(names) for table, names in found.items()}


def _count(session: PatientConnection, entity: str) -> int:
    row = session.execute(f'SELECT count(*) FROM lineside."{entity}"'.encode()).fetchone()
    return int(row[0]) if row else 0


def _pages(
    session: PatientConnection, table: SharedTable, there: frozenset[str]
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows in the form in which SQLite keeps them, made by the server: nothing is converted here."""
    wanted = [table.fetched(name) if name in there else table.default(name) for name in table.columns]
    query = f"SELECT replace(id::text,'-',''), {', '.join(wanted)} FROM lineside.\"{table.entity}\""
    with session.cursor(name="baseline") as cursor:
        cursor.itersize = FETCH
        cursor.execute(query.encode())
        while page := cursor.fetchmany(FETCH):
            yield page
