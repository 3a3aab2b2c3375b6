"""The `lineside` command: the window, and everything that can be done without it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from multiprocessing import freeze_support


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 refused or failed (one plain sentence on stderr), 2 wrong usage."""
    freeze_support()  # a packaged executable starts its worker processes through this very function
    from ui.cli.root import run

    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))
