"""Which number the server has for each signal of a history file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.store.history.forward import SampleStream

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

    from app.sync.machines.sample_server import SampleServer

_SECONDS = 30.0  # a signal may turn out to be a text after its first values


class SignalNumbers:
    """Asked for once a connection, and again when a signal is new or became of another kind."""

    def __init__(self, server: SampleServer, samples: SampleStream) -> None:
        self._server, self._samples = server, samples
        self._names: dict[int, tuple[str, str]] = {}
        self._numbers: dict[int, int] = {}
        self._looked = 0.0

    def of(self, tags: NDArray[int64]) -> NDArray[int64]:
        """The server's numbers for tags of the file, in the same order."""
        import numpy as np

        present, places = np.unique(tags, return_inverse=True)
        if time.monotonic() - self._looked > _SECONDS or not self._numbers.keys() >= set(present.tolist()):
            self._look()
        return np.array([self._numbers[tag] for tag in present.tolist()], np.int64)[places]

    def _look(self) -> None:
        self._looked = time.monotonic()
        names = self._samples.names()
        new = {tag: name for tag, name in names.items() if self._names.get(tag) != name}
        if new:
            numbers = self._server.signals(
                [name for name, _ in new.values()], [kind for _, kind in new.values()]
            )
            self._numbers.update(zip(new, numbers, strict=True))
            self._names = names
