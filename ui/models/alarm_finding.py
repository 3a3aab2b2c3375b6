"""Which alarms fit what somebody typed into the filter of the alarms screen."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.alarms import condition_words, machine_of
from app.domain.plant import Plant
from app.store.history import AlarmRecord
from ui.bridge.live import LiveDesk


class AlarmFinding:
    """Every word has to occur in machine, signal, state or priority. The text of an alarm is kept while it stays."""

    def __init__(self, live: LiveDesk) -> None:
        self._live = live
        self._texts: dict[str, tuple[AlarmRecord, Plant, str]] = {}

    def fitting(self, records: list[AlarmRecord], typed: str) -> list[AlarmRecord]:
        """Those that fit, in the same order; all of them when nothing is typed."""
        words = typed.casefold().split()
        if not words:
            self._texts.clear()
            return records
        return [record for record in records if self._fits(record, words)]

    def _fits(self, record: AlarmRecord, words: Sequence[str]) -> bool:
        text = self._text_of(record)
        # A whole word: "unacknowledged" has it inside.
        return all(word in text.split() if word == "acknowledged" else word in text for word in words)

    def _text_of(self, record: AlarmRecord) -> str:
        plant, known = self._live.plant, self._texts.get(record.key)
        if known is not None and known[0] is record and known[1] is plant:
            return known[2]
        seen = "unacknowledged" if record.phase.unacked else "acknowledged"
        text = (
            f"{machine_of(plant, record.tag)} {record.tag} {condition_words(record, plant)} "
            f"p{record.priority} {seen} {record.phase.value}"
        ).casefold()
        self._texts[record.key] = (record, plant, text)
        return text
