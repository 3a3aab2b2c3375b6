"""Sparkplug B 3.0 over MQTT: edge nodes that announce their metrics at birth, and whose death is told by the broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.domain.samples import Quality, Value
from app.drivers.faults import BadAddress, DeviceTrouble, MachineFault
from app.drivers.mqtt_session import MqttSession
from app.drivers.protocol import BrowseNode, Credentials, Granted, Reading, Sink, Traffic, Watch
from app.drivers.sparkplug_message import Malformed, Metric, Payload, decode, encode
from app.drivers.sparkplug_node import REBIRTH, EdgeNode, Known, SparkplugAddress, parse_address
from app.drivers.sparkplug_types import DataType, is_scalar

NAMESPACE = "spBv1.0"
FIRST_VALUES = 1.0  # s after which a metric whose node has not been born is told to be waiting
BROWSE_SECONDS = 2.0
REBIRTH_PAUSE = (
    2.0  # s after which a node that has not answered is asked again, then twice as long, and so on
)
LONGEST_PAUSE = 60.0
_KINDS = ("NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA")

NodeId = tuple[str, str]


class SparkplugDriver:
    """Listens to edge nodes over one broker; asks a node for its birth whenever it cannot be sure of its values.

    A metric that stands still is not sent again, so values do not grow old here: the node's death tells. Lineside does
    not announce itself as a primary host (STATE): no node waits for it.
    """

    def __init__(self, connection: Connection, credentials: Credentials | None = None) -> None:
        self._connection = connection
        self._session = MqttSession(connection, (credentials or Credentials()).password, self._take)
        self._nodes: dict[NodeId, EdgeNode] = {}
        self._watched: set[NodeId] = set()
        self._asking: dict[NodeId, asyncio.Task[None]] = {}
        self._sink: Sink | None = None
        self._news = asyncio.Event()
        self._first_values: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Open the session; raises a MachineFault that says what to do."""
        await self._session.connect()

    def _take(self, topic: str, raw: bytes, retained: bool) -> None:
        """One message of the broker; births and data are never retained, so a retained one is not ours to believe."""
        parts = topic.split("/")
        if retained or len(parts) not in (4, 5) or parts[0] != NAMESPACE or parts[2] not in _KINDS:
            return
        device = parts[4] if len(parts) == 5 else ""
        if (parts[2][0] == "D") != bool(device):
            return
        try:
            payload = decode(raw)
        except Malformed:
            self._session.count(failures=1)
            return
        node_id = (parts[1], parts[3])
        node = self._nodes.setdefault(node_id, EdgeNode())
        readings = node.take(parts[2], device, payload, datetime.now(UTC))
        if readings and self._sink is not None:
            self._sink(readings)
        self._news.set()
        if node.wants_rebirth:
            self._ask_for_birth(node_id)

    def _ask_for_birth(self, node_id: NodeId) -> None:
        """Keep asking until the node is born; a birth is a large message, so never twice at a time."""
        self._nodes[node_id].wants_rebirth = True
        running = self._asking.get(node_id)
        if running is None or running.done():
            self._asking[node_id] = asyncio.create_task(self._until_born(node_id), name="sparkplug-rebirth")

    async def _until_born(self, node_id: NodeId) -> None:
        pause = REBIRTH_PAUSE
        while self._nodes[node_id].wants_rebirth:
            with suppress(MachineFault):  # an ended session is told by `lost`, a slow broker asked again
                await self._command(*node_id, "", Metric(REBIRTH, datatype=DataType.BOOLEAN, value=True))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _command(self, group: str, node: str, device: str, metric: Metric) -> None:
        """NCMD and DCMD go out at a qos of 0 and not retained, as the specification wants it."""
        topic = "/".join(
            [NAMESPACE, group, "DCMD" if device else "NCMD", node, *([device] if device else [])]
        )
        now = round(time.time() * 1000)
        await self._session.publish(topic, encode(Payload((metric,), time=now)), 0)

    async def browse(self, address: str | None = None) -> list[BrowseNode]:
        """Groups, their nodes, their devices and metrics, as far as nodes were heard; they are asked for their births.

        A node that says nothing for two seconds does not appear; the top listens anew.
        """
        if address is None or not self._nodes:
            await self._listen()
        return _children(self._nodes, address)

    async def _listen(self) -> None:
        everything = [f"{NAMESPACE}/#"]
        if await self._session.subscribe(everything, 0):
            raise DeviceTrouble(
                self._session.place, "it does not let this user see all topics; type the address instead"
            )
        for node_id in list(self._nodes):
            self._begin(node_id)
        await asyncio.sleep(min(BROWSE_SECONDS, self._connection.timeout))
        await self._session.unsubscribe(everything)
        self._stop_asking()

    async def read(self, addresses: Sequence[str]) -> list[Reading]:
        """What the births and data so far say; nodes not yet heard are asked and waited for until the timeout."""
        parsed: dict[str, SparkplugAddress] = {}
        for text in addresses:
            try:
                parsed[text] = parse_address(text)
            except BadAddress:
                continue
        strangers = {a.edge for a in parsed.values()} - self._watched
        if strangers:
            await self._follow(strangers)
        await self._until_settled(list(parsed.values()))
        if strangers:
            await self._session.unsubscribe(_topics(strangers))
            self._stop_asking()
        now = datetime.now(UTC)
        return [self._reading(text, parsed.get(text), now) for text in addresses]

    def _begin(self, node_id: NodeId) -> None:
        """Ask a node for its birth; one that was not listened to all the time may have changed meanwhile."""
        if node_id not in self._watched:
            self._nodes[node_id] = EdgeNode()
        if not self._nodes[node_id].born:
            self._ask_for_birth(node_id)

    def _stop_asking(self) -> None:
        """Only nodes that tags need are asked again and again."""
        for node_id in self._asking.keys() - self._watched:
            self._asking.pop(node_id).cancel()

    async def _follow(self, nodes: set[NodeId]) -> set[NodeId]:
        """Subscribe to nodes and ask for their births; returns those that the broker does not let us hear."""
        denied = await self._session.subscribe(_topics(nodes), self._connection.qos)
        refused = {node for node in nodes if denied & set(_topics({node}))}
        for node in nodes - refused:
            self._begin(node)
        return refused

    async def _until_settled(self, wanted: list[SparkplugAddress]) -> None:
        try:
            async with asyncio.timeout(self._connection.timeout):
                while not all(a.edge in self._nodes and self._nodes[a.edge].settled(a) for a in wanted):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return

    def _known(self, address: SparkplugAddress) -> Known | None:
        node = self._nodes.get(address.edge)
        settled = node is not None and node.settled(address)
        return node.known.get((address.device, address.metric)) if node is not None and settled else None

    def _reading(self, text: str, address: SparkplugAddress | None, now: datetime) -> Reading:
        if address is None:
            return Reading(text, None, Quality.BAD_CONFIGURATION_ERROR, now, now)
        known = self._known(address)
        if known is not None:
            return Reading(text, known.value, known.quality, known.time, now)
        node = self._nodes.get(address.edge)
        unknown = node is not None and node.settled(address)
        code = Quality.BAD_NODE_ID_UNKNOWN if unknown else Quality.BAD_WAITING_FOR_INITIAL_DATA
        return Reading(text, None, code, now, now)

    async def subscribe(self, watches: Sequence[Watch], sink: Sink) -> list[Granted]:
        """Listen to the nodes of these metrics and ask each for its birth, since births are not kept by brokers."""
        faults: dict[str, MachineFault] = {}
        parsed: list[SparkplugAddress] = []
        for watch in watches:
            try:
                parsed.append(parse_address(watch.address))
            except BadAddress as fault:
                faults[watch.address] = fault
        self._sink = sink
        edges = {address.edge for address in parsed}
        self._nodes |= {edge: EdgeNode() for edge in edges - self._watched}
        self._watched |= edges
        for address in parsed:
            self._nodes[address.edge].watch(address)
        refused = await self._follow(self._watched) if self._watched else set()
        for address in parsed:
            if address.edge in refused:
                faults[address.text] = BadAddress(
                    address.text, "the broker does not let this user hear this node"
                )
        now = datetime.now(UTC)
        if faults:
            sink([Reading(text, None, Quality.BAD_CONFIGURATION_ERROR, now, now) for text in faults])
        self._first_values = asyncio.create_task(self._tell_waiting(), name="sparkplug-first-values")
        return [Granted(watch.address, watch.scan, faults.get(watch.address)) for watch in watches]

    async def _tell_waiting(self) -> None:
        await asyncio.sleep(FIRST_VALUES)
        now = datetime.now(UTC)
        readings = [r for node in self._watched for r in self._nodes[node].waiting(now)]
        if readings and self._sink is not None:
            self._sink(readings)

    async def write(self, address: str, value: Value) -> None:
        """Send a command with the datatype of the birth, by alias where the node uses them.

        Commands are not confirmed; that the machine took the value shows in its next data. Raises Refused for a value
        that the metric cannot hold, DeviceTrouble while the node has not been born.
        """
        target = parse_address(address)
        if target.edge not in self._watched:
            await self.read([address])  # the aliases of now are needed, and nobody has listened so far
        known = self._known(target)
        if known is None or not is_scalar(known.datatype):
            raise DeviceTrouble(self._session.place, f"“{address}” has not been announced by its node")
        name = target.metric if known.alias is None else ""
        metric = Metric(
            name, known.alias, known.datatype, value, round(time.time() * 1000), null=value is None
        )
        try:
            await self._command(target.group, target.node, target.device, metric)
        except ValueError as error:
            raise Refused(f"“{address}” cannot take {value}: {error}.") from None

    async def lost(self) -> MachineFault:
        """Wait for the session with the broker to end."""
        return await self._session.lost()

    def traffic(self) -> Traffic:
        """Messages and requests; failures are messages that are no Sparkplug B."""
        return self._session.traffic

    def silence(self) -> float:
        """Seconds since the broker sent anything; it answers pings also when nodes are silent."""
        return self._session.silence()

    async def close(self) -> None:
        """Say goodbye to the broker."""
        self._sink = None
        tasks = [*self._asking.values(), *([self._first_values] if self._first_values else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()


def _topics(nodes: set[NodeId]) -> list[str]:
    """The topics of nodes: their own messages and those of their devices."""
    return [
        topic
        for group, node in sorted(nodes)
        for topic in (f"{NAMESPACE}/{group}/+/{node}", f"{NAMESPACE}/{group}/+/{node}/+")
    ]


def _children(nodes: dict[NodeId, EdgeNode], address: str | None) -> list[BrowseNode]:
    """One level of the tree of groups, nodes, devices and metrics."""
    parts = address.split("/") if address else []
    if not parts:
        return [BrowseNode(g, g, False, True, "group") for g in sorted({group for group, _ in nodes})]
    if len(parts) == 1:
        return [
            BrowseNode(f"{g}/{n}", n, False, True, "" if nodes[g, n].born else "has not told its values yet")
            for g, n in sorted(nodes)
            if g == parts[0]
        ]
    node = nodes.get((parts[0], parts[1]))
    if node is None:
        return []
    device = parts[2] if len(parts) > 2 else ""
    devices = {d for d, _ in node.known if d} if not device else set()
    below = [BrowseNode(f"{address}/{d}", d, False, True, "device") for d in sorted(devices)]
    return below + [
        BrowseNode(f"{address}:{name}", name, is_scalar(known.datatype), False, _detail(known))
        for (owner, name), known in sorted(node.known.items())
        if owner == device and name
    ]


def _detail(known: Known) -> str:
    if not is_scalar(known.datatype):
        return "cannot be read"
    return f"{known.value if known.value is not None else '—'} {known.unit}".strip()
