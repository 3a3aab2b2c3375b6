"""A watchdog around one piece of waiting: what takes too long is cancelled, and never waited for without end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

log = structlog.get_logger(__name__)

_T = TypeVar("_T")
_END_TRIES = 5
_END_SECONDS = 1.0


async def within(seconds: float, work: Coroutine[Any, Any, _T]) -> _T:
    """The result of `work`; raises TimeoutError after `seconds`, when `work` has been cancelled.

    Unlike asyncio.timeout this also ends the wait for work that swallows its cancellation, as a library may.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=seconds)
        if not task.done() or task.cancelled():  # a library may cancel its own work; that must not cancel us
            raise TimeoutError
        return task.result()
    finally:
        await put_an_end_to(task)


async def put_an_end_to(task: asyncio.Future[Any], patience: float = _END_SECONDS) -> None:
    """Cancel a task, again and again: before Python 3.12, asyncio.wait_for in a library may lose a cancellation.

    `patience` is how long it may tidy up, in seconds, before it is cancelled once more. Who is cancelled while waiting
    here hurries the task, but does not leave it behind: it would end with the loop, in the middle of its goodbye.
    """
    hurried = False
    for _ in range(_END_TRIES):
        if task.done():
            break
        task.cancel()
        try:
            await asyncio.wait([task], timeout=patience)
        except asyncio.CancelledError:
            hurried = True
    if not task.done():
        log.error("a task does not end", task=repr(task))
    elif not task.cancelled():
        task.exception()  # looked at, so that nobody is told that it was never retrieved
    if hurried:
        raise asyncio.CancelledError
