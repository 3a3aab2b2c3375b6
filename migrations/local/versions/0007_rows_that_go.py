"""An order whose row goes is not found by its words any more."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

_COLUMNS = ("number", "product", "product_name", "lot", "customer")


def upgrade() -> None:
    columns = ", ".join(_COLUMNS)
    old = ", ".join(f"old.{name}" for name in _COLUMNS)
    op.execute(
        "CREATE TRIGGER work_order_text_delete AFTER DELETE ON work_order BEGIN "
        f"INSERT INTO work_order_text(work_order_text, rowid, {columns}) VALUES ('delete', old.rowid, {old}); END"
    )
