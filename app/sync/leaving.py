"""Ends that a data folder is a station: address and secrets go, the data stays as a copy that can be read."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.store.queries.unsent import left_behind
from app.store.sessions import Store
from app.sync.membership import AUTHORITY_NAME, address_of, forget_address, forget_secrets
from app.sync.passwords import waiting_passwords
from app.sync.sole import sole_engine
from app.sync.staging import FILE_NAME as STAGING_NAME
from app.sync.status import FILE_NAME as STATUS_NAME


def leave(folder: Path, store: Store, *, anyway: bool = False) -> str:
    """Forget the server, its password and the key of this station; returns the name of the station.

    A new line for the same station brings the folder back to where it was. Raises `Refused` where nothing is shared,
    while a sync process runs, and, but for `anyway`, while something is here that the server does not have.
    """
    address = address_of(folder)
    if address is None:
        raise Refused("This data folder shares no server, or left it already.")
    with sole_engine(folder):
        with store.reader() as session:
            words = _left_behind(session)
        if words and not anyway:
            raise Refused(
                f"The server does not have {words} of this computer; `lineside sync --once` sends what it can, "
                "`--anyway` leaves the rest here."
            )
        forget_secrets(folder, address)
        for name in (AUTHORITY_NAME, STATUS_NAME):
            (folder / name).unlink(missing_ok=True)
        forget_address(folder)  # last: until then it can be done again
    return address.station


def forget_joining(folder: Path) -> None:
    """Take away what a joining left that was cut off before this folder became a station, as Cancel would have.

    Only for whoever is the `sole_engine`: a joining under way is that itself.
    """
    address = address_of(folder)
    if address is not None:
        forget_secrets(folder, address)
    for name in (AUTHORITY_NAME, STATUS_NAME, STAGING_NAME):
        (folder / name).unlink(missing_ok=True)
    forget_address(folder)


def _left_behind(session: Session) -> str:
    """What would be here alone, in words; empty for nothing."""
    unsent = left_behind(session, limit=0)
    counts = {
        "changes": unsent.count,
        "photos and files": len(unsent.photos),
        "new passwords": waiting_passwords(session),
    }
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
