"""Fetches the bytes of one photo or file and verifies them; a cut download goes on where it was cut."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from app.domain.errors import NotFound, WorldFault
from app.store.blobs import BlobFolder
from app.sync.attachments.shelf import FoundBlob, ServerShelf, Terms
from app.sync.attachments.stores import OutsideStore
from app.sync.attachments.uploading import Told


def fetch_blob(
    shelf: ServerShelf,
    terms: Terms,
    outside_of: Callable[[], OutsideStore],
    folder: BlobFolder,
    sha256: str,
    told: Told,
) -> None:
    """Bring bytes here, unless they are here and sound.

    Raises `NotFound` when the server does not have them (yet), `WorldFault` (try again; what came is kept).
    """
    if folder.has(sha256) and folder.is_sound(sha256):
        return
    found = shelf.find(sha256)
    if found is None:
        raise NotFound(
            "This file has not reached the server yet; the station that added it has to be online."
        )
    with folder.part(sha256) as part:
        part.seek(0, 2)
        begin = min(part.tell(), found.size) // terms.chunk * terms.chunk
        part.truncate(begin)
        part.seek(begin)
        pieces = (
            _outside(outside_of(), sha256, begin)
            if found.external
            else _chunks(shelf, terms, found, sha256, begin)
        )
        told(begin, found.size)
        for piece in pieces:
            part.write(piece)
            told(part.tell(), found.size)
        if _digest(part) != sha256:
            part.truncate(0)
            _doubt(shelf, found, sha256)
        folder.settle_part(sha256, part)


def _chunks(shelf: ServerShelf, terms: Terms, found: FoundBlob, sha256: str, begin: int) -> Iterator[bytes]:
    for n in range(begin // terms.chunk, -(-found.size // terms.chunk)):
        yield shelf.chunk(sha256, n)


def _outside(outside: OutsideStore, sha256: str, begin: int) -> Iterator[bytes]:
    yield from outside.pieces(sha256, begin)


def _digest(part: BinaryIO) -> str:
    part.seek(0)
    digest = hashlib.sha256()
    while piece := part.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def _doubt(shelf: ServerShelf, found: FoundBlob, sha256: str) -> None:
    if not found.external and shelf.doubt(sha256):
        raise NotFound("This file was damaged on the server; it comes again from the station that has it.")
    raise WorldFault("This file arrived damaged; it is fetched again.")
