"""Stations that are gone stay known, old logins can be refused for some tables, and a product has one route."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

# `generation` grows when everything that was signed on a station before is to count for nothing.
_STATIONS = """
ALTER TABLE sync.station ADD COLUMN generation integer NOT NULL DEFAULT 1,
    ADD COLUMN removed boolean NOT NULL DEFAULT false;
UPDATE sync.station s SET generation = g.generation
    FROM (SELECT station, max(generation) AS generation FROM sync.login_grant GROUP BY station) g
    WHERE g.station = s.name;
ALTER TABLE sync.login_grant DROP COLUMN generation, ADD COLUMN logged_in_at timestamptz;
"""
# How fresh the login of whoever writes to a table has to be when its entry arrives; without a row any login will do.
_FRESH = "CREATE TABLE sync.fresh (entity text PRIMARY KEY, hours integer NOT NULL CHECK (hours > 0))"
# `outlives`: the row stays when what it belongs to is deleted. One column may belong to rows of several tables.
_PARENTS = """
ALTER TABLE sync.parent ADD COLUMN outlives boolean NOT NULL DEFAULT false;
ALTER TABLE sync.parent DROP CONSTRAINT parent_pkey, ADD PRIMARY KEY (entity, field, parent);
CREATE INDEX ix_issue_stage ON lineside.issue (stage_id);
CREATE INDEX ix_issue_work_order ON lineside.issue (work_order_id);
CREATE INDEX ix_inspection_stage ON lineside.inspection (stage_id);
CREATE INDEX ix_inspection_work_order ON lineside.inspection (work_order_id);
CREATE INDEX ix_inspection_result_inspection ON lineside.inspection_result (inspection_id);
CREATE INDEX ix_tag_equipment ON lineside.tag (equipment_id);
CREATE INDEX ix_tag_connection ON lineside.tag (connection_id);
CREATE INDEX ix_attachment_owner ON lineside.attachment (owner_id);
CREATE INDEX ix_attachment_sha256 ON lineside.attachment (sha256);
"""
# Where two stations set the first route of a product at once, the stages that came later go; every station hears of it.
_ROUTES = """
DO $$
DECLARE v_rows jsonb;
BEGIN
  WITH gone AS (
    UPDATE lineside.route_stage r SET deleted = true, version = r.version + 1
    WHERE NOT r.deleted AND EXISTS (
      SELECT FROM lineside.route_stage o
      WHERE o.product = r.product AND o.position = r.position AND NOT o.deleted AND o.id < r.id)
    RETURNING r.id, r.version)
  SELECT jsonb_agg(jsonb_build_object('e', 'route_stage', 'id', id, 'k', 'u', 'v', version,
      'set', '{"deleted": true}'::jsonb, 'was', '{"deleted": false}'::jsonb)) INTO v_rows FROM gone;
  IF v_rows IS NOT NULL THEN
    PERFORM sync._log_own('tidy_routes', 'A product had two routes', v_rows);
  END IF;
END $$;
CREATE UNIQUE INDEX ux_route_stage_place ON lineside.route_stage (product, position) WHERE NOT deleted;
"""


def upgrade() -> None:
    for step in (_STATIONS, _FRESH, _PARENTS, _ROUTES):
        op.get_bind().exec_driver_sql(step)


def downgrade() -> None:
    raise NotImplementedError("a server is never put back to an older version; restore a backup instead")
