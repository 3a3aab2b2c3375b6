"""A store beside the database for photos and files: S3, Azure, Google, or a folder that all stations reach."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.domain.attachments import is_digest
from app.domain.errors import NotFound, Refused, WorldFault

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PART_BYTES = 5 * 1024 * 1024  # the least that S3 takes as a part of a larger object
_READ_BYTES = 1024 * 1024
SCHEMES = ("s3", "az", "gs", "file", "https", "http")

Progress = Callable[[int], None]
"""Told how many bytes are done; may raise to stop, and may wait to let others go first."""


class OutsideStore:
    """One store, each file under `<first two digits>/<SHA-256>`.

    Credentials come from the environment as its makers document them (AWS_ACCESS_KEY_ID and the like), or from
    `secrets` with the same names in lower case, which come from the keyring.
    """

    def __init__(self, url: str, secrets: Mapping[str, str] | None = None) -> None:
        """Raises `Refused` for an address that names no store."""
        from obstore.exceptions import BaseError
        from obstore.store import from_url

        self.url = url
        options: dict[str, Any] = {}
        scheme = urlsplit(url).scheme
        if scheme == "file":
            options["mkdir"] = True
        elif scheme not in ("memory",):
            options |= {"config": dict(secrets or {}), "client_options": {"timeout": "60s"}}
            if scheme == "http" or (secrets or {}).get("aws_allow_http") == "true":
                options["client_options"]["allow_http"] = True
        try:
            self._store: ObjectStore = from_url(url, **options)
        except (BaseError, ValueError) as error:
            raise Refused(f"{url} is no store for photos and files ({_first_line(error)}).") from error

    def send(self, sha256: str, file: Path, progress: Progress) -> None:
        """Put a file there unless it is there already, and read it back: only then it counts.

        A file of more than 5 MB goes in parts; after a cut the whole file goes again, and the store drops the parts.
        """
        if not self._is_there(sha256, file.stat().st_size):
            with _plain_faults(self.url):
                import obstore

                obstore.put(
                    self._store,
                    _key(sha256),
                    _pieces(file, progress),
                    chunk_size=PART_BYTES,
                    max_concurrency=1,
                )
        digest = hashlib.sha256()
        for piece in self.pieces(sha256, 0):
            digest.update(piece)
        if digest.hexdigest() != sha256:
            self.remove(sha256)
            raise WorldFault("A photo or file reached the store changed; it is sent once more.")

    def _is_there(self, sha256: str, size: int) -> bool:
        import obstore

        try:
            return bool(obstore.head(self._store, _key(sha256))["size"] == size)
        except (FileNotFoundError, obstore.exceptions.NotFoundError):
            return False
        except obstore.exceptions.BaseError as error:
            raise _fault(self.url, error) from error

    def pieces(self, sha256: str, begin: int) -> Iterator[bytes]:
        """The bytes from `begin` on, a megabyte at a time. Raises `NotFound` and `WorldFault`."""
        import obstore

        with _plain_faults(self.url):
            size = obstore.head(self._store, _key(sha256))["size"]
            while begin < size:
                end = min(size, begin + _READ_BYTES)
                piece = bytes(obstore.get_range(self._store, _key(sha256), start=begin, end=end))
                begin = end
                yield piece

    def remove(self, sha256: str) -> None:
        import obstore

        with _plain_faults(self.url):
            try:
                obstore.delete(self._store, _key(sha256))
            except (FileNotFoundError, obstore.exceptions.NotFoundError):
                return

    def held(self) -> Iterator[tuple[str, int, datetime]]:
        """Everything there: SHA-256 in hex, size in bytes, when it was put there."""
        import obstore

        with _plain_faults(self.url):
            for page in obstore.list(self._store, chunk_size=500):
                for meta in page:
                    sha256 = meta["path"].rpartition("/")[2]
                    if is_digest(sha256) and meta["path"].endswith(_key(sha256)):
                        yield sha256, meta["size"], meta["last_modified"]


def _key(sha256: str) -> str:
    if not is_digest(sha256):
        raise ValueError(f"no SHA-256: {sha256[:80]!r}")
    return f"{sha256[:2]}/{sha256}"


def _pieces(file: Path, progress: Progress) -> Iterator[bytes]:
    done = 0
    with file.open("rb") as stream:
        while piece := stream.read(256 * 1024):
            yield piece
            done += len(piece)
            progress(done)


@contextmanager
def _plain_faults(url: str) -> Iterator[None]:
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield
    except (FileNotFoundError, NotFoundError) as error:
        raise NotFound("The store of photos and files does not have this one.") from error
    except (BaseError, OSError) as error:
        raise _fault(url, error) from error


def _fault(url: str, error: Exception) -> WorldFault:
    return WorldFault(f"The store {url} for photos and files does not answer ({_first_line(error)}).")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
