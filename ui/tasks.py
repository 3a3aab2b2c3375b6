"""Blocking work away from the GUI thread: its result comes back on it, unless its owner is gone or asked anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot
from shiboken6 import isValid

T = TypeVar("T")

READERS = 3


@dataclass(frozen=True)
class _Delivery:
    """A finished piece of work on its way to the GUI thread."""

    owner: QObject
    key: str
    ticket: int
    future: Future[Any]
    done: Callable[[Any], None]
    failed: Callable[[BaseException], None] | None


class Tasks(QObject):
    """A small pool of reader threads; work of one owner under one key supersedes what it asked before.

    `unhandled` carries the exception of a task that had nobody to take it.
    """

    unhandled = Signal(object)
    _finished = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._tickets: dict[tuple[int, str], int] = {}
        self._pending = 0
        self._lock = threading.Lock()
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        *,
        owner: QObject,
        failed: Callable[[BaseException], None] | None = None,
        key: str = "",
    ) -> None:
        """Run `work` on a reader thread, then `done` or `failed` on the GUI thread while `owner` lives."""
        self.follow(self._pool.submit(work), done, owner=owner, failed=failed, key=key)

    def follow(
        self,
        future: Future[T],
        done: Callable[[T], None],
        *,
        owner: QObject,
        failed: Callable[[BaseException], None] | None = None,
        key: str = "",
    ) -> None:
        """Deliver the result of work that runs elsewhere (the writer thread, a process pool)."""
        ticket = self._tickets.get((id(owner), key), 0) + 1
        if key:
            self._tickets[id(owner), key] = ticket
        with self._lock:
            self._pending += 1
        delivery = _Delivery(owner, key, ticket, future, done, failed)
        future.add_done_callback(partial(self._hand_over, delivery))

    def _hand_over(self, delivery: _Delivery, _future: Future[Any]) -> None:
        if isValid(self):
            self._finished.emit(delivery)

    @property
    def idle(self) -> bool:
        """Whether nothing is running or on its way."""
        with self._lock:
            return self._pending == 0

    def close(self) -> None:
        """Wait for running work; what has not begun is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    @Slot(object)
    def _deliver(self, delivery: _Delivery) -> None:
        with self._lock:
            self._pending -= 1
        if not isValid(delivery.owner):
            return
        if delivery.key and self._tickets.get((id(delivery.owner), delivery.key)) != delivery.ticket:
            return
        try:
            error = delivery.future.exception()
        except CancelledError:
            return
        if error is None:
            delivery.done(delivery.future.result())
        elif delivery.failed is not None:
            delivery.failed(error)
        else:
            self.unhandled.emit(error)
