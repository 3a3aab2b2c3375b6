"""Alembic environment of the shared server; `app.sync.server.creation` hands over connection and transaction."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,
    version_table="schema_version",
    version_table_schema="sync",
)
with context.begin_transaction():
    context.run_migrations()
