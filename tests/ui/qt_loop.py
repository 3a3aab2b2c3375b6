"""Runs a test's coroutine on the event loop of the window, as the program does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import qasync
from PySide6.QtWidgets import QApplication


def on_qt_loop(body: Coroutine[Any, Any, None], app: QApplication) -> None:
    """Run `body` to its end on a qasync loop, and leave neither tasks nor the loop behind."""
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(body)
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def until(condition: Callable[[], object], seconds: float = 20.0, what: str = "") -> None:
    """Wait until a condition holds; says what was waited for when it does not."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110  (any condition, not only events)
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what or condition}") from None
