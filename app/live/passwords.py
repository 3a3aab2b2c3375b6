"""The passwords of machines, as the keyring of this computer gives them."""

from __future__ import annotations

import structlog

from app.domain.errors import LinesideError
from app.domain.plant import Plant
from app.live.source import PlantSource

log = structlog.get_logger(__name__)


class Passwords:
    """`missing` says that a keyring did not answer the last time; `read` blocks."""

    def __init__(self, source: PlantSource) -> None:
        self._source = source
        self._known: dict[str, str] = {}
        self.missing = False

    def read(self, plant: Plant) -> dict[str, str]:
        """The passwords of all connections with a user; the known one where the keyring does not answer now.

        One that was never known is left out and asked for again: a wrong password would lock an account.
        """
        passwords: dict[str, str] = {}
        missing = False
        for connection in plant.connections:
            if connection.user:
                try:
                    passwords[connection.name] = self._source.password(connection.name)
                except LinesideError as fault:
                    log.warning("password not read", connection=connection.name, reason=fault.sentence)
                    missing = True
                    if connection.name in self._known:
                        passwords[connection.name] = self._known[connection.name]
        self._known, self.missing = passwords, missing
        return passwords
