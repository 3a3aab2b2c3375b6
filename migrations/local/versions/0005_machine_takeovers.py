"""Orders that another station shall talk to a machine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.tables.base import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "machine_takeover",
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("station", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("machine_takeover", schema=None) as batch_op:
        batch_op.create_index("ix_machine_takeover_connection", ["connection_id"], unique=False)
