"""Samples of all stations: plain rows by time, where each came from, and how far each station's stream has come."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

# `kind` tells what a signal's values are: numbers, truth values (0 and 1), or texts. An origin is where samples come
# from: a station, the history file there, and whether another station held the machine when they were taken.
_NAMES = """
CREATE TABLE lineside.signal (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (length(name) <= 500),
    kind text NOT NULL DEFAULT 'number'
);
CREATE TABLE lineside.origin (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station text NOT NULL,
    stream uuid NOT NULL,
    epoch integer NOT NULL,
    late boolean NOT NULL,
    UNIQUE (stream, epoch, late)
);
CREATE TABLE sync.stream (
    stream uuid NOT NULL,
    epoch integer NOT NULL,
    station text NOT NULL,
    first_n bigint NOT NULL,
    last_n bigint NOT NULL,
    passed_over bigint NOT NULL DEFAULT 0,
    origin integer NOT NULL REFERENCES lineside.origin (id),
    late_origin integer NOT NULL REFERENCES lineside.origin (id),
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, epoch)
) WITH (fillfactor = 50);
"""
# The row is kept small: 64 bytes with its header for a number. `q` is the OPC UA status code as a signed number,
# `delay` the seconds from the machine's time to receipt, `n` the number of the sample in its stream.
_READING = """
CREATE TABLE lineside.reading (
    t timestamptz NOT NULL,
    v double precision,
    n bigint NOT NULL,
    signal integer NOT NULL,
    q integer NOT NULL,
    origin integer NOT NULL,
    delay real NOT NULL,
    s text
)
"""
# What a curve over weeks is drawn from: the samples of one minute as one row. Rows are changed in place many times
# while their minute is new, so each page keeps room for that.
_MINUTES = """
CREATE TABLE lineside.reading_minute (
    signal integer NOT NULL,
    minute timestamptz NOT NULL,
    origin integer NOT NULL,
    samples integer NOT NULL,
    good integer NOT NULL,
    t timestamptz NOT NULL,
    until timestamptz NOT NULL,
    first_at timestamptz,
    last_at timestamptz,
    low double precision,
    high double precision,
    total double precision,
    first double precision,
    last double precision,
    ends_good boolean NOT NULL,
    PRIMARY KEY (signal, minute, origin)
) WITH (fillfactor = 70)
"""
# Nothing is ever refused for its time: what lies in no part waits in the last one.
_PARTS = """
CREATE TABLE lineside.reading_rest PARTITION OF lineside.reading DEFAULT;
CREATE TABLE sync.reading_part (name text PRIMARY KEY, since timestamptz NOT NULL, until timestamptz NOT NULL);
CREATE TABLE sync.reading_terms (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    keep_days integer CHECK (keep_days > 0)
);
INSERT INTO sync.reading_terms DEFAULT VALUES;
"""
_BY_SIGNAL = "CREATE INDEX ix_reading_signal_t ON lineside.reading (signal, t)"
_TIMESCALE = """
SELECT quote_ident(n.nspname) FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb'
"""


def upgrade() -> None:
    op.execute(_NAMES)
    op.execute(_MINUTES)
    place = op.get_bind().exec_driver_sql(_TIMESCALE).scalar()
    op.execute(_READING + (" PARTITION BY RANGE (t)" if place is None else ""))
    if place is None:
        op.execute(_PARTS)
    else:  # the extension makes and drops the parts by itself
        op.execute(_PARTS.split(";", 1)[1])
        op.execute(
            f"SELECT {place}.create_hypertable('lineside.reading', 't', chunk_time_interval => interval '7 days', "
            "create_default_indexes => false)"
        )
    op.execute(_BY_SIGNAL)


def downgrade() -> None:
    raise NotImplementedError("a server is never put back to an older version; restore a backup instead")
