"""What this station has to say of itself: changes that wait for a server, the size and schema of its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.store import sharing
from app.store.journal import first_broken_line, waiting_changes
from app.store.tables import Audit


@dataclass(frozen=True, slots=True)
class StationState:
    """`pending` changes wait for a server; `audit_lines` are in the trail; `revision` is the schema of the store."""

    pending: int
    audit_lines: int
    revision: str


def station_name(session: Session) -> str | None:
    """The station that this store is at a shared server, None when it shares nothing."""
    return sharing.joined_station(session)


def pending_changes(session: Session) -> int:
    """How many changes wait for a server."""
    return waiting_changes(session)


def station_state(session: Session) -> StationState:
    """All of it at once."""
    lines = session.execute(select(func.max(Audit.seq))).scalar_one()
    revision = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    return StationState(pending_changes(session), int(lines or 0), str(revision))


def broken_audit_line(session: Session) -> int | None:
    """Number of the first audit line that does not follow from those before it, None when all do."""
    return first_broken_line(session)


def file_sizes(folder: Path) -> dict[str, int]:
    """Bytes of each store in `folder`, its write-ahead log included; call it from a worker thread."""
    sizes: dict[str, int] = {}
    for name in ("lineside.sqlite", "history.sqlite"):
        parts = [folder / name, folder / f"{name}-wal"]
        present = [part.stat().st_size for part in parts if part.exists()]
        if present:
            sizes[name] = sum(present)
    return sizes
