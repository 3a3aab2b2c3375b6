"""Of a station's data folder and its copies one at a time talks to machines: which, and since when it was heard."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

# `copy` is one data folder on one computer, `run` one run of its collector, `backend` the session in which it was last
# heard. `asked_*` is another run that wants to begin, and since when it has been asking without a pause.
_COLLECTOR = """
CREATE TABLE sync.collector (
    station text PRIMARY KEY,
    copy uuid NOT NULL,
    run uuid NOT NULL,
    backend integer NOT NULL,
    began_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    asked_run uuid,
    asked_since timestamptz,
    asked_at timestamptz
)
"""
# They are made anew with one more argument: the run that calls.
_OLD = (
    "take_lease(uuid, uuid, boolean)",
    "keep_leases(uuid[])",
    "holds_lease(uuid, bigint)",
    "put_live(text[], uuid[], bigint[], bigint[], float8[], text[], bigint[], jsonb)",
    "put_alarms(jsonb, uuid[])",
    "put_answers(jsonb)",
    "open_stream(uuid, integer, bigint)",
    "forward(uuid, integer, bigint, bigint, integer[], timestamptz[], float8[], integer[], float4[], text[], bigint[])",
)


def upgrade() -> None:
    op.execute(_COLLECTOR)
    for function in _OLD:
        op.execute(f"DROP FUNCTION IF EXISTS sync.{function}")


def downgrade() -> None:
    raise NotImplementedError("a server is never put back to an older version; restore a backup instead")
