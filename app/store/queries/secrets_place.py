"""Where the passwords of this data folder are kept: its own place in the keyring, wherever the folder is moved."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from app.store.journal import SOURCE
from app.store.machine_secrets import SecretsPlace
from app.store.tables import Meta

SECRETS_PLACE = "secrets.place"
"""Fact in `meta`: the identity that named the place before the file was given another one."""


def secrets_place(folder: Path, session: Session) -> SecretsPlace:
    """The place for the store that `session` reads, which lies in `folder`."""
    source = session.get(Meta, SECRETS_PLACE) or session.get(Meta, SOURCE)
    return SecretsPlace(folder, "" if source is None else source.value)
