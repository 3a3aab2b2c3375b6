"""The headless collector: `python -m app --data-dir DIR [--seconds N]`; ends cleanly on SIGTERM and Ctrl+C."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import LinesideError
from app.journal_log import start_logging
from app.settings import data_dir, load_settings

if TYPE_CHECKING:
    from app.live.store_source import StorePlantSource


def collect_until(folder: Path, seconds: float | None = None) -> None:
    """Collect for the store in `folder` until stopped or the time is over.

    Raises `Refused` when there is no store yet or another collector is at work, `WorldFault` for an unusable file.
    """
    from app.live.store_source import StorePlantSource
    from app.store.read_only import ReadOnlyStore

    store = ReadOnlyStore(folder)
    try:
        asyncio.run(_collect(StorePlantSource(store), folder, seconds))
    finally:
        store.close()


def collect_with_logs(folder: Path, seconds: float | None = None) -> None:
    """`collect_until`, with the log of this process in the folder."""
    settings = load_settings(folder)
    start_logging(
        folder / "logs", process="collector", level=settings.log_level, megabytes=settings.log_megabytes
    )
    collect_until(folder, seconds)


async def _collect(source: StorePlantSource, folder: Path, seconds: float | None) -> None:
    from app.live.collector import Collector

    collector = Collector(source, folder)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows: Ctrl+C arrives as KeyboardInterrupt
            loop.add_signal_handler(name, collector.stop)
    await collector.run(seconds)


def main(arguments: list[str] | None = None) -> int:
    """Entry point; 0 after a clean end, 1 with one sentence on stderr, 2 for a wrong argument."""
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--seconds", type=float, default=None)
    options = parser.parse_args(arguments)
    try:
        collect_with_logs(data_dir(options.data_dir), options.seconds)
    except LinesideError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"The collector cannot run: {error}.\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
