"""Alarms are taken out of service with a work permit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("alarm_action", sa.Column("permit", sa.String(), server_default="", nullable=False))
