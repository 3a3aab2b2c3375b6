"""A product has one route: a step of it stands at one position."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # The door always replaced a whole route, so there should be none; of two the server keeps the older one as well.
    op.execute(
        "UPDATE route_stage SET deleted = 1, version = version + 1 WHERE NOT deleted AND EXISTS ("
        " SELECT 1 FROM route_stage o WHERE o.product = route_stage.product"
        " AND o.position = route_stage.position AND NOT o.deleted AND o.id < route_stage.id)"
    )
    with op.batch_alter_table("route_stage", schema=None) as batch_op:
        batch_op.drop_index("ix_route_stage_product")
        batch_op.create_index(
            "ux_route_stage_place", ["product", "position"], unique=True, sqlite_where=sa.text("deleted = 0")
        )
