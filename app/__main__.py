"""The headless collector: `python -m app --data-dir DIR [--seconds N]`; ends cleanly on SIGTERM and Ctrl+C."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.crash_report import bugs_reported
from app.domain.errors import LinesideError
from app.journal_log import start_logging
from app.settings import data_dir, load_settings

if TYPE_CHECKING:
    from app.live.messages import LinkFigures
    from app.live.store_source import StorePlantSource


@dataclass(frozen=True, slots=True)
class Wish:
    """How a collector is to run: how long (None: until stopped), and the window that started it (0: nobody).

    `with_parent` ends it together with that window; otherwise it outlives a crash of the window and serves the next.
    """

    seconds: float | None = None
    parent: int = 0
    with_parent: bool = False


def collect_until(folder: Path, wish: Wish = Wish()) -> list[LinkFigures]:
    """Collect for the store in `folder` until stopped or the time is over; what each connection has done.

    Raises `Refused` when there is no store yet, another collector is at work or the folder is gone, `WorldFault` for
    an unusable file.
    """
    from app.live.store_source import StorePlantSource
    from app.store.read_only import ReadOnlyStore
    from app.sync.child import SyncChild

    store = ReadOnlyStore(folder)
    sync = SyncChild(folder)
    try:
        sync.start()
        # aiomqtt and pyserial watch file descriptors, which the default loop of Windows cannot.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            return runner.run(_collect(StorePlantSource(store), folder, wish))
    finally:
        sync.stop()
        store.close()


def collect_with_logs(folder: Path, wish: Wish = Wish()) -> list[LinkFigures]:
    """`collect_until`, with the log of this process in the folder."""
    settings = load_settings(folder)
    start_logging(
        folder / "logs", process="collector", level=settings.log_level, megabytes=settings.log_megabytes
    )
    with bugs_reported(folder, process="collector"):
        return collect_until(folder, wish)


async def _collect(source: StorePlantSource, folder: Path, wish: Wish) -> list[LinkFigures]:
    from app.live.clock_watch import seconds_with_sleep
    from app.live.collector import Collector, utc_now
    from app.store.processes import vanished
    from app.sync.machines.forwarding import Forwarding
    from app.sync.machines.running_copy import RunningCopy
    from app.sync.machines.server_fellows import ServerFellows

    copy = RunningCopy(folder)
    collector = Collector(
        source,
        folder,
        commands=source,
        machines=source,
        fellows=ServerFellows(folder, seconds=seconds_with_sleep, clock=utc_now, copy=copy),
        forwarder=Forwarding(folder, run=copy.run),
        parent=wish.parent,
        ends_when=vanished(wish.parent) if wish.with_parent and wish.parent else lambda: False,
    )
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows: Ctrl+C arrives as KeyboardInterrupt
            loop.add_signal_handler(name, collector.stop)
    await collector.run(wish.seconds)
    return collector.last_figures


def main(arguments: list[str] | None = None) -> int:
    """Entry point; 0 after a clean end, 1 with one sentence on stderr, 2 for a wrong argument."""
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--parent", type=int, default=0)
    parser.add_argument("--with-parent", action="store_true")
    options = parser.parse_args(arguments)
    try:
        collect_with_logs(
            data_dir(options.data_dir), Wish(options.seconds, options.parent, options.with_parent)
        )
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
