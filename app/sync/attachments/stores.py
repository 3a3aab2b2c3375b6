"""A store beside the database for photos and files: S3, Azure, Google, or a folder that all stations reach."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.attachments import is_digest
from app.domain.errors import Refused, WorldFault
from app.sync.attachments.store_address import StoreAddress
from app.sync.attachments.store_faults import OWNER_KEY, STATION_KEY, ObjectMissing, plain_faults
from app.sync.files_key import FilesKey

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PIECE_BYTES = 1024 * 1024
_MARK = "lineside-keeps-files-here.txt"
_TIMES = {"connect_timeout": "10s", "timeout": "60s"}  # a piece gets through at 18 kB/s
_RETRIES = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}  # whoever waits wants a sentence soon
_KEY_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)

Progress = Callable[[int], None]
"""Told how many bytes are done; may raise to stop, and may wait to let others go first."""


@dataclass(frozen=True, slots=True)
class HeldFile:
    """One file in a store: SHA-256 in hex, bytes that are there, when the last piece of it came."""

    sha256: str
    size: int
    put_at: datetime


class OutsideStore:
    """One store, each file as `<first two digits>/<SHA-256>/00000`, `00001` and so on, of 1 MiB each.

    Pieces, and not the parts that S3 can put together: they outlive a cut and a crash, leave nothing behind that is
    paid for unseen, and are the same in every kind of store. Writing needs no right to delete.
    """

    def __init__(self, url: str, key: FilesKey | None = None, *, owner: bool = False) -> None:
        """`key` for S3; without one, what the environment holds under the names that the maker of the store uses.

        Raises `Refused` for an address that names no store, and for S3 without any key. An `owner` may make a folder;
        to others one that is not there is a `WorldFault`.
        """
        from obstore.exceptions import BaseError
        from obstore.store import from_url

        self.url, self.key = url, key
        self._address, self._key_advice = StoreAddress(url), OWNER_KEY if owner else STATION_KEY
        self._has_mark = self._address.is_folder and not owner
        self._sure: dict[str, str | None] = {}  # piece → its tag when it was read back
        if self._address.is_s3 and key is None and not any(os.environ.get(n) for n in _KEY_VARIABLES):
            raise Refused(f"There is no key here for the store {self._address.bare}; {self._key_advice}.")
        try:
            self._store: ObjectStore = from_url(self._address.bare, **_options(self._address, key, owner))
        except (BaseError, ValueError) as error:
            if self._address.is_folder and not owner:
                raise self._not_mounted() from error
            reason = str(error).strip().splitlines()[0][:200]
            raise Refused(f"{url} is no store for photos and files ({reason}).", field="store") from error

    def send(self, sha256: str, file: Path, progress: Progress) -> None:
        """Put there what is missing of a file, and read back every piece: only then it counts.

        What arrived is not sent again, whatever ended the last try.
        """
        self._require_mark()
        there = self._pieces_there(sha256)
        size, done = file.stat().st_size, 0
        with file.open("rb") as stream:
            for n in range(-(-size // PIECE_BYTES)):
                progress(done)
                data, name = stream.read(PIECE_BYTES), _piece(sha256, n)
                tag = there.get(name, "")
                if not tag or self._sure.get(name) != tag:
                    self._bring(name, data, name in there)
                done += len(data)
        self._require_mark()  # still
        progress(size)
        for name in [name for name in self._sure if name.startswith(_folder(sha256))]:
            del self._sure[name]

    def _pieces_there(self, sha256: str) -> dict[str, str]:
        import obstore

        with self._faults():
            return {
                meta["path"]: meta["e_tag"] or ""
                for page in obstore.list(self._store, prefix=_folder(sha256))
                for meta in page
            }

    def _bring(self, name: str, data: bytes, is_there: bool) -> None:
        """Have one piece there as it is here; another's, or a damaged one, is written over."""
        import obstore

        if is_there and self._reads(name) == data:
            return
        with self._faults():
            tag = obstore.put(self._store, name, data, use_multipart=False)["e_tag"]
        if self._reads(name) != data:
            raise WorldFault(
                f"The store {self._address.bare} gives back other bytes than it was given; an administrator has to "
                "look after it."
            )
        self._sure[name] = tag

    def _reads(self, name: str) -> bytes | None:
        import obstore

        try:
            with self._faults():
                return bytes(obstore.get(self._store, name).bytes())
        except ObjectMissing:
            return None

    def pieces(self, sha256: str, begin: int, size: int) -> Iterator[bytes]:
        """The bytes of a file of `size` from `begin` on. Raises `ObjectMissing` and `WorldFault`."""
        self._require_mark()
        while begin < size:
            n, offset = divmod(begin, PIECE_BYTES)
            piece = self._reads(_piece(sha256, n)) or b""
            if len(piece) != min(PIECE_BYTES, size - n * PIECE_BYTES):
                raise ObjectMissing("The store of photos and files does not have all of this one.")
            begin += len(piece) - offset
            yield piece[offset:]

    def where(self, sha256: str) -> str:
        """The folder of one file, for whoever looks after the store."""
        return f"{self._address.bare.rstrip('/')}/{_folder(sha256)}"

    def remove(self, sha256: str) -> None:
        import obstore

        for name in self._pieces_there(sha256):
            with self._faults():
                try:
                    obstore.delete(self._store, name)
                except FileNotFoundError:
                    continue

    def held(self) -> Iterator[HeldFile]:
        """Everything there, file by file."""
        import obstore

        found: dict[str, HeldFile] = {}
        with self._faults():
            for page in obstore.list(self._store, chunk_size=500):
                for meta in page:
                    folder, _, _ = meta["path"].rpartition("/")
                    sha256 = folder.rpartition("/")[2]
                    if is_digest(sha256) and folder == _folder(sha256):
                        known = found.get(sha256, HeldFile(sha256, 0, meta["last_modified"]))
                        latest = max(known.put_at, meta["last_modified"])
                        found[sha256] = HeldFile(sha256, known.size + meta["size"], latest)
        yield from found.values()

    def look(self) -> None:
        """Find out whether the store answers and knows the key. Raises `WorldFault` with the reason when not."""
        self._pieces_there("0" * 64)

    def prove(self) -> None:
        """Put a small object there, read it back and remove it; in a folder it stays, as its mark.

        Raises `WorldFault` when that cannot be done.
        """
        import obstore

        self._bring(_MARK, b"Lineside keeps photos and files here. Leave this file where it is.\n", False)
        del self._sure[_MARK]
        if not self._address.is_folder:
            with self._faults():
                obstore.delete(self._store, _MARK)

    def _require_mark(self) -> None:
        """Behind a network drive that is not connected lies an empty folder, which would take everything."""
        if self._has_mark and self._reads(_MARK) is None:
            raise self._not_mounted()

    def _not_mounted(self) -> WorldFault:
        return WorldFault(
            f"The folder {self._address.bare} for photos and files is not there at this computer; connect it (mount "
            "the network drive)."
        )

    def _faults(self) -> AbstractContextManager[None]:
        return plain_faults(self._address, self._key_advice)


def owners_store(url: str) -> OutsideStore:
    """A store as whoever owns the server reaches it: with the key of the environment, since they sit at a terminal."""
    return OutsideStore(url, owner=True)


def _options(address: StoreAddress, key: FilesKey | None, owner: bool) -> dict[str, Any]:
    if address.is_folder:
        return {"mkdir": owner}
    options: dict[str, Any] = {"retry_config": _RETRIES, "client_options": dict(_TIMES)}
    if address.options:
        options["config"] = address.options
    if address.in_clear:
        options["client_options"]["allow_http"] = True
    if address.is_s3 and key is not None:
        # Not as settings: those are completed from the environment, say by a token of somebody else's key.
        given = {"access_key_id": key.id, "secret_access_key": key.secret, "token": None, "expires_at": None}
        options["credential_provider"] = lambda: given
    return options


def _folder(sha256: str) -> str:
    if not is_digest(sha256):
        raise ValueError(f"no SHA-256: {sha256[:80]!r}")
    return f"{sha256[:2]}/{sha256}"


def _piece(sha256: str, n: int) -> str:
    return f"{_folder(sha256)}/{n:05}"
