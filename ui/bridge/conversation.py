"""A conversation with one machine on a thread and event loop of its own: no answer ever holds up the window."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

from app.drivers.faults import MachineFault
from app.drivers.protocol import Driver

T = TypeVar("T")


class Conversation:
    """Asks one machine one thing after the other over one driver; a fault or a cancelled question hangs up.

    After that the next question makes a new driver. `close` hangs up for good; it waits for nothing.
    """

    def __init__(self, open_driver: Callable[[], Driver]) -> None:
        """`open_driver` makes a driver that is not yet connected; it runs on the thread and may block or raise."""
        self._open = open_driver
        self._driver: Driver | None = None
        # aiomqtt and pyserial watch file descriptors, which the default loop of Windows cannot.
        self._loop = asyncio.SelectorEventLoop() if sys.platform == "win32" else asyncio.new_event_loop()
        self._one_at_a_time = asyncio.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="machine conversation", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            self._loop.close()

    def ask(self, work: Callable[[Driver], Awaitable[T]]) -> Future[T]:
        """Have `work` done with a connected driver. Cancelling the future ends the work and hangs up.

        The future raises MachineFault or WorldFault of the machine, Refused of an address that cannot be.
        """
        if self._closed:
            raise RuntimeError("this conversation is over")
        return asyncio.run_coroutine_threadsafe(self._talk(work), self._loop)

    async def _talk(self, work: Callable[[Driver], Awaitable[T]]) -> T:
        async with self._one_at_a_time:
            try:
                if self._driver is None:
                    self._driver = self._open()
                    await self._driver.connect()
                return await work(self._driver)
            except (MachineFault, asyncio.CancelledError):
                await self._hang_up()
                raise

    async def _hang_up(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()

    def close(self) -> None:
        """End what is going on, release the machine, end the thread. May be called twice."""
        if not self._closed:
            self._closed = True
            asyncio.run_coroutine_threadsafe(self._end(), self._loop)

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*others, return_exceptions=True)
        try:
            await self._hang_up()
        finally:
            self._loop.stop()
