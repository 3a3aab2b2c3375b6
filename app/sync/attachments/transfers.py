"""What is on its way of photos and files, gathered from the steps of the worker, for the status that windows read."""

from __future__ import annotations

from app.sync.attachments.worker import BlobStep
from app.sync.status import Transfer

_TROUBLES = 20


class Transfers:
    """The moving ones and the last that stopped with a problem; used on the thread of the worker."""

    def __init__(self) -> None:
        self._known: dict[str, Transfer] = {}

    def after(self, step: BlobStep) -> tuple[Transfer, ...]:
        """What is on its way once `step` was taken: what arrived is gone, what failed stays until it is tried again."""
        self._known.pop(step.sha256, None)
        if step.problem or not step.over:
            self._known[step.sha256] = Transfer(step.sha256, step.up, step.done, step.total, step.problem)
        while len(self._known) > _TROUBLES:
            del self._known[next(iter(self._known))]
        return tuple(self._known.values())
