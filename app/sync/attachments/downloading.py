"""Fetches the bytes of one photo or file and verifies them; a cut download goes on where it was cut."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from app.domain.errors import NotFound, WorldFault
from app.store.blobs import BlobFolder
from app.sync.attachments.shelf import FoundBlob, ServerShelf, Terms
from app.sync.attachments.store_faults import ObjectMissing
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
    outside = outside_of() if found.external else None

    def pieces(begin: int) -> Iterator[bytes]:
        if outside is not None:
            return outside.pieces(sha256, begin, found.size)
        return _chunks(shelf, terms, found, sha256, begin)

    with folder.part(sha256) as part:
        part.seek(0, 2)
        begin = min(part.tell(), found.size) // terms.chunk * terms.chunk
        sound = _fill(part, pieces, begin, found.size, sha256, told)
        if not sound and begin:  # what lay here from another day may have been what was wrong
            sound = _fill(part, pieces, 0, found.size, sha256, told)
        if not sound:
            part.truncate(0)
            _doubt(shelf, found, outside, sha256)
        folder.settle_part(sha256, part)


def _fill(
    part: BinaryIO, pieces: Callable[[int], Iterator[bytes]], begin: int, size: int, sha256: str, told: Told
) -> bool:
    """Write everything from `begin` on behind what is in `part`; whether the whole is what its name says."""
    part.truncate(begin)
    part.seek(begin)
    told(begin, size)
    try:
        for piece in pieces(begin):
            part.write(piece)
            told(part.tell(), size)
    except ObjectMissing:
        return False
    return _digest(part) == sha256


def _chunks(shelf: ServerShelf, terms: Terms, found: FoundBlob, sha256: str, begin: int) -> Iterator[bytes]:
    for n in range(begin // terms.chunk, -(-found.size // terms.chunk)):
        yield shelf.chunk(sha256, n)


def _digest(part: BinaryIO) -> str:
    part.seek(0)
    digest = hashlib.sha256()
    while piece := part.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def _doubt(shelf: ServerShelf, found: FoundBlob, outside: OutsideStore | None, sha256: str) -> None:
    told = shelf.doubt(sha256)
    if outside is not None:
        raise NotFound(
            "This file was changed, damaged or removed in the store, so it is not shown. A station that still has it "
            f"sends it again by itself; else an administrator puts {outside.where(sha256)} back from a backup."
        )
    if told:
        raise NotFound("This file was damaged on the server; it comes again from the station that has it.")
    raise WorldFault("This file arrived damaged; it is fetched again.")
