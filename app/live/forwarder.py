"""What the collector asks of the part that forwards its samples to the shared server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from app.domain.forwarding import ForwardFigures
from app.store.history import HistoryWriter


class Forwarder(Protocol):
    """Works on a thread of its own; only `end` waits, for the batch that is under way."""

    def begin(self, writer: HistoryWriter, busy: Callable[[], bool]) -> None:
        """Start to forward what `writer` has written; `busy` says that the collector needs the processor itself."""
        ...

    def end(self) -> None:
        """Stop. May be called when nothing was begun."""
        ...

    def keep_from(self) -> tuple[int, int] | None:
        """The (epoch, n) of the first sample that the server does not have yet."""
        ...

    def figures(self) -> ForwardFigures:
        """How it goes. Raises what brought the thread down, if anything did."""
        ...
