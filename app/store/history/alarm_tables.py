"""Tables of the history that hold alarms, and how those of an older file become like them."""

from __future__ import annotations

TABLES = """
CREATE TABLE alarm (
  id TEXT PRIMARY KEY, key TEXT NOT NULL, tag TEXT NOT NULL, kind TEXT NOT NULL, occurrence INTEGER NOT NULL,
  priority INTEGER NOT NULL, urgency INTEGER NOT NULL, limit_name TEXT, value, phase TEXT NOT NULL,
  raised_at INTEGER NOT NULL, returned_at INTEGER, acked_at INTEGER, acked_by TEXT NOT NULL DEFAULT '',
  shelved_until INTEGER, comment TEXT NOT NULL DEFAULT '', unseen INTEGER NOT NULL DEFAULT 0, unseen_since INTEGER,
  one_shot INTEGER NOT NULL DEFAULT 0, aside_since INTEGER, aside_by TEXT NOT NULL DEFAULT '',
  aside_reason TEXT NOT NULL DEFAULT '', permit TEXT NOT NULL DEFAULT ''
);
CREATE INDEX alarm_by_time ON alarm (raised_at);
CREATE INDEX alarm_open ON alarm (key) WHERE phase <> 'normal';
CREATE TABLE alarm_journal (
  n INTEGER PRIMARY KEY, at INTEGER NOT NULL, key TEXT NOT NULL, alarm TEXT, event TEXT NOT NULL, phase TEXT NOT NULL,
  urgency INTEGER NOT NULL, limit_name TEXT, value, actor TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX alarm_journal_by_time ON alarm_journal (at);
CREATE TABLE alarm_state (key TEXT PRIMARY KEY, state BLOB NOT NULL, alarm TEXT);
"""
# Statements that turn the alarm tables of a file of version 1 into the ones above.
FROM_1 = """
ALTER TABLE alarm ADD COLUMN comment TEXT NOT NULL DEFAULT '';
ALTER TABLE alarm ADD COLUMN unseen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarm ADD COLUMN unseen_since INTEGER;
ALTER TABLE alarm ADD COLUMN one_shot INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarm ADD COLUMN aside_since INTEGER;
ALTER TABLE alarm ADD COLUMN aside_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alarm ADD COLUMN aside_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE alarm ADD COLUMN permit TEXT NOT NULL DEFAULT '';
"""
# In the order in which rows are written and read.
COLUMNS = (
    "id", "key", "tag", "kind", "occurrence", "priority", "urgency", "limit_name", "value", "phase", "raised_at",
    "returned_at", "acked_at", "acked_by", "shelved_until", "comment", "unseen", "unseen_since", "one_shot",
    "aside_since", "aside_by", "aside_reason", "permit",
)  # fmt: skip
