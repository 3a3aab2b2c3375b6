"""What the sync process says of itself in `sync.json`, for windows and the command line to read."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from app.domain.decoding import json_decoder
from app.store.private_file import write_private

FILE_NAME = "sync.json"

STARTING, ONLINE, OFFLINE, PAUSED, REFUSED = "starting", "online", "offline", "paused", "refused"
"""States: not connected yet · talking to the server · it cannot be reached · a person works offline on purpose ·
the server lets this station do nothing until a person acts (disabled, program too old, grant over)."""


class Progress(msgspec.Struct, frozen=True):
    """A long step under way: `what` in words, `done` of `total` (0 when that is not known)."""

    what: str
    done: int
    total: int


class Presence(msgspec.Struct, frozen=True):
    """Somebody at another station has this row open, or a form that changes it; `at` is the server's clock."""

    entity: str
    id: str
    actor: str
    station: str
    at: datetime
    editing: bool = False


class Transfer(msgspec.Struct, frozen=True):
    """A photo or file on its way: `up` to the server, `done` of `total` bytes; `problem` says why it stopped."""

    sha256: str
    up: bool
    done: int
    total: int
    problem: str = ""


class SyncStatus(msgspec.Struct, frozen=True):
    """One state of the sync process. Times are aware UTC of this computer, `clock_offset_s` seconds.

    `since` is when `state` began. `to_send` counts entries that no server has confirmed, the oldest made at
    `oldest_pending_at`. `conflicts` are open ones. `checked_at` is when this station last had all that the server had,
    None before the first time. `tls` names how the connection is protected: "verified", "unverified", "none", "local"
    (it does not leave this computer), or "" before the first one. `last_error` is a sentence for people, empty when
    the last round went well. `confirmed_at` is the time of the last round that left nothing to send. `clock_offset_s`
    is this computer's clock minus the server's. `address` and `token` lead to the control of the process.
    """

    state: str = STARTING
    since: datetime | None = None
    written_at: datetime | None = None
    pid: int = 0
    server: str = ""
    station: str = ""
    to_send: int = 0
    oldest_pending_at: datetime | None = None
    conflicts: int = 0
    checked_at: datetime | None = None
    tls: str = ""
    progress: Progress | None = None
    last_error: str = ""
    confirmed_at: datetime | None = None
    clock_offset_s: float | None = None
    presence: tuple[Presence, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    address: str = ""
    token: str = ""

    @property
    def photos_problem(self) -> str:
        """Why the last photo or file that stopped did not reach the server, a sentence; empty when none did."""
        problems = [moving.problem for moving in self.transfers if moving.up and moving.problem]
        return problems[-1] if problems else ""


_reader = json_decoder(SyncStatus)


def read_status(folder: Path) -> SyncStatus | None:
    """What the process of this data folder wrote last; None when none ever ran, or its words cannot be read."""
    try:
        return _reader.decode((folder / FILE_NAME).read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def write_status(folder: Path, status: SyncStatus) -> None:
    """Replace the file at once; only its owner may read it."""
    write_private(folder / FILE_NAME, msgspec.json.encode(status).decode())
