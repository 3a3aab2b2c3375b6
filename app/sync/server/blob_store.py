"""What the owner of a server does about photos and files: where their bytes go, how much may lie there, clean-up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.domain.errors import Refused
from app.sync.attachments.store_address import StoreAddress
from app.sync.attachments.stores import HeldFile, OutsideStore, owners_store
from app.sync.server.address import connect
from app.sync.server.creation import require_server
from app.sync.server.sentences import plain_errors

if TYPE_CHECKING:
    import psycopg

KEEP_DAYS = 30


@dataclass(frozen=True, slots=True)
class CleanedBlobs:
    """How many files nothing spoke of any more, and the bytes that they took."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class BlobFigures:
    """Photos and files at the server: whole ones, their bytes, those that are still on their way, where they go."""

    files: int
    bytes: int
    unfinished: int
    store_url: str


@contextmanager
def _owner(url: str) -> Iterator[psycopg.Connection[Any]]:
    with plain_errors(), connect(url, seconds=10, program="lineside server") as connection:
        require_server(connection)
        yield connection


def set_store(url: str, store_url: str) -> None:
    """Have stations put new bytes into this store (empty: into the database); what lies in the database stays there.

    A store that has files already gives way to one that has all of them too. Raises `Refused` for an address that is
    no store or lacks some, `WorldFault` when from here nothing can be put there and removed.
    """
    outside = owners_store(store_url) if store_url else None
    if outside is not None:
        outside.prove()
    with _owner(url) as connection:
        known = connection.execute("SELECT store_url FROM sync.blob_terms").fetchone()
        if known and known[0] not in ("", store_url):
            lacking = _lacking(connection, outside)
            if lacking and outside is None:
                raise Refused(
                    f"{lacking:,} files lie in {known[0]}, and stations would not find them any more."
                )
            if lacking:
                raise Refused(
                    f"{lacking:,} files lie in {known[0]} and not in {store_url}; copy everything there first, then "
                    "say this again."
                )
        connection.execute("UPDATE sync.blob_terms SET store_url = %s", (store_url,))


def _lacking(connection: psycopg.Connection[Any], outside: OutsideStore | None) -> int:
    """How many of the files that lie beside the database are not, or not whole, in this store."""
    lying = connection.execute(
        "SELECT encode(sha256, 'hex'), size FROM sync.blob WHERE external AND complete"
    ).fetchall()
    there = {found.sha256: found.size for found in outside.held()} if outside is not None and lying else {}
    return sum(there.get(sha256) != size for sha256, size in lying)


def in_clear(store_url: str) -> bool:
    """Whether photos travel unencrypted to this store; an empty address is the database."""
    return bool(store_url) and StoreAddress(store_url).in_clear


def set_quota(url: str, *, largest: int | None = None, station_quota: int | None = None) -> None:
    """Set the largest file and what one station may have sent in all, in bytes; None leaves it as it is."""
    with _owner(url) as connection:
        connection.execute(
            "UPDATE sync.blob_terms SET largest = coalesce(%s, largest), station_quota = coalesce(%s, station_quota)",
            (largest, station_quota),
        )


def blob_figures(url: str) -> BlobFigures:
    with _owner(url) as connection:
        row = connection.execute(
            "SELECT count(*) FILTER (WHERE complete), coalesce(sum(size) FILTER (WHERE complete), 0)::bigint,"
            " count(*) FILTER (WHERE NOT complete), (SELECT store_url FROM sync.blob_terms) FROM sync.blob"
        ).fetchone()
    assert row is not None
    return BlobFigures(*row)


def clean_blobs(url: str, *, older_days: float = KEEP_DAYS) -> CleanedBlobs:
    """Remove what no row speaks of and nobody began to send within `older_days`, in the database and in its store.

    What a person removed lately stays, for an undo brings it back. Safe to stop and to repeat.
    """
    files = size = 0
    with _owner(url) as connection:
        while True:
            # A few at a time: changes of stations wait while these go.
            gone = connection.execute(
                "SELECT size, external FROM sync.remove_orphan_blobs(make_interval(secs => %s))",
                (older_days * 86_400.0,),
            ).fetchall()
            if not gone:
                break
            here = [row[0] for row in gone if not row[1]]
            files, size = files + len(here), size + sum(here)
        terms = connection.execute("SELECT store_url, now() FROM sync.blob_terms").fetchone()
        if terms and terms[0]:
            outside = owners_store(terms[0])
            # Of two clocks the one that is behind: one that is ahead would call a fresh file old.
            before = min(datetime.now(UTC), terms[1]) - timedelta(days=older_days)
            old = [found for found in outside.held() if found.put_at <= before]
            removed = [found.size for found in old if _remove(connection, outside, found)]
            files, size = files + len(removed), size + sum(removed)
    return CleanedBlobs(files, size)


def _remove(connection: psycopg.Connection[Any], outside: OutsideStore, found: HeldFile) -> bool:
    """Take one file out of the store unless the server knows it; returns whether it went."""
    with connection.transaction(force_rollback=True):
        # Holds the name until the file is gone: a station that begins to send the same bytes waits here, and then
        # finds nothing. Else it would find them there, and count them, a moment before they go.
        held = connection.execute(
            "INSERT INTO sync.blob (sha256, size, mime, station) VALUES (%b, %s, '', '')"
            " ON CONFLICT DO NOTHING RETURNING true",
            (bytes.fromhex(found.sha256), max(1, found.size)),
        ).fetchone()
        if held:
            outside.remove(found.sha256)
    return held is not None
