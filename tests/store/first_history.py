"""The tables of the first version of the history file, as a Lineside of that time made them."""

FIRST_TABLES = """
CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL DEFAULT 'number');
CREATE TABLE sample (
  tag INTEGER NOT NULL REFERENCES tag(id), t INTEGER NOT NULL, n INTEGER NOT NULL, epoch INTEGER NOT NULL,
  v, q INTEGER NOT NULL, late INTEGER NOT NULL, PRIMARY KEY (tag, t, n)
) WITHOUT ROWID;
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
CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
