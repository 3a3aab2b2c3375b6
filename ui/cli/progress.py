"""How far a long command is, on standard error, so that its answer on standard output stays clean."""

from __future__ import annotations

import sys


class ProgressLine:
    """One line that is written over at a terminal; elsewhere one line a step. A context that tidies up after itself."""

    def __init__(self) -> None:
        self._what = ""
        self._over = sys.stderr.isatty()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_failure: object) -> None:
        if self._over and self._what:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def say(self, what: str) -> None:
        """A step began."""
        self.show(what, 0, 0)

    def show(self, what: str, done: int, total: int) -> None:
        """`done` of `total` of a step; `total` 0 when nobody knows."""
        if self._over:
            share = f" {done:,} of {total:,}" if total else ""
            sys.stderr.write(f"\r\x1b[K{what}…{share}")
        elif what != self._what:
            sys.stderr.write(f"{what}…\n")
        self._what = what
        sys.stderr.flush()
