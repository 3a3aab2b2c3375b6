"""Sends the bytes of one photo or file: only what the server does not have yet, never in the way of a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.domain.errors import WorldFault
from app.store.blobs import BlobFolder
from app.store.queries.attachments import WaitingBlob
from app.sync.attachments.shelf import ChunksLost, ServerShelf, Terms
from app.sync.attachments.stores import OutsideStore

Told = Callable[[int, int], None]
"""Told how many bytes are done, of how many. Called before each piece: it may wait, and raise to stop."""


def send_blob(
    shelf: ServerShelf,
    terms: Terms,
    outside: OutsideStore | None,
    folder: BlobFolder,
    blob: WaitingBlob,
    told: Told,
) -> None:
    """Bring bytes to the server until it has verified them; what it has already is not sent again.

    Raises `Refused` (too large, quota), `WorldFault` (try again later; nothing that arrived is lost).
    """
    told(0, blob.size)
    if not shelf.begin(blob.sha256, blob.size, blob.mime):
        if outside is not None:
            _require_sound(folder, blob.sha256)  # a database computes the digest itself, a store does not
            with _readable():
                outside.send(blob.sha256, folder.file(blob.sha256), lambda done: told(done, blob.size))
        else:
            _send_chunks(shelf, terms, folder, blob, told)
    try:
        # Also for bytes that were there before: if this row came while another station was finishing, it says so now.
        shelf.finish(blob.sha256, external=outside is not None)
    except ChunksLost:
        _require_sound(folder, blob.sha256)
        raise
    told(blob.size, blob.size)


def _require_sound(folder: BlobFolder, sha256: str) -> None:
    if not folder.is_sound(sha256):
        folder.put_aside(sha256)
        raise WorldFault(
            "A photo or file was damaged on the disk of this station before it was sent; add it again."
        )


def _send_chunks(shelf: ServerShelf, terms: Terms, folder: BlobFolder, blob: WaitingBlob, told: Told) -> None:
    missing = shelf.missing(blob.sha256)
    done = blob.size - sum(min(terms.chunk, blob.size - n * terms.chunk) for n in missing)
    with _readable(), folder.file(blob.sha256).open("rb") as file:
        for n in missing:
            told(done, blob.size)
            file.seek(n * terms.chunk)
            data = file.read(terms.chunk)
            shelf.put(blob.sha256, n, data)
            done += len(data)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WorldFault(f"A photo or file cannot be read for sending ({error.strerror}).") from error
