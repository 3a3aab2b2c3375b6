"""Entries and a log as this version writes them, kept for later ones: `python -m tests.sync.proof.recorded`.

A file is named by the schema that it was written with and is never changed again: what stations have in their outbox
on the day of an upgrade, and what a server has in its log, is like that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from app.domain.errors import Refused
from app.store.entries import SHARED_SCHEMA
from tests.sync.proof.acts import choose
from tests.sync.proof.checker import StationView
from tests.sync.proof.ground import STATIONS, Ground, proving_ground

FOLDER = Path(__file__).parent / "recordings"
_CHANGES = 120


def recordings() -> list[Path]:
    return sorted(FOLDER.glob("schema-*.json"))


def record(ground: Ground) -> Mapping[str, Any]:
    """What one station does, alone, with everything that the product can do; all of it was applied."""
    station, chance = ground.world.stations[STATIONS[0]], Random(7)
    while len(station.states()) < _CHANGES:
        ground.world.wait(minutes=1)
        try:
            intent, role = choose(station.house.store, station.folder, chance, ground.world.now)
            station.do(intent, role)
        except Refused:
            continue
    ground.world.now += timedelta(minutes=1)
    station.sync()
    assert set(station.states()) == {"done"}
    sent = StationView.of("", station.house.store).outbox
    return {
        "people": {role.value: str(person.user_id) for role, person in ground.world.people.items()},
        "entries": [entry.body for entry in sent],
        "log": [line.body for line in ground.lines()],
    }


def main() -> None:
    with TemporaryDirectory() as folder, proving_ground(Path(folder)) as ground:
        FOLDER.mkdir(exist_ok=True)
        file = FOLDER / f"schema-{SHARED_SCHEMA}.json"
        with file.open("x", encoding="utf-8") as kept:  # an old one stays as it was
            json.dump(record(ground), kept, ensure_ascii=False, indent=0)


if __name__ == "__main__":
    main()
