"""Samples and alarms on disk: history.sqlite, written by the collector, read by everybody."""

from app.store.history.alarm_rows import AlarmBatch, AlarmRecord, JournalLine, Settled
from app.store.history.readable import ReadableHistory
from app.store.history.reader import HistoryReader
from app.store.history.retention import Dropped
from app.store.history.rows import Buckets, HistoryStats, Keeping
from app.store.history.sealing import Sealed
from app.store.history.writer import HistoryWriter

FILE_NAME = "history.sqlite"

__all__ = [
    "FILE_NAME",
    "AlarmBatch",
    "AlarmRecord",
    "Buckets",
    "Dropped",
    "HistoryReader",
    "HistoryStats",
    "HistoryWriter",
    "JournalLine",
    "Keeping",
    "ReadableHistory",
    "Sealed",
    "Settled",
]
