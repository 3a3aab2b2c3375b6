"""Ending a piece of work: it has ended when the wait for its end is over, however impatient those above it are."""

from __future__ import annotations

import asyncio

from app.live.watchdog import put_an_end_to, within


async def test_work_that_tidies_up_has_ended_also_when_its_end_is_hurried_from_above() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow_to_end() -> None:
        begun.set()
        for _ in range(3):  # as a goodbye to a machine that is slow to answer
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue
        ended.set()

    task = asyncio.create_task(within(60, slow_to_end()))
    await begun.wait()
    await put_an_end_to(task, patience=0.05)
    assert ended.is_set()
    assert task.cancelled()
