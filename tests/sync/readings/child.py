"""A collector in small, to be killed: writes samples, seals them and forwards them until it is ended from outside."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random

from app.store.history import FILE_NAME, HistoryWriter
from app.sync.machines.forwarding import Forwarding
from app.sync.wire import ServerConnection
from tests.sync.readings.stand import AT_ONCE, START, samples, seal


def main(folder: Path, url: str, seed: int) -> None:
    chance = Random(seed)
    with HistoryWriter(folder / FILE_NAME, keeping=AT_ONCE) as writer:
        work = Forwarding(
            folder, lambda: ServerConnection.open(url), batch=37, shares=lambda: True, share=1.0, pause=0.05
        )
        work.begin(writer)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            writer.write(samples(chance.randrange(1, 300), chance))
            if chance.random() < 0.1:
                seal(writer, START)
            work.figures()
            time.sleep(0.005)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
