"""Tables of the history that hold alarms, and how those of an older file become like them."""

from __future__ import annotations

TABLES = """
CREATE TABLE alarm (
  id TEXT PRIMARY KEY, key TEXT NOT NULL, tag TEXT NOT NULL, kind TEXT NOT NULL, occurrence INTEGER NOT NULL,
  priority INTEGER NOT NULL, urgency INTEGER NOT NULL, limit_name TEXT, value, phase TEXT NOT NULL,
  raised_at INTEGER NOT NULL, returned_at INTEGER, acked_at INTEGER, acked_by TEXT NOT NULL DEFAULT '',
  shelved_until INTEGER
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
FROM_1 = ""  # statements that turn the alarm tables of a file of version 1 into the ones above
