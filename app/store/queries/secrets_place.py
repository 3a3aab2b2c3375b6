"""Where the passwords of this data folder are kept: its own place in the keyring, wherever the folder is moved."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from app.store.machine_secrets import SecretsPlace
from app.store.tables import Meta

_SOURCE = "source"


def secrets_place(folder: Path, session: Session) -> SecretsPlace:
    """The place for the store that `session` reads, which lies in `folder`."""
    source = session.get(Meta, _SOURCE)
    return SecretsPlace(folder, "" if source is None else source.value)
