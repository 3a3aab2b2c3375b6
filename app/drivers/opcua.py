"""OPC UA: subscriptions with the server's revised values, over a session that is always given back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from app.domain.plant import Connection
from app.domain.samples import Value
from app.drivers.faults import MachineFault, ServerCertificate
from app.drivers.opcua_browse import Browser
from app.drivers.opcua_freshness import Freshness
from app.drivers.opcua_reading import find, read
from app.drivers.opcua_session import OpcUaSession, certificate_of
from app.drivers.opcua_subscription import KEEP_ALIVE, Subscription
from app.drivers.opcua_writing import write
from app.drivers.protocol import BrowseNode, Credentials, Granted, Reading, Sink, Traffic, Watch


class OpcUaDriver:
    """One session with one OPC UA server; `keep_alive` is how often, in seconds, a quiet subscription shows life."""

    def __init__(
        self,
        connection: Connection,
        credentials: Credentials | None = None,
        *,
        keep_alive: float = KEEP_ALIVE,
    ) -> None:
        self._session = OpcUaSession(connection, credentials or Credentials())
        self._browser = Browser(self._session)
        self._keep_alive = keep_alive
        self._subscriptions: list[Subscription] = []
        self._freshness: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Open socket, channel and session; raises a MachineFault that says what to do."""
        await self._session.open()

    async def browse(self, address: str | None = None) -> list[BrowseNode]:
        """The objects and variables below a node, or below the Objects folder."""
        return await self._browser.level(address)

    async def read(self, addresses: Sequence[str]) -> list[Reading]:
        """The current value of each node; an unknown node comes back with its bad status."""
        return await read(self._session, addresses)

    async def subscribe(self, watches: Sequence[Watch], sink: Sink) -> list[Granted]:
        """One subscription for each scan rate; what the server does not know is reported and sent as bad."""
        spots = dict(zip(watches, await find(self._session, [w.address for w in watches]), strict=True))
        by_scan: dict[float, list[Watch]] = {}
        for watch in watches:
            by_scan.setdefault(watch.scan, []).append(watch)
        granted: list[Granted] = []
        for scan, group in by_scan.items():
            subscription = Subscription(self._session, scan, sink, self._keep_alive)
            self._subscriptions.append(subscription)
            granted += await subscription.watch(group, [spots[watch] for watch in group])
        if self._freshness is None and watches:
            watching = Freshness(self._session, self._subscriptions)
            self._freshness = asyncio.create_task(watching.run(), name="opc-ua-freshness")
        return granted

    async def write(self, address: str, value: Value) -> None:
        """Send one raw value and wait for the server's word; raises Refused for what the node cannot take."""
        await write(self._session, self._browser, address, value)

    async def lost(self) -> MachineFault:
        """Wait for the session to end."""
        return await self._session.lost()

    def traffic(self) -> Traffic:
        """What was counted so far."""
        return self._session.traffic

    def silence(self) -> float:
        """Seconds since the last answer, publication or keep-alive."""
        return time.monotonic() - self._session.heard

    @property
    def password_in_clear(self) -> bool:
        """Whether the server left no other way than to send the password readable for everybody on the network."""
        from app.drivers.opcua_security import in_clear

        return in_clear(self._session.client)

    async def close(self) -> None:
        """Give the session back to the server, then close the socket, whatever the server does."""
        watching, self._freshness = self._freshness, None
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        await self._session.close()


async def fetch_certificate(connection: Connection) -> ServerCertificate:
    """The certificate that a machine shows, for a person to compare; raises a MachineFault when it has none."""
    return await certificate_of(connection)
