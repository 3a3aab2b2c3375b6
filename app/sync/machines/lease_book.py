"""Who holds which machine, as the server last said, kept in a file: what counts while the server is not reached."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog

from app.store.private_file import write_private

log = structlog.get_logger(__name__)

FILE_NAME = "leases.json"


@dataclass(frozen=True, slots=True)
class Held:
    """A station that holds a machine; `epoch` is 0 as long as the server has not confirmed it."""

    epoch: int
    station: str


class LeaseBook:
    """The newest known holder of every machine by its connection's id; `keep` writes the file where it differs.

    For a collector the file counts for its `copy` of the data folder alone: what another copy held is not held here.
    Who only reads says None.
    """

    def __init__(self, folder: Path, copy: UUID | None = None) -> None:
        self._file, self._copy = folder / FILE_NAME, "" if copy is None else str(copy)
        self._kept: tuple[dict[UUID, Held], bool] | None = None
        self.held: dict[UUID, Held] = {}

    def read(self, station: str) -> bool | None:
        """Take up what an earlier collector of this station left here; None when there is no book, False when it is
        another's."""
        try:
            facts = json.loads(self._file.read_text(encoding="utf-8"))
            if facts["station"] != station:
                return None
            if self._copy and facts["copy"] != self._copy:
                return False
            self.held = {
                UUID(id): Held(int(h["epoch"]), str(h["station"])) for id, h in facts["leases"].items()
            }
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("leases not understood, the server is asked", reason=str(error))
            return False
        self._kept = dict(self.held), True
        return True

    def learn(self, held: Mapping[UUID, Held]) -> None:
        """What the server says now takes the place of everything that was known."""
        self.held = dict(held)

    def keep(self, station: str, *, ours: bool = True) -> None:
        """Put it on the disk if it changed; blocks. It is not `ours` while another copy has the station's machines."""
        held = dict(self.held)
        if (held, ours) == self._kept:
            return
        leases = {str(id): {"epoch": h.epoch, "station": h.station} for id, h in held.items()}
        write_private(
            self._file, json.dumps({"station": station, "copy": self._copy if ours else "", "leases": leases})
        )
        self._kept = held, ours
