"""Machines shared by many stations: who holds each, its newest values, where its alarms stand, answers of writes."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_TAKEOVER = """
CREATE TABLE lineside.machine_takeover (
    id uuid PRIMARY KEY, version bigint NOT NULL DEFAULT 1, deleted boolean NOT NULL DEFAULT false,
    connection_id uuid NOT NULL REFERENCES lineside.connection (id) DEFERRABLE,
    station text NOT NULL,
    reason text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    actor text NOT NULL
)
"""
# `silence` is how long a holder may be unheard before others take its machines by themselves; `sends_from` is the
# moment from which the holder may send values: until then the one before may still believe that it holds the machine.
_LEASES = """
CREATE TABLE sync.lease_terms (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    silence interval NOT NULL DEFAULT interval '2 minutes'
);
INSERT INTO sync.lease_terms DEFAULT VALUES;
CREATE TABLE sync.lease (
    connection uuid PRIMARY KEY,
    epoch bigint NOT NULL,
    station text NOT NULL,
    granted_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    sends_from timestamptz NOT NULL
);
CREATE INDEX ix_lease_station ON sync.lease (station);
CREATE TABLE sync.lease_term (
    connection uuid NOT NULL,
    epoch bigint NOT NULL,
    station text NOT NULL,
    granted_at timestamptz NOT NULL,
    why text NOT NULL CHECK (why IN ('free', 'silent', 'by hand')),
    takeover uuid UNIQUE,
    ended_at timestamptz,
    PRIMARY KEY (connection, epoch)
);
"""
# What is true only now is not worth a log: after a crash of the server every station tells it anew. `since` is when a
# station came and stayed; `rev` grows with every telling, `machine_news.rev` in the order of the commits.
_LIVE = """
CREATE UNLOGGED TABLE sync.live_station (
    station text PRIMARY KEY,
    rev bigint NOT NULL,
    since timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    links jsonb NOT NULL DEFAULT '[]',
    links_rev bigint NOT NULL DEFAULT 0
);
CREATE UNLOGGED TABLE sync.live (
    name text PRIMARY KEY,
    connection uuid NOT NULL,
    station text NOT NULL,
    rev bigint NOT NULL,
    t bigint NOT NULL,
    r bigint NOT NULL,
    v double precision,
    s text,
    q bigint NOT NULL
);
CREATE INDEX ix_live_rev ON sync.live (station, rev);
CREATE TABLE sync.machine_alarm (
    place text NOT NULL,
    key text NOT NULL,
    station text NOT NULL,
    rev bigint NOT NULL,
    record jsonb,
    state bytea,
    PRIMARY KEY (place, key)
);
CREATE INDEX ix_machine_alarm_rev ON sync.machine_alarm (rev);
CREATE TABLE sync.machine_act (id uuid PRIMARY KEY, station text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE sync.machine_answer (
    id uuid PRIMARY KEY,
    station text NOT NULL,
    rev bigint NOT NULL,
    answer jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_machine_answer_rev ON sync.machine_answer (rev);
CREATE TABLE sync.machine_news (one boolean PRIMARY KEY DEFAULT true CHECK (one), rev bigint NOT NULL);
INSERT INTO sync.machine_news VALUES (true, 0);
"""


def upgrade() -> None:
    op.execute(_TAKEOVER)
    op.execute("CREATE INDEX ix_machine_takeover_connection ON lineside.machine_takeover (connection_id)")
    op.execute(_LEASES)
    op.execute(_LIVE)


def downgrade() -> None:
    raise NotImplementedError("a server is never put back to an older version; restore a backup instead")
