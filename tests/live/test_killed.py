"""What is left of the last second when a collector is killed in the middle of its work."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from app.domain.plant import Equipment, Plant, Tag
from app.domain.plant_file import dump_plant
from app.live.saving import COMMIT_SECONDS
from app.store.history import FILE_NAME, HistoryReader
from tests.drivers.odd_device import OddDevice, registers
from tests.live.conftest import until
from tests.live.test_collector import stored

SCRIPT = """
import asyncio, sys
from pathlib import Path
from app.live.collector import Collector
from app.live.source import FilePlantSource
asyncio.run(Collector(FilePlantSource(Path(sys.argv[1])), Path(sys.argv[2])).run())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
async def test_a_collector_that_is_killed_loses_at_most_a_second(
    data_dir: Path, history: HistoryReader
) -> None:
    asked: list[datetime] = []

    def count(transaction: int, unit: int, _message: bytes) -> bytes:
        asked.append(datetime.now(UTC))
        return registers(transaction, unit, len(asked))

    async with OddDevice(count) as device:
        tag = Tag("M/count", "M", "u1", "hr:0", scan=0.1)
        file = data_dir / "plant.yaml"
        file.write_text(dump_plant(Plant((Equipment("M", "M"),), (device.connection(timeout=30.0),), (tag,))))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, str(file), str(data_dir), stdout=asyncio.subprocess.DEVNULL
        )
        try:
            await until(lambda: len(stored(history, tag.name)) >= 20, 60)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            killed = datetime.now(UTC)
            await process.wait()
    kept = [s.value for s in stored(history, tag.name)]
    assert kept == list(range(1, len(kept) + 1))
    # How long this computer kept the two programs waiting is no fault of the collector.
    busy = max(later - earlier for earlier, later in pairwise(asked))
    assert len(kept) >= sum(at < killed - busy - timedelta(seconds=1.0) for at in asked)
    with HistoryReader(data_dir / FILE_NAME) as again:
        assert again.stats().samples >= len(kept)
    assert COMMIT_SECONDS <= 0.5
