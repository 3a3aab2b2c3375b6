"""The tables of the shared server: what stations share (schema lineside), and what sharing takes (schema sync)."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Columns as the stations have them. Names are unique among the rows that are not deleted, and foreign keys can wait
# for the end of an entry, whose rows come in any order.
_SHARED = """
CREATE TABLE lineside.alarm_action (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    alarm text NOT NULL,
    action text NOT NULL,
    comment text NOT NULL DEFAULT '',
    until timestamptz,
    permit text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    actor text NOT NULL
);
CREATE TABLE lineside.attachment (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    owner text NOT NULL,
    owner_id uuid NOT NULL,
    name text NOT NULL,
    mime text NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL,
    thumbnail text NOT NULL DEFAULT '',
    stored boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL,
    author text NOT NULL
);
CREATE TABLE lineside.connection (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    name text NOT NULL,
    driver text NOT NULL,
    url text NOT NULL,
    settings jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX ux_connection_name ON lineside.connection (name) WHERE NOT deleted;
CREATE TABLE lineside.correction (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    tag text NOT NULL,
    start timestamptz NOT NULL,
    "end" timestamptz NOT NULL,
    kind text NOT NULL,
    amount double precision,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    author text NOT NULL
);
CREATE TABLE lineside.equipment (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    code text NOT NULL,
    name text NOT NULL,
    area text NOT NULL DEFAULT '',
    type text NOT NULL DEFAULT '',
    in_maintenance boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX ux_equipment_code ON lineside.equipment (code) WHERE NOT deleted;
CREATE TABLE lineside.import_run (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    number text NOT NULL,
    file_name text NOT NULL,
    digest text NOT NULL,
    target text NOT NULL,
    created_rows bigint NOT NULL,
    changed_rows bigint NOT NULL,
    same_rows bigint NOT NULL,
    skipped_rows bigint NOT NULL,
    change_id uuid NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL
);
CREATE UNIQUE INDEX ux_import_run_number ON lineside.import_run (number) WHERE NOT deleted;
CREATE TABLE lineside.import_template (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    name text NOT NULL,
    target text NOT NULL,
    mapping jsonb NOT NULL
);
CREATE UNIQUE INDEX ux_import_template_name ON lineside.import_template (name) WHERE NOT deleted;
CREATE TABLE lineside.machine_write (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    tag text NOT NULL,
    value jsonb NOT NULL,
    reason text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    actor text NOT NULL
);
CREATE TABLE lineside.maintenance_order (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    number text NOT NULL,
    title text NOT NULL,
    description text NOT NULL DEFAULT '',
    kind text NOT NULL,
    priority text NOT NULL,
    status text NOT NULL,
    equipment text NOT NULL DEFAULT '',
    assignee text NOT NULL DEFAULT '',
    estimated_hours double precision,
    due_at timestamptz,
    created_at timestamptz NOT NULL,
    completed_at timestamptz,
    feedback text NOT NULL DEFAULT '',
    import_key text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX ux_maintenance_order_number ON lineside.maintenance_order (number) WHERE NOT deleted;
CREATE TABLE lineside.note (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL,
    text text NOT NULL,
    equipment text NOT NULL DEFAULT '',
    tag text NOT NULL DEFAULT '',
    written_at timestamptz NOT NULL,
    author text NOT NULL
);
CREATE TABLE lineside.route_stage (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    product text NOT NULL,
    position bigint NOT NULL,
    name text NOT NULL,
    planned_minutes bigint NOT NULL
);
CREATE TABLE lineside.saved_view (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    place text NOT NULL,
    name text NOT NULL,
    owner text NOT NULL,
    shared boolean NOT NULL DEFAULT false,
    content jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX ux_saved_view_place_owner_name ON lineside.saved_view (place, owner, name) WHERE NOT deleted;
CREATE TABLE lineside.user_account (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    name text NOT NULL,
    name_key text NOT NULL,
    role text NOT NULL,
    must_change_password boolean NOT NULL DEFAULT false,
    disabled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX ux_user_account_name_key ON lineside.user_account (name_key) WHERE NOT deleted;
CREATE TABLE lineside.work_order (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    number text NOT NULL,
    product text NOT NULL,
    product_name text NOT NULL DEFAULT '',
    lot text NOT NULL DEFAULT '',
    quantity bigint NOT NULL,
    quantity_done bigint NOT NULL DEFAULT 0,
    priority bigint NOT NULL,
    customer text NOT NULL DEFAULT '',
    line text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '',
    planned_start timestamptz NOT NULL,
    planned_end timestamptz NOT NULL,
    status text NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz NOT NULL,
    import_key text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX ux_work_order_number ON lineside.work_order (number) WHERE NOT deleted;
CREATE TABLE lineside.stage (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    work_order_id uuid NOT NULL REFERENCES lineside.work_order DEFERRABLE,
    position bigint NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    planned_minutes bigint NOT NULL,
    planned_start timestamptz NOT NULL,
    planned_end timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    changed_at timestamptz NOT NULL,
    assignee_id uuid REFERENCES lineside.user_account DEFERRABLE,
    blocked_reason text NOT NULL DEFAULT ''
);
CREATE INDEX ix_stage_work_order ON lineside.stage (work_order_id);
CREATE TABLE lineside.tag (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    name text NOT NULL,
    equipment_id uuid NOT NULL REFERENCES lineside.equipment DEFERRABLE,
    connection_id uuid NOT NULL REFERENCES lineside.connection DEFERRABLE,
    address text NOT NULL,
    unit text NOT NULL DEFAULT '',
    settings jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX ux_tag_name ON lineside.tag (name) WHERE NOT deleted;
CREATE TABLE lineside.inspection (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    number text NOT NULL,
    stage_id uuid NOT NULL REFERENCES lineside.stage DEFERRABLE,
    work_order_id uuid NOT NULL REFERENCES lineside.work_order DEFERRABLE,
    inspector_id uuid REFERENCES lineside.user_account DEFERRABLE,
    inspected_at timestamptz NOT NULL,
    verdict text NOT NULL,
    note text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX ux_inspection_number ON lineside.inspection (number) WHERE NOT deleted;
CREATE TABLE lineside.issue (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    number text NOT NULL,
    stage_id uuid NOT NULL REFERENCES lineside.stage DEFERRABLE,
    work_order_id uuid NOT NULL REFERENCES lineside.work_order DEFERRABLE,
    type text NOT NULL,
    status text NOT NULL,
    title text NOT NULL,
    description text NOT NULL DEFAULT '',
    resolution text NOT NULL DEFAULT '',
    raised_by_id uuid REFERENCES lineside.user_account DEFERRABLE,
    raised_at timestamptz NOT NULL,
    acknowledged_by_id uuid REFERENCES lineside.user_account DEFERRABLE,
    acknowledged_at timestamptz,
    resolved_by_id uuid REFERENCES lineside.user_account DEFERRABLE,
    resolved_at timestamptz
);
CREATE UNIQUE INDEX ux_issue_number ON lineside.issue (number) WHERE NOT deleted;
CREATE TABLE lineside.inspection_result (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    inspection_id uuid NOT NULL REFERENCES lineside.inspection DEFERRABLE,
    position bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    passed boolean NOT NULL,
    value double precision,
    unit text NOT NULL DEFAULT '',
    lower double precision,
    upper double precision
);
"""

_SHARING = """
CREATE TABLE sync.feed_lock ();
CREATE TABLE sync.log (
    seq bigint PRIMARY KEY,
    hash bytea NOT NULL,
    body text NOT NULL,
    at timestamptz NOT NULL
);
-- Compressing the entry of an import takes longer than writing it; the others are too small to be compressed.
ALTER TABLE sync.log ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE sync.log_row (
    entity text NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    seq bigint NOT NULL,
    src uuid,
    fields text[] NOT NULL,
    PRIMARY KEY (entity, id, version)
);
CREATE TABLE sync.station (
    name text PRIMARY KEY,
    role_name name NOT NULL UNIQUE,
    added_at timestamptz NOT NULL DEFAULT now(),
    may_bring boolean NOT NULL DEFAULT false,
    key_inner bytea NOT NULL,
    key_outer bytea NOT NULL,
    disabled boolean NOT NULL DEFAULT false,
    last_seen timestamptz,
    program text NOT NULL DEFAULT ''
);
CREATE TABLE sync.source (
    src uuid PRIMARY KEY,
    station text NOT NULL REFERENCES sync.station,
    last_n bigint NOT NULL DEFAULT 0,
    schema integer NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE sync.txn (
    src uuid NOT NULL REFERENCES sync.source,
    n bigint NOT NULL,
    change_id uuid UNIQUE,
    digest bytea NOT NULL,
    actor_id uuid,
    actor text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('applied', 'conflict', 'denied', 'rejected')),
    seq bigint NOT NULL,
    detail jsonb,
    body text NOT NULL,
    mac text NOT NULL,
    settled_seq bigint,
    PRIMARY KEY (src, n)
);
ALTER TABLE sync.txn ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX ix_txn_open ON sync.txn (seq) WHERE verdict <> 'applied' AND settled_seq IS NULL;
CREATE TABLE sync.credential (
    user_id uuid PRIMARY KEY REFERENCES lineside.user_account,
    terms text NOT NULL,
    key_hash bytea NOT NULL,
    changed_at timestamptz NOT NULL,
    failed_tries integer NOT NULL DEFAULT 0,
    locked_until timestamptz
);
CREATE TABLE sync.password_nonce (nonce uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE sync.login_grant (
    user_id uuid NOT NULL REFERENCES lineside.user_account,
    station text NOT NULL REFERENCES sync.station,
    generation integer NOT NULL DEFAULT 1,
    secret bytea NOT NULL,
    key_inner bytea NOT NULL,
    key_outer bytea NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (user_id, station)
);
CREATE TABLE sync.entity (name text PRIMARY KEY);
CREATE TABLE sync.parent (
    entity text NOT NULL, field text NOT NULL, parent text NOT NULL, PRIMARY KEY (entity, field)
);
CREATE TABLE sync.taken (rule text PRIMARY KEY, sentence text NOT NULL);
CREATE TABLE sync.role_permission (
    role text NOT NULL, permission text NOT NULL, PRIMARY KEY (role, permission)
);
CREATE TABLE sync.rule (
    entity text NOT NULL,
    field text NOT NULL,
    permission text NOT NULL,
    own text NOT NULL,
    PRIMARY KEY (entity, field, permission, own)
);
-- From '' is the birth of a row; a permission that is not '' is needed for the step besides the rule of the field.
CREATE TABLE sync.move (
    entity text NOT NULL, field text NOT NULL, a text NOT NULL, b text NOT NULL, permission text NOT NULL DEFAULT '',
    PRIMARY KEY (entity, field, a, b, permission)
);
CREATE TABLE sync.together (
    entity text NOT NULL, field text NOT NULL, grp text NOT NULL, PRIMARY KEY (entity, field, grp)
);
CREATE TABLE sync.actor_column (
    entity text NOT NULL, field text NOT NULL, kind text NOT NULL, PRIMARY KEY (entity, field)
);
CREATE TABLE sync.server_field (entity text NOT NULL, field text NOT NULL, PRIMARY KEY (entity, field));
CREATE UNLOGGED TABLE sync.presence (
    station text NOT NULL,
    actor text NOT NULL,
    entity text NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    editing boolean NOT NULL DEFAULT false,
    PRIMARY KEY (station, actor, entity, id)
);
CREATE TYPE sync.author AS (user_id uuid, name text, role text, brings boolean);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(_SHARED)
    op.get_bind().exec_driver_sql(_SHARING)
