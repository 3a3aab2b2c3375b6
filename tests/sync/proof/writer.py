"""People at one station, in a process to be killed: they do whatever is possible, and tell each change that is kept.

`python -m tests.sync.proof.writer FOLDER SEED SECRETS`; SECRETS is a JSON file of role → [user id, secret in hex].
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID

from app.domain.errors import LinesideError
from app.domain.people import Actor, Role
from app.plant import open_house
from tests.sync.proof.acts import choose


def main(folder: Path, seed: str, secrets: Path) -> None:
    house, chance = open_house(folder), Random(seed)
    people: dict[Role, Actor] = {}
    for role, (user_id, secret) in json.loads(secrets.read_text()).items():
        house.signing.unlock(UUID(user_id), bytes.fromhex(secret))
        people[Role(role)] = Actor(UUID(user_id), role, Role(role))
    while True:
        try:
            intent, role = choose(house.store, folder, chance, datetime.now(UTC))
            outcome = house.door.perform(intent, people[role])
        except LinesideError:
            continue
        sys.stdout.write(f"{outcome.change_id}\n")
        sys.stdout.flush()
        time.sleep(chance.uniform(0.0, 0.05))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
