"""How a shared server is: versions, stations and how far behind they are, sizes, what is parked, the log's chain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.sync.server.address import connect
from app.sync.server.creation import known_revisions, require_server
from app.sync.server.sentences import plain_errors

if TYPE_CHECKING:
    import psycopg

_STATIONS = """
SELECT st.name, st.disabled, st.may_bring, st.last_seen, st.program, coalesce(s.last_n, 0), coalesce(s.sources, 0),
       coalesce(t.at, st.added_at), coalesce(p.parked, 0)
FROM sync.station st
LEFT JOIN (SELECT station, sum(last_n)::bigint AS last_n, count(*) AS sources FROM sync.source GROUP BY station) s
  ON s.station = st.name
LEFT JOIN LATERAL (SELECT max(l.at) AS at FROM sync.source o
  CROSS JOIN LATERAL (SELECT x.seq FROM sync.txn x WHERE x.src = o.src ORDER BY x.n DESC LIMIT 1) x
  JOIN sync.log l ON l.seq = x.seq WHERE o.station = st.name) t ON true
LEFT JOIN (SELECT o.station, count(*) AS parked FROM sync.txn x JOIN sync.source o USING (src)
  WHERE x.verdict <> 'applied' AND x.settled_seq IS NULL GROUP BY o.station) p ON p.station = st.name
-- Also of a server that is yet to be upgraded and does not know the column.
WHERE NOT coalesce((to_jsonb(st)->>'removed')::boolean, false)
ORDER BY st.name
"""
_SIZES = """
SELECT n.nspname || '.' || c.relname, pg_total_relation_size(c.oid), greatest(c.reltuples, 0)::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('sync', 'lineside') AND c.relkind IN ('r', 'm') ORDER BY 2 DESC
"""


@dataclass(frozen=True, slots=True)
class StationStatus:
    """One station: when it was last heard, how many entries came from it and when the newest, how many are parked."""

    name: str
    disabled: bool
    may_bring: bool
    last_seen: datetime | None
    program: str
    entries: int
    sources: int
    last_entry_at: datetime
    parked: int


@dataclass(frozen=True, slots=True)
class TableSize:
    """Room on the disk with indexes, in bytes, and PostgreSQL's estimate of the rows."""

    name: str
    size: int
    rows: int


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """`revision` and `newest` are numbers of migrations: the server's and this program's. `at` is the server's clock.

    `broken` is the first record of the log that does not follow from the one before it, None when all do;
    `news_queue` the share of PostgreSQL's notification queue that is full (0 to 1; a listener that hangs fills it);
    `sitters` how many sessions of stations were ended now that kept a transaction open over others.
    """

    server_id: UUID
    postgresql: str
    revision: str
    newest: str
    schema: int
    role_prefix: str
    at: datetime
    seq: int
    hash: str
    parked: int
    size: int
    news_queue: float
    sitters: int
    encrypted: bool
    broken: int | None
    stations: tuple[StationStatus, ...]
    tables: tuple[TableSize, ...]


def status(url: str, verify: bool = True) -> ServerStatus:
    """What the owner of the server wants to know; `verify` recomputes the whole log (120,000 records a second).

    Raises `Refused` or `WorldFault`.
    """
    with plain_errors(), connect(url, seconds=10, program="lineside server") as connection:
        require_server(connection)
        connection.patience = 600.0
        sitters = 0
        if connection.execute("SELECT to_regproc('sync._end_sitters') IS NOT NULL").fetchone() == (True,):
            ended = connection.execute("SELECT sync._end_sitters()").fetchone()
            sitters = 0 if ended is None else ended[0]
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return _read(connection, verify, sitters)


def _read(connection: psycopg.Connection[Any], verify: bool, sitters: int) -> ServerStatus:
    head = connection.execute(
        "SELECT seq, encode(hash, 'hex') FROM sync.log ORDER BY seq DESC LIMIT 1"
    ).fetchone() or (0, "")
    facts = connection.execute(
        "SELECT s.id, current_setting('server_version'), (SELECT version_num FROM sync.schema_version), s.schema,"
        " s.role_prefix, clock_timestamp(), pg_database_size(current_database()), pg_notification_queue_usage(),"
        " coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) FROM sync.server s"
    ).fetchone()
    assert facts is not None
    server_id, postgresql, revision, schema, prefix, at, size, queue, encrypted = facts
    broken = connection.execute("SELECT sync.verify()").fetchone() if verify else None
    stations = tuple(StationStatus(*row) for row in connection.execute(_STATIONS))
    return ServerStatus(
        server_id=server_id,
        postgresql=postgresql,
        revision=revision,
        newest=known_revisions()[-1],
        schema=schema,
        role_prefix=prefix,
        at=at,
        seq=head[0],
        hash=head[1],
        parked=sum(station.parked for station in stations),
        size=size,
        news_queue=queue,
        sitters=sitters,
        encrypted=encrypted,
        broken=None if broken is None else broken[0],
        stations=stations,
        tables=tuple(TableSize(*row) for row in connection.execute(_SIZES)),
    )
