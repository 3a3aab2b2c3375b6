"""Short conversations with the running collector, for the command line: how it is, and what became of a write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from app.domain.errors import WorldFault
from app.domain.machine_news import LinkStatus, WriteAnswered
from app.live.attaching import running_collector
from app.live.feed import Feed
from app.live.messages import (
    LinkFigures,
    Message,
    Ping,
    Welcome,
)
from app.store.history import FILE_NAME
from app.store.machine_writes import WriteResult, read_write_results

_FIND_SECONDS = 2.0
_STATUS_SECONDS = 10.0


@dataclass
class CollectorReport:
    """How a collector is: since when it runs, what waits for the disk, and every connection."""

    started_at: datetime | None = None
    waiting_samples: int = 0
    given_up: int = 0
    trouble: str = ""
    links: dict[str, LinkStatus] = field(default_factory=dict)
    figures: dict[str, LinkFigures] = field(default_factory=dict)

    def hear(self, message: Message) -> bool:
        """Take in a message; True when all that is known has been told."""
        if isinstance(message, Welcome):
            self.started_at = message.started_at
        elif isinstance(message, LinkStatus):
            self.links[message.connection] = message
        elif isinstance(message, LinkFigures):
            self.figures[message.connection] = message
        elif isinstance(message, Ping):
            self.waiting_samples, self.given_up = message.waiting_samples, message.given_up
            self.trouble = message.trouble
            return True
        return False


async def listen_until(folder: Path, hear: Callable[[Message], bool], seconds: float, *, poke: bool) -> bool:
    """Listen to the folder's collector until `hear` returns True, for `seconds` at most; whether it did.

    Raises WorldFault when no collector answers.
    """
    done = asyncio.Event()

    def take(message: Message) -> None:
        if hear(message):
            done.set()

    feed = Feed(folder, take)
    if poke:
        feed.poke()
    listening = asyncio.create_task(feed.run(), name="listen")
    try:
        async with asyncio.timeout(seconds):
            began = asyncio.get_running_loop().time()
            while not done.is_set():
                if not feed.status.connected and asyncio.get_running_loop().time() - began > _FIND_SECONDS:
                    raise WorldFault(feed.status.sentence)
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await done.wait()
        return True
    except TimeoutError:
        return False
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def poke(folder: Path) -> bool:
    """Have the collector look at once for what was changed; whether one was there to hear it."""
    if running_collector(folder) is None:
        return False
    try:
        return asyncio.run(listen_until(folder, lambda m: isinstance(m, Ping), _STATUS_SECONDS, poke=True))
    except WorldFault:
        return False


def collector_report(folder: Path) -> CollectorReport:
    """Ask the running collector how it is. Raises WorldFault when none answers."""
    report = CollectorReport()
    if not asyncio.run(listen_until(folder, report.hear, _STATUS_SECONDS, poke=False)):
        raise WorldFault("The collector is there, but it does not answer.")
    return report


def await_write(folder: Path, id: str, seconds: float) -> WriteResult | None:
    """The answer to a write that was just committed; None when there is none after `seconds`.

    Raises WorldFault when no collector answers, in which case the write expires by itself.
    """
    answers: list[WriteResult] = []

    def hear(message: Message) -> bool:
        if isinstance(message, Welcome):  # it may have been answered before we listened
            answers.extend(read_write_results(folder / FILE_NAME, [id]).values())
        elif isinstance(message, WriteAnswered) and message.id == id:
            answers.append(_result(message))
        return bool(answers)

    asyncio.run(listen_until(folder, hear, seconds, poke=True))
    return answers[0] if answers else read_write_results(folder / FILE_NAME, [id]).get(id)


def _result(answer: WriteAnswered) -> WriteResult:
    return WriteResult(answer.id, answer.tag, answer.ok, answer.sentence, answer.at, answer.read_back)
