"""One OPC UA subscription: what the server grants, the values that come, and whether they still come."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING

from app.domain.samples import Quality, lost_samples
from app.drivers.faults import BadAddress, DeviceTrouble, MachineFault, Unreachable
from app.drivers.opcua_faults import status_words
from app.drivers.opcua_reading import Spot
from app.drivers.opcua_session import OpcUaSession
from app.drivers.opcua_values import Index, fault_of, is_number, reading
from app.drivers.protocol import Granted, Reading, Sink, Watch

if TYPE_CHECKING:
    from asyncua import ua

KEEP_ALIVE = 5.0  # s between signs of life of a subscription whose values stand still
MARGIN = 10  # values more than one publication should need; a late publication must not cost any
_MISSED_KEEP_ALIVES = 3
_STRANGE_FILTER = (
    "BadFilterNotAllowed",
    "BadMonitoredItemFilterUnsupported",
    "BadMonitoredItemFilterInvalid",
    "BadDeadbandFilterInvalid",
)
_ABSOLUTE = 1  # DeadbandType (Part 4 7.22.2)


@dataclass(slots=True)
class Item:
    """An address that is watched: what came last, and when it was last heard of (monotonic seconds).

    `filtered` when the server judges its deadband, `told_old` once its age was told, `missed` changes that were read
    but never sent.
    """

    watch: Watch
    node: ua.NodeId
    index: Index
    heard: float
    last: Reading | None = None
    filtered: bool = False
    told_old: bool = False
    missed: int = 0


@dataclass(slots=True, eq=False)
class _Node:
    """A node that the server watches for us, for one or, when it is a list, for many addresses."""

    items: list[Item]
    only: Item | None
    deadband: float
    faults: MachineFault | None = None
    scan: float = 0.0
    queue: int = 1


@dataclass(slots=True, eq=False)
class Subscription:
    """The values of one scan rate; `start` may be called again after the server has forgotten it."""

    session: OpcUaSession
    scan: float
    sink: Sink
    keep_alive: float = KEEP_ALIVE
    number: int = 0
    heard: float = 0.0
    publishing: float = 0.0
    patience: float = 0.0
    broken: bool = False
    _nodes: dict[int, _Node] = field(default_factory=dict)

    @property
    def items(self) -> list[Item]:
        """Everything that is watched."""
        return [item for node in self._nodes.values() for item in node.items]

    @property
    def silent(self) -> float:
        """Seconds since the last publication, be it without values."""
        return time.monotonic() - self.heard

    @property
    def dead(self) -> bool:
        """Whether the server has ended it, or has missed three signs of life."""
        return self.broken or self.silent > _MISSED_KEEP_ALIVES * self.patience

    async def watch(self, watches: Sequence[Watch], spots: Sequence[Spot]) -> list[Granted]:
        """Begin to watch; what the server does not know is told as bad, and is not asked for again."""
        granted: dict[str, Granted] = {}
        by_node: dict[ua.NodeId, list[tuple[Watch, Spot]]] = {}
        refused: list[tuple[Spot, BadAddress]] = []
        for watch, spot in zip(watches, spots, strict=True):
            fault = _fault(spot)
            if fault is not None or spot.node is None:
                refused.append((spot, fault or BadAddress(spot.address, "it leads nowhere")))
            else:
                by_node.setdefault(spot.node, []).append((watch, spot))
        now = time.monotonic()
        for handle, pairs in enumerate(by_node.values()):
            items = [Item(w, s.node, s.index, now) for w, s in pairs if s.node is not None]
            single = items[0] if len(items) == 1 and not items[0].index else None
            wanted = min(w.deadband for w, _ in pairs) if single and is_number(pairs[0][1].data, ()) else 0.0
            self._nodes[handle] = _Node(items, single, wanted)
        self._refuse(refused)
        granted |= {s.address: Granted(s.address, self.scan, fault) for s, fault in refused}
        await self.start()
        for node in list(self._nodes.values()):
            for item in node.items:
                granted[item.watch.address] = Granted(
                    item.watch.address, node.scan, node.faults, node.deadband > 0, node.queue
                )
        self._nodes = {h: n for h, n in self._nodes.items() if n.faults is None}
        return [granted[watch.address] for watch in watches]

    def _refuse(self, refused: Sequence[tuple[Spot, BadAddress]]) -> None:
        now = datetime.now(UTC)
        readings = []
        for spot, _ in refused:
            shown = spot.reading(now)
            bad = shown.quality & Quality.BAD
            readings.append(
                shown if bad else Reading(spot.address, None, Quality.BAD_CONFIGURATION_ERROR, now, now)
            )
        if readings:
            self.sink(readings)

    async def start(self) -> None:
        """Create the subscription and what it watches; raises a MachineFault."""
        from asyncua import ua

        if not self._nodes:
            return
        parameters = ua.CreateSubscriptionParameters()
        parameters.RequestedPublishingInterval = self.scan * 1000
        parameters.RequestedMaxKeepAliveCount = max(1, round(self.keep_alive / self.scan))
        parameters.RequestedLifetimeCount = max(10, 12 * parameters.RequestedMaxKeepAliveCount)
        parameters.MaxNotificationsPerPublish = 0
        parameters.PublishingEnabled = True
        revised = await self.session.ask(
            self.session.services.create_subscription(parameters, self._published)
        )
        self.number, self.broken = revised.SubscriptionId, False
        self.publishing = publishing = revised.RevisedPublishingInterval / 1000
        self.patience = publishing * max(1, revised.RevisedMaxKeepAliveCount)
        self.heard = time.monotonic()
        for item in self.items:
            item.heard = self.heard
        for some in await self.session.chunks(list(self._nodes), "monitor"):
            strange = await self._monitor(some, publishing)
            if strange:
                await self._monitor(strange, publishing)

    async def _monitor(self, handles: Sequence[int], publishing: float) -> list[int]:
        """Create monitored items; returns those that have to be asked for again, without a deadband."""
        from asyncua import ua

        parameters = ua.CreateMonitoredItemsParameters(
            SubscriptionId=ua.IntegerId(self.number),
            TimestampsToReturn=ua.TimestampsToReturn.Both,
            ItemsToCreate=[self._wish(handle, publishing) for handle in handles],
        )
        request = self.session.services.create_monitored_items(parameters)
        results = await self.session.ask(request, patience=2.0)
        if len(results) != len(handles):
            raise DeviceTrouble(
                self.session.place, f"it was asked to watch {len(handles)} values, not {len(results)}"
            )
        strange: list[int] = []
        for handle, result in zip(handles, results, strict=True):
            node = self._nodes[handle]
            name = result.StatusCode.name
            if result.StatusCode.is_good():
                node.faults = None
                node.scan = max(result.RevisedSamplingInterval / 1000, publishing)
                node.queue = max(1, result.RevisedQueueSize)
                for item in node.items:
                    item.filtered = node.deadband > 0
            elif node.deadband > 0 and name in _STRANGE_FILTER:
                node.deadband = 0.0
                strange.append(handle)
            else:
                self._rejected(node, name, result.StatusCode.value)
        return strange

    def _wish(self, handle: int, publishing: float) -> ua.MonitoredItemCreateRequest:
        from asyncua import ua
        from asyncua.ua.attribute_ids import AttributeIds

        node = self._nodes[handle]
        parameters = ua.MonitoringParameters(
            ClientHandle=ua.IntegerId(handle),
            SamplingInterval=ua.Duration(self.scan * 1000),
            QueueSize=ua.Counter(ceil(publishing / self.scan) + MARGIN),
            DiscardOldest=True,
        )
        if node.deadband > 0:
            parameters.Filter = ua.DataChangeFilter(
                Trigger=ua.DataChangeTrigger.StatusValue,
                DeadbandType=ua.UInt32(_ABSOLUTE),
                DeadbandValue=ua.Double(node.deadband),
            )
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=node.items[0].node, AttributeId=AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=parameters,
        )

    def _rejected(self, node: _Node, name: str, code: int) -> None:
        now = datetime.now(UTC)
        address = node.items[0].watch.address
        node.faults = BadAddress(address, f"the machine says {status_words(name)}")
        self.sink([Reading(item.watch.address, None, code, now, now) for item in node.items])

    def _published(self, result: ua.PublishResult) -> None:
        """One publication of the server: a batch of changes, a change of state, or only a sign of life."""
        if result.SubscriptionId != self.number and self.number:
            return  # an answer that was on its way when the subscription was renewed
        try:
            self._take(result)
        except Exception as error:  # noqa: BLE001 — the library would swallow it, and values would vanish silently
            self.session.fail(error)

    def _take(self, result: ua.PublishResult) -> None:
        from asyncua import ua

        self.heard = self.session.heard = monotonic = time.monotonic()
        now = datetime.now(UTC)
        for notification in result.NotificationMessage.NotificationData or ():
            if isinstance(notification, ua.DataChangeNotification):
                self._changed(notification.MonitoredItems, monotonic, now)
            elif isinstance(notification, ua.StatusChangeNotification) and not self.session.over:
                self.broken = True

    def _changed(
        self, changes: Sequence[ua.MonitoredItemNotification], monotonic: float, now: datetime
    ) -> None:
        readings: list[Reading] = []
        for change in changes:
            node = self._nodes.get(change.ClientHandle)
            if node is None:
                continue
            item = node.only
            if item is not None:
                item.last = taken = reading(item.watch.address, change.Value, now)
                item.heard, item.told_old, item.missed = monotonic, False, 0
                readings.append(taken)
                if taken.quality & 0x0000_0080 and lost_samples(taken.quality):
                    self.session.count(overflows=1)
            else:
                readings += self._elements(node, change.Value, monotonic, now)
        self.sink(readings)

    def _elements(self, node: _Node, data: ua.DataValue, monotonic: float, now: datetime) -> list[Reading]:
        """What has changed of a list that is watched for some of its elements."""
        changed: list[Reading] = []
        for item in node.items:
            taken = reading(item.watch.address, data, now, item.index)
            before, item.heard = item.last, monotonic
            if (
                before is None
                or item.told_old
                or (before.value, before.quality) != (taken.value, taken.quality)
            ):
                item.last, item.told_old, item.missed = taken, False, 0
                changed.append(taken)
        if changed and lost_samples(changed[0].quality):
            self.session.count(overflows=1)
        return changed

    def distrust_deadband(self) -> None:
        """From its next start on, every change counts."""
        for node in self._nodes.values():
            node.deadband = 0.0

    async def renew(self) -> None:
        """Forget the old subscription and create it anew within the same session; raises a MachineFault."""
        old, self.number = self.number, 0
        try:
            await self.session.ask(self.session.services.delete_subscriptions([old]))
        except Unreachable:
            raise
        except MachineFault:
            pass  # it had no longer existed, which is why we are here
        self.session.count(refreshed=len(self.items))
        await self.start()


def _fault(spot: Spot) -> BadAddress | None:
    """Why an address can be given up at once."""
    if spot.fault is not None:
        return spot.fault
    if spot.unknown:
        return BadAddress(spot.address, "the machine does not know this node")
    return fault_of(spot.address, spot.data, spot.index)
