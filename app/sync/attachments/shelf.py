"""The server's functions for photos and files as typed calls; what goes wrong comes as a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.errors import WorldFault
from app.sync.server.sentences import plain_errors

if TYPE_CHECKING:
    from psycopg import Connection

Connect = Callable[[], "Connection[Any]"]
"""Opens a connection of this station's role in autocommit; raises `Refused` or `WorldFault`."""


class ChunksLost(WorldFault):
    """The server threw away what had come, since it was not what its name says; all of it is sent again."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the server lays down: `store_url` of a store beside the database or empty, sizes in bytes."""

    store_url: str
    largest: int
    chunk: int


@dataclass(frozen=True, slots=True)
class FoundBlob:
    """Bytes that can be had from the server; `external` ones lie in the store beside the database."""

    size: int
    external: bool


class ServerShelf:
    """The photos and files at one server, through one connection that this object owns."""

    def __init__(self, connect: Connect) -> None:
        """Connects. Raises `Refused` or `WorldFault`."""
        with plain_errors():
            self._connection = connect()

    def close(self) -> None:
        self._connection.close()

    def terms(self) -> Terms:
        facts = self._call("SELECT sync.blob_terms()")
        return Terms(facts["store_url"], facts["largest"], facts["chunk"])

    def begin(self, sha256: str, size: int, mime: str) -> bool:
        """Announce bytes; True when the server has all of them already. Raises `Refused` for size and quota."""
        return bool(self._call("SELECT sync.begin_blob(%b, %s, %s)", bytes.fromhex(sha256), size, mime))

    def missing(self, sha256: str) -> list[int]:
        """The numbers of the chunks that have to come yet."""
        return list(self._call("SELECT sync.blob_chunks_missing(%b)", bytes.fromhex(sha256)))

    def put(self, sha256: str, n: int, data: bytes) -> None:
        self._call("SELECT sync.put_blob(%b, %s, %b)", bytes.fromhex(sha256), n, data)

    def finish(self, sha256: str, *, external: bool = False) -> None:
        """Have the server verify and say so to everyone. Raises `ChunksLost` when what came was wrong."""
        answer = self._call("SELECT sync.finish_blob(%b, %s)", bytes.fromhex(sha256), external)
        if answer["complete"]:
            return
        if answer["why"] == "no store":
            raise WorldFault(
                "The server keeps photos and files in the database now; they are sent once more."
            )
        raise ChunksLost("A photo or file reached the server incomplete or changed; it is sent once more.")

    def find(self, sha256: str) -> FoundBlob | None:
        """What the server has under this name, None when it is not complete there.

        In a store it is found also once somebody doubted it: an administrator may have put it back.
        """
        facts = self._call("SELECT sync.find_blob(%b)", bytes.fromhex(sha256))
        return None if facts is None else FoundBlob(facts["size"], facts["external"])

    def chunk(self, sha256: str, n: int) -> bytes:
        """One chunk of complete bytes. Raises `WorldFault` when it is gone meanwhile."""
        data = self._call("SELECT sync.get_blob_chunk(%b, %s)", bytes.fromhex(sha256), n)
        if data is None:
            raise WorldFault("The server does not have all of this file any more; try again later.")
        return bytes(data)

    def doubt(self, sha256: str) -> bool:
        """Have the server look at its own bytes again; True when it found them damaged and said so to everyone.

        It cannot look into a store: about that it says what this station says.
        """
        return bool(self._call("SELECT sync.doubt_blob(%b)", bytes.fromhex(sha256)))

    def _call(self, query: str, *values: object) -> Any:
        with plain_errors():
            # Binary both ways: as text, every chunk would be twice as long on the wire.
            row = self._connection.cursor(binary=True).execute(query.encode(), values).fetchone()
        assert row is not None
        return row[0]
