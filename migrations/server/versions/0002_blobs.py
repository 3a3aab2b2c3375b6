"""Bytes of photos and files: kept once by their SHA-256, in chunks, with limits that the owner may set."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE sync.blob (
            sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
            size bigint NOT NULL CHECK (size > 0),
            mime text NOT NULL,
            complete boolean NOT NULL DEFAULT false,
            external boolean NOT NULL DEFAULT false,
            station text NOT NULL,
            begun_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute("CREATE INDEX ix_blob_station ON sync.blob (station)")
    op.execute(
        """
        CREATE TABLE sync.blob_chunk (
            sha256 bytea NOT NULL REFERENCES sync.blob ON DELETE CASCADE,
            n integer NOT NULL,
            data bytea NOT NULL,
            PRIMARY KEY (sha256, n)
        )
        """
    )
    # Photos are compressed already: compressing them once more would cost time and win nothing.
    op.execute("ALTER TABLE sync.blob_chunk ALTER COLUMN data SET STORAGE EXTERNAL")
    op.execute(
        """
        CREATE TABLE sync.blob_terms (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            store_url text NOT NULL DEFAULT '',
            largest bigint NOT NULL DEFAULT 52428800,
            station_quota bigint NOT NULL DEFAULT 21474836480
        )
        """
    )
    op.execute("INSERT INTO sync.blob_terms DEFAULT VALUES")


def downgrade() -> None:
    raise NotImplementedError("a server is never put back to an older version; restore a backup instead")
