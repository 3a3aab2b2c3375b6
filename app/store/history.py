"""Samples and alarms on disk: history.sqlite, written by the collector, read by everybody."""

from app.store.history_reader import HistoryReader
from app.store.history_rows import AlarmBatch, AlarmRecord, Buckets, HistoryStats, JournalLine
from app.store.history_writer import HistoryWriter

FILE_NAME = "history.sqlite"

__all__ = [
    "FILE_NAME",
    "AlarmBatch",
    "AlarmRecord",
    "Buckets",
    "HistoryReader",
    "HistoryStats",
    "HistoryWriter",
    "JournalLine",
]
