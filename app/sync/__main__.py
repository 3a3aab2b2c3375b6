"""The sync process by itself: `python -m app.sync --data-dir DIR [--parent PID]`; a signal ends it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.domain.errors import LinesideError
from app.settings import data_dir
from app.sync.process import run_service


def main(arguments: list[str] | None = None) -> int:
    """Entry point; 0 after a clean end, 1 with one sentence on stderr, 2 for a wrong argument."""
    parser = argparse.ArgumentParser(prog="python -m app.sync", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--parent", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        return run_service(data_dir(options.data_dir), parent=options.parent)
    except LinesideError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
