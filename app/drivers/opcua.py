"""OPC UA: subscriptions with the server's revised values, over a session that is always given back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.domain.samples import Quality, Value, is_bad
from app.drivers.faults import (
    BadAddress,
    DeviceTrouble,
    MachineFault,
    RefusedConnection,
    TooManySessions,
    Unreachable,
    UntrustedCertificate,
    WrongCredentials,
)
from app.drivers.protocol import BrowseNode, Credentials, Granted, Reading, Sink, Traffic, Watch

if TYPE_CHECKING:
    from asyncua import ua
    from asyncua.client.client import Client
    from asyncua.ua.uaerrors import UaStatusCodeError

_T = TypeVar("_T")

SESSION_TIMEOUT = 60_000  # ms; a crashed Lineside must not hold one of a controller's few sessions for long
KEEP_ALIVE = 5.0  # s between signs of life of a subscription whose values stand still
CHUNK = 500  # items in one request; small controllers refuse long ones
QUEUE = 10  # values the server keeps for us between two publications


class OpcUaDriver:
    """One session with one OPC UA server; a new client object for every attempt, as the library needs it."""

    def __init__(self, connection: Connection, credentials: Credentials | None = None) -> None:
        parts = urlsplit(connection.url)
        if not parts.hostname:
            raise Refused(f"“{connection.url}” has no host name; write it like opc.tcp://192.168.0.10:4840.")
        if connection.security != "None":
            raise Refused(
                f"Connection “{connection.name}”: encrypted OPC UA is not in this version yet; use security None."
            )
        self._place = f"{parts.hostname}:{parts.port or 4840}"
        self._connection, self._credentials = connection, credentials or Credentials()
        self._client: Client | None = None
        self._lost: asyncio.Future[MachineFault] | None = None
        self._heard = time.monotonic()

    async def connect(self) -> None:
        """Open socket, channel and session; raises a MachineFault that says what to do."""
        from asyncua.client.client import Client

        logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # the link logs an outage, once
        self._lost = asyncio.get_running_loop().create_future()
        client = Client(self._connection.url, timeout=self._connection.timeout, watchdog_intervall=2.0)
        client.name = client.description = "Lineside"
        client.application_uri = "urn:lineside:collector"
        client.session_timeout = SESSION_TIMEOUT
        if self._connection.user:
            client.set_user(self._connection.user)
            client.set_password(self._credentials.password)
        client.connection_lost_callback = self._on_lost
        self._client = client
        try:
            await self._ask(client.connect(), patience=3.0)
        except BaseException:
            await self.close()
            raise
        self._heard = time.monotonic()

    async def _ask(self, request: Coroutine[Any, Any, _T], *, patience: float = 1.0) -> _T:
        """Await one request with a watchdog; every failure becomes a MachineFault."""
        from asyncua.ua.uaerrors import UaError, UaStatusCodeError

        try:
            async with asyncio.timeout(self._connection.timeout * patience):
                return await request
        except TimeoutError:
            raise Unreachable(self._place, "no answer in time") from None
        except ConnectionRefusedError:
            raise RefusedConnection(self._place, "no OPC UA server on that port") from None
        except OSError as error:
            raise Unreachable(self._place, error.strerror or str(error)) from None
        except UaStatusCodeError as error:
            raise self._translate(error) from None
        except UaError as error:
            raise DeviceTrouble(self._place, str(error) or type(error).__name__) from None

    def _translate(self, error: UaStatusCodeError) -> MachineFault:
        name = type(error).__name__
        if name in ("BadIdentityTokenRejected", "BadIdentityTokenInvalid", "BadUserAccessDenied"):
            return WrongCredentials(self._place)
        if name == "BadTooManySessions":
            return TooManySessions(self._place)
        if name.startswith(("BadCertificate", "BadSecurity")):
            return UntrustedCertificate(self._place, name)
        if name.startswith("BadNodeId"):
            return BadAddress(self._place, "the machine does not know this node")
        if name in ("BadTimeout", "BadConnectionClosed", "BadServerNotConnected"):
            return Unreachable(self._place, name)
        return DeviceTrouble(self._place, name)

    async def _on_lost(self, _error: Exception) -> None:
        self._report(Unreachable(self._place, "the connection broke"))

    def _report(self, fault: MachineFault) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(fault)

    def _connected(self) -> Client:
        if self._client is None:
            raise Unreachable(self._place, "the connection is closed")
        return self._client

    async def browse(self, address: str | None = None) -> list[BrowseNode]:
        """Children of a node, or of the Objects folder."""
        from asyncua import ua
        from asyncua.ua.object_ids import ObjectIds

        client = self._connected()
        node = client.nodes.objects if address is None else client.get_node(_node_id(address))
        references = await self._ask(
            node.get_references(ObjectIds.HierarchicalReferences, ua.BrowseDirection.Forward), patience=2.0
        )
        return [
            BrowseNode(
                address=r.NodeId.to_string(),
                name=r.DisplayName.Text or r.BrowseName.Name or r.NodeId.to_string(),
                readable=r.NodeClass == ua.NodeClass.Variable,
                has_children=r.NodeClass in (ua.NodeClass.Object, ua.NodeClass.Variable),
                detail=r.NodeClass.name,
            )
            for r in references
        ]

    async def read(self, addresses: Sequence[str]) -> list[Reading]:
        """The current value of each node; an unknown node comes back with its bad status."""
        from asyncua.ua.attribute_ids import AttributeIds

        client = self._connected()
        ids = [_node_id(address) for address in addresses]
        readings: list[Reading] = []
        for some, names in zip(_chunks(ids), _chunks(addresses), strict=True):
            values = await self._ask(client.uaclient.session.read_attributes(list(some), AttributeIds.Value))
            now = datetime.now(UTC)
            readings += [_reading(name, value, now) for name, value in zip(names, values, strict=True)]
        self._heard = time.monotonic()
        return readings

    async def subscribe(self, watches: Sequence[Watch], sink: Sink) -> list[Granted]:
        """One subscription for each scan rate; what the server does not know is reported and sent as bad."""
        granted: list[Granted] = []
        by_scan: dict[float, list[Watch]] = {}
        for watch in watches:
            by_scan.setdefault(watch.scan, []).append(watch)
        for scan, group in by_scan.items():
            granted += await self._subscribe_at(scan, [w.address for w in group], sink)
        return granted

    async def _subscribe_at(self, scan: float, addresses: list[str], sink: Sink) -> list[Granted]:
        from asyncua import ua

        session = self._connected().uaclient.session
        handles = dict(enumerate(addresses))
        parameters = ua.CreateSubscriptionParameters()
        parameters.RequestedPublishingInterval = scan * 1000
        parameters.RequestedMaxKeepAliveCount = max(1, round(KEEP_ALIVE / scan))
        parameters.RequestedLifetimeCount = max(10, 12 * round(KEEP_ALIVE / scan))
        parameters.MaxNotificationsPerPublish = 0
        parameters.PublishingEnabled = True

        def publish(result: ua.PublishResult) -> None:
            self._take(result, handles, sink)

        revised = await self._ask(session.create_subscription(parameters, publish))
        granted: list[Granted] = []
        for some in _chunks(list(handles)):
            granted += await self._monitor(revised, scan, {h: handles[h] for h in some}, sink)
        return granted

    async def _monitor(
        self, subscription: ua.CreateSubscriptionResult, scan: float, handles: dict[int, str], sink: Sink
    ) -> list[Granted]:
        """Create monitored items; returns what the server made of each wish."""
        from asyncua import ua
        from asyncua.ua.attribute_ids import AttributeIds

        faults: dict[int, MachineFault] = {}
        requests: list[ua.MonitoredItemCreateRequest] = []
        for handle, address in handles.items():
            try:
                node_id = _node_id(address)
            except BadAddress as fault:
                faults[handle] = fault
                continue
            wish = ua.MonitoringParameters(
                ClientHandle=handle, SamplingInterval=scan * 1000, QueueSize=QUEUE, DiscardOldest=True
            )
            item = ua.ReadValueId(NodeId=node_id, AttributeId=AttributeIds.Value)
            requests.append(
                ua.MonitoredItemCreateRequest(
                    ItemToMonitor=item, MonitoringMode=ua.MonitoringMode.Reporting, RequestedParameters=wish
                )
            )
        parameters = ua.CreateMonitoredItemsParameters(
            SubscriptionId=subscription.SubscriptionId,
            TimestampsToReturn=ua.TimestampsToReturn.Both,
            ItemsToCreate=requests,
        )
        results: list[ua.MonitoredItemCreateResult] = []
        if requests:
            session = self._connected().uaclient.session
            results = await self._ask(session.create_monitored_items(parameters), patience=2.0)
        revised: dict[int, float] = {}
        codes: dict[int, int] = dict.fromkeys(faults, int(Quality.BAD_CONFIGURATION_ERROR))
        for request, result in zip(requests, results, strict=True):
            handle = int(request.RequestedParameters.ClientHandle or 0)
            revised[handle] = (
                max(result.RevisedSamplingInterval, subscription.RevisedPublishingInterval) / 1000
            )
            if not result.StatusCode.is_good():
                codes[handle] = result.StatusCode.value
                faults[handle] = BadAddress(handles[handle], f"the machine says {result.StatusCode.name}")
        now = datetime.now(UTC)
        if codes:
            sink([Reading(handles[h], None, code, now, now) for h, code in codes.items()])
        return [Granted(a, revised.get(h, scan), faults.get(h)) for h, a in handles.items()]

    def _take(self, result: ua.PublishResult, handles: dict[int, str], sink: Sink) -> None:
        """One publication of the server: a batch of changes, a change of state, or only a sign of life."""
        from asyncua import ua

        self._heard = time.monotonic()
        now = datetime.now(UTC)
        for notification in result.NotificationMessage.NotificationData or ():
            if isinstance(notification, ua.DataChangeNotification):
                sink(
                    [
                        _reading(handles[item.ClientHandle], item.Value, now)
                        for item in notification.MonitoredItems
                        if item.ClientHandle in handles
                    ]
                )
            elif isinstance(notification, ua.StatusChangeNotification):
                self._report(Unreachable(self._place, "the machine ended the subscription"))

    async def write(self, address: str, value: Value) -> None:
        """Writing to machines is off in this version."""
        raise Refused(f"Writing to machines is switched off: {value!r} was not sent to {address}.")

    async def lost(self) -> MachineFault:
        """Wait for the session or a subscription to end."""
        if self._lost is None:
            return Unreachable(self._place, "not connected")
        return await asyncio.shield(self._lost)

    def traffic(self) -> Traffic:
        """What was counted so far."""
        return Traffic()

    def silence(self) -> float:
        """Seconds since the last publication or keep-alive."""
        return time.monotonic() - self._heard

    async def close(self) -> None:
        """Give the session back to the server, then close the socket, whatever the server does."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            with suppress(Exception):  # whatever the server answers to a goodbye, we are gone
                async with asyncio.timeout(2.0):
                    await client.disconnect()
        finally:
            client.disconnect_socket()
            self._report(Unreachable(self._place, "the connection was closed"))


def _chunks(items: Sequence[_T]) -> Iterable[Sequence[_T]]:
    return (items[i : i + CHUNK] for i in range(0, len(items), CHUNK))


def _node_id(address: str) -> ua.NodeId:
    """Parse "ns=2;s=Oven2.Temp"; raises BadAddress."""
    from asyncua import ua
    from asyncua.ua.uaerrors import UaError

    try:
        return ua.NodeId.from_string(address.strip())
    except (UaError, ValueError, TypeError):
        raise BadAddress(address, "write it like ns=2;s=Oven2.Temp or ns=2;i=1001") from None


def _reading(address: str, data: ua.DataValue | None, now: datetime) -> Reading:
    """A data value with the server's own time and status; a bad one carries no value."""
    if data is None:
        return Reading(address, None, Quality.BAD, now, now)
    status = data.StatusCode
    quality = Quality.GOOD if status is None else int(status.value)
    value = None if is_bad(quality) or data.Value is None else _plain(data.Value.Value)
    source = data.SourceTimestamp or data.ServerTimestamp
    return Reading(address, value, quality, _utc(source) if source is not None else now, now)


def _plain(value: object) -> Value:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, datetime):
        return _utc(value).isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def _utc(time_of_server: datetime) -> datetime:
    """OPC UA times are UTC; the library gives some without saying so."""
    return (
        time_of_server.replace(tzinfo=UTC)
        if time_of_server.tzinfo is None
        else time_of_server.astimezone(UTC)
    )
