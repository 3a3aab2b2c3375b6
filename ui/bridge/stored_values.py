"""What is on the disk when a window opens: the configured plant, and the last values, curves and alarms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from app.domain.plant import Plant
from app.domain.samples import Sample
from app.store.history import AlarmRecord, HistoryReader
from app.store.queries.plant import in_maintenance, plant_stamp, read_plant
from ui.bridge.rings import SPAN, Floats, number


@dataclass(frozen=True)
class Stored:
    """What was on the disk when the window opened."""

    latest: dict[str, Sample]
    curves: dict[str, tuple[Floats, Floats]]
    alarms: list[AlarmRecord]


@dataclass(frozen=True, slots=True)
class PlantNow:
    """The plant, the codes of the machines that are out for maintenance, and the stamp to know it again by."""

    plant: Plant
    maintenance: frozenset[str]
    stamp: object


def newer_plant(session: Session, stamp: object) -> PlantNow | None:
    """The plant as it is now; None when it is still the one of this stamp: thousands of tags take a while to read."""
    now = plant_stamp(session)
    return None if now == stamp else PlantNow(read_plant(session), in_maintenance(session), now)


def read_stored(history: HistoryReader, tags: list[str], now: datetime) -> Stored:
    """Newest samples, the last quarter of an hour of each tag, and the alarms of the last day."""
    start = now - timedelta(seconds=SPAN)
    curves: dict[str, tuple[Floats, Floats]] = {}
    for tag in tags:
        samples = history.samples(tag, start, now + timedelta(seconds=1), 20_000)
        t = np.array([s.source_time.timestamp() for s in samples], dtype=np.float64)
        curves[tag] = t, np.array([number(s) for s in samples], dtype=np.float64)
    recent = history.alarms(since=now - timedelta(days=1), limit=200)
    still = history.alarms(active_only=True, limit=5000)
    alarms = {record.id: record for record in (*recent, *still)}
    return Stored(history.latest(tags), curves, sorted(alarms.values(), key=lambda r: r.raised_at))
