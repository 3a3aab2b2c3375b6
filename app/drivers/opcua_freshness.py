"""Watches the watching: old values are asked for anew, a subscription that has died is made again."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.domain.samples import Quality, is_bad
from app.drivers.faults import MachineFault
from app.drivers.opcua_session import OpcUaSession
from app.drivers.opcua_subscription import Item, Subscription
from app.drivers.opcua_values import reading, utc
from app.drivers.protocol import Reading

if TYPE_CHECKING:
    from asyncua import ua

_EVERY = 1.0  # s between two looks, less when a value may only be younger than that
_QUIET = 1.5  # signs of life missed before the server is asked whether it is there at all
_CHECK = 10.0  # s after which a value whose small changes the server keeps back is compared with what it has
_MISSED = 2  # changes that were read but never sent, before a subscription counts as dead
_UNREADABLE = (
    0x801F_0000,
    0x803A_0000,
    0x8035_0000,
)  # BadUserAccessDenied, BadNotReadable, BadAttributeIdInvalid


class Freshness:
    """Looks after the subscriptions of one session until cancelled."""

    def __init__(self, session: OpcUaSession, subscriptions: list[Subscription]) -> None:
        self._session, self._subscriptions = session, subscriptions

    async def run(self) -> None:
        """Look again and again; a fault of the session ends it and is reported there."""
        try:
            while not self._session.over:
                await asyncio.sleep(self._pause())
                for subscription in self._subscriptions:
                    await self._look(subscription)
        except MachineFault as fault:
            self._session.report(fault)
        except Exception as error:  # noqa: BLE001 — nobody awaits this task; `lost` raises the bug
            self._session.fail(error)

    def _pause(self) -> float:
        ages = [
            item.watch.freshness for s in self._subscriptions for item in s.items if item.watch.freshness > 0
        ]
        patience = [s.patience for s in self._subscriptions if s.patience > 0]
        return max(0.02, min([_EVERY, *(age / 4 for age in ages), *(p / 4 for p in patience)]))

    async def _look(self, subscription: Subscription) -> None:
        if self._session.over or not subscription.items:
            return
        if subscription.dead or not self._session.publishing():
            await self._session.prove()
            await subscription.renew()
            return
        if subscription.silent > _QUIET * subscription.patience:
            await self._session.prove()
        now = time.monotonic()
        old = [item for item in subscription.items if _allowed(item) < now - item.heard]
        if old:
            await self._refresh(subscription, old)

    async def _refresh(self, subscription: Subscription, old: Sequence[Item]) -> None:
        """Read what is old; a value that cannot be read is told once more, as the old one that it is."""
        self._session.count(refreshed=sum(item.watch.freshness > 0 for item in old))
        try:
            answers = await self._session.values([item.node for item in old])
        except MachineFault:  # counted there; whether the whole session is gone shows elsewhere
            _tell(subscription, [reading for item in old for reading in _unreadable(item)])
            return
        now, monotonic = datetime.now(UTC), time.monotonic()
        readings: list[Reading] = []
        for item, data in zip(old, answers, strict=True):
            if monotonic - item.heard <= _allowed(item):
                continue  # it came by itself while we asked
            item.heard = monotonic
            readings += _judged(item, data, now)
            item.missed *= _allowed(item) > 2 * subscription.publishing  # else it may be on its way
        _tell(subscription, readings)
        await self._doubt(subscription, old)

    async def _doubt(self, subscription: Subscription, old: Sequence[Item]) -> None:
        """Make a subscription anew that has not told what it should have."""
        if any(item.missed and item.filtered for item in old):
            # Some servers compare with the value before, not with the one they sent: a slow drift is never told.
            subscription.distrust_deadband()
        elif not any(item.missed >= _MISSED for item in old):
            return
        for item in subscription.items:
            item.missed = 0
        await subscription.renew()


def _allowed(item: Item) -> float:
    """Seconds without news after which a value is asked for."""
    if item.filtered:
        return min(item.watch.freshness or _CHECK, _CHECK)
    return item.watch.freshness or math.inf


def _judged(item: Item, data: ua.DataValue, now: datetime) -> list[Reading]:
    """What an old value turns into, now that the server was asked for it."""
    taken, before = reading(item.watch.address, data, now, item.index), item.last
    if taken.quality & 0xFFFF_0000 in _UNREADABLE:
        return _unreadable(item)
    if is_bad(taken.quality):
        item.last, item.told_old = taken, False
        return [] if before is not None and before.quality == taken.quality else [taken]
    if before is not None and _moved(before, taken, item.watch.deadband):
        item.missed += 1  # the subscription should have told us
    elif before is not None and not item.watch.freshness:
        return []  # nobody asked for a confirmation
    elif before is not None and taken.source_time <= before.source_time:
        # Nothing has changed since: the server vouches for the value at the time of its answer.
        answered = now if data.ServerTimestamp is None else utc(data.ServerTimestamp)
        taken = replace(taken, source_time=max(answered, before.source_time))
    item.last, item.told_old = taken, False
    return [taken]


def _unreadable(item: Item) -> list[Reading]:
    """An old value is told as such once, then there is nothing more to say."""
    item.heard = time.monotonic()
    told, item.told_old = item.told_old or not item.watch.freshness, True
    return [] if told else [_outdated(item)]


def _moved(before: Reading, taken: Reading, deadband: float) -> bool:
    old, new = before.value, taken.value
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return abs(new - old) > deadband
    return old != new


def _outdated(item: Item) -> Reading:
    """The last value with the word that it is old; without one, that the first is still awaited."""
    now, last = datetime.now(UTC), item.last
    if last is None or is_bad(last.quality):
        return Reading(item.watch.address, None, Quality.BAD_WAITING_FOR_INITIAL_DATA, now, now)
    return replace(last, quality=Quality.UNCERTAIN_LAST_USABLE, source_time=now, receive_time=now)


def _tell(subscription: Subscription, readings: Sequence[Reading]) -> None:
    if readings:
        subscription.sink(readings)
