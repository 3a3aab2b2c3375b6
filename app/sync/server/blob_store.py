"""What the owner of a server does about photos and files: where their bytes go, how much may lie there, clean-up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.domain.errors import Refused
from app.sync.attachments.stores import OutsideStore
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


def set_store(url: str, store_url: str, secrets: Mapping[str, str] | None = None) -> None:
    """Have stations put new bytes into this store (empty: into the database); what lies elsewhere stays there.

    Raises `Refused` for an address that is no store, `WorldFault` when the store does not answer from here.
    """
    if store_url:
        for _ in OutsideStore(store_url, secrets).held():
            break
    with _owner(url) as connection:
        lying = connection.execute("SELECT count(*) FROM sync.blob WHERE external AND complete").fetchone()
        known = connection.execute("SELECT store_url FROM sync.blob_terms").fetchone()
        if lying and lying[0] and known and known[0] not in ("", store_url):
            raise Refused(
                f"{lying[0]:,} files lie in {known[0]}; copy them to the new store first, then clear the old address."
                if store_url
                else f"{lying[0]:,} files lie in {known[0]}, and stations would not find them any more."
            )
        connection.execute("UPDATE sync.blob_terms SET store_url = %s", (store_url,))


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


def clean_blobs(
    url: str, *, older_days: float = KEEP_DAYS, secrets: Mapping[str, str] | None = None
) -> CleanedBlobs:
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
        store_url = connection.execute("SELECT store_url FROM sync.blob_terms").fetchone()
        if store_url and store_url[0]:
            outside = OutsideStore(store_url[0], secrets)
            before = datetime.now(UTC) - timedelta(days=older_days)
            removed = [_remove(connection, outside, *found, before) for found in list(outside.held())]
            files, size = files + sum(1 for one in removed if one), size + sum(removed)
    return CleanedBlobs(files, size)


def _remove(
    connection: psycopg.Connection[Any],
    outside: OutsideStore,
    sha256: str,
    size: int,
    put_at: datetime,
    before: datetime,
) -> int:
    """Take one file out of the store, unless the server knows it or it is fresh; returns the bytes that went."""
    # Asked one by one, right before: somebody may begin to send the same bytes while this runs.
    known = connection.execute(
        "SELECT 1 FROM sync.blob WHERE sha256 = %b", (bytes.fromhex(sha256),)
    ).fetchone()
    if known or put_at > before:
        return 0
    outside.remove(sha256)
    return size
