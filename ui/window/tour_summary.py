"""What a tour came to, counted in the store and the history afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.plant import opened_house, utc_now
from app.store.history import FILE_NAME, HistoryReader
from app.store.queries.plant import read_plant
from app.store.tables import Audit, ImportRun

_ACKNOWLEDGEMENTS = ("acknowledge_alarm", "acknowledge_alarms")
_MOVES = ("move_stage", "advance_work_order", "move_order_to_stage")


def stored_values(folder: Path) -> dict[str, int]:
    """How many values of each signal the history of `folder` holds."""
    with HistoryReader(folder / FILE_NAME) as history:
        return history.counts(datetime(1970, 1, 2, tzinfo=UTC))


@dataclass
class TourSummary:
    """`values_by_connection` counts stored samples; `failures` are sentences on what did not work."""

    pictures: Path
    values_by_connection: dict[str, int] = field(default_factory=dict)
    alarms_raised: int = 0
    rows_imported: int = 0
    orders_moved: int = 0
    alarms_acknowledged: int = 0
    machines_added: int = 0
    values_sent: int = 0
    corrections: int = 0
    screens: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        values = ", ".join(
            f"{count:,} from {name}" for name, count in sorted(self.values_by_connection.items())
        )
        lines = (
            f"Values read:          {values or 'none'}",
            f"Alarms raised:        {self.alarms_raised}, acknowledged: {self.alarms_acknowledged}",
            f"Machines added:       {self.machines_added}",
            f"Values sent:          {self.values_sent}, stretches corrected: {self.corrections}",
            f"Rows imported:        {self.rows_imported}",
            f"Orders moved:         {self.orders_moved}",
            f"Pictures:             {len(self.screens)} in {self.pictures}",
        )
        return "\n".join(lines)

    def count(self, folder: Path, visitor: str, since: datetime, before: Mapping[str, int]) -> None:
        """Count what the visit of `visitor` left in `folder`, and note what is missing.

        `since` is when it began; `before` counts the values of each signal that were stored already.
        """
        with opened_house(folder) as house, house.store.reader() as session:
            connection_of = {tag.name: tag.connection for tag in read_plant(session).tags}
            self._count_work(session, visitor)
        with HistoryReader(folder / FILE_NAME) as history:
            self.alarms_raised = sum(history.alarm_counts(since, utc_now()).minutes.values())
        counts: Counter[str] = Counter()
        for tag, samples in stored_values(folder).items():
            counts[connection_of.get(tag, "")] += samples - before.get(tag, 0)
        self.values_by_connection = {name: counts[name] for name in sorted(set(connection_of.values()))}
        self.failures += [
            f"no value came from {name}" for name, n in self.values_by_connection.items() if not n
        ]

    def _count_work(self, session: Session, visitor: str) -> None:
        # The furnished past has the same people in it; its lines lie before the visitor first comes in.
        first = select(func.min(Audit.seq)).where(Audit.operation == "log_in", Audit.outcome == "done")
        entered = session.execute(first.where(Audit.actor == visitor)).scalar() or 0
        lines = select(Audit.operation, func.count()).where(Audit.outcome == "done", Audit.seq > entered)
        done = Counter(dict(session.execute(lines.group_by(Audit.operation)).tuples().all()))
        self.orders_moved = sum(done[operation] for operation in _MOVES)
        self.alarms_acknowledged = sum(done[operation] for operation in _ACKNOWLEDGEMENTS)
        self.machines_added = done["save_machine"]
        self.values_sent = done["write_to_machine"]
        self.corrections = done["correct_history"]
        rows = select(func.coalesce(func.sum(ImportRun.created_rows), 0)).where(~ImportRun.deleted)
        self.rows_imported = session.execute(rows).scalar_one()
