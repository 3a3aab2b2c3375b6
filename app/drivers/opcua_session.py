"""One session with an OPC UA server: opened with care, every request watched and counted, always given back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.drivers.faults import (
    DeviceTrouble,
    MachineFault,
    RefusedConnection,
    ServerCertificate,
    Unreachable,
    UntrustedCertificate,
)
from app.drivers.opcua_faults import translated
from app.drivers.opcua_values import standard_node
from app.drivers.protocol import Credentials, Traffic
from app.drivers.unsent import forget_unsent

if TYPE_CHECKING:
    from asyncua import ua
    from asyncua.client.client import Client
    from asyncua.client.ua_session import UaSession

_T = TypeVar("_T")

SESSION_TIMEOUT = 30_000  # ms; a crashed Lineside must not hold one of a controller's few sessions for long
CHUNK = 500  # items in one request; small controllers refuse long ones
_GOODBYE = 2.0  # s that a server has to take our leave
_STATE = 2259  # Server_ServerStatus_State
# Server_ServerCapabilities_OperationLimits (Part 5 6.3.11), by what they limit
_LIMITS = {"read": 11705, "browse": 11710, "monitor": 11714}


def place_of(connection: Connection) -> str:
    """Host and port of a connection; raises Refused for an address without a host."""
    parts = urlsplit(connection.url)
    if not parts.hostname:
        raise Refused(f"“{connection.url}” has no host name; write it like opc.tcp://192.168.0.10:4840.")
    return f"{parts.hostname}:{parts.port or 4840}"


class OpcUaSession:
    """The way to one server; a new object for every attempt, as the library needs it."""

    def __init__(self, connection: Connection, credentials: Credentials) -> None:
        self.place = place_of(connection)
        self.timeout = connection.timeout
        self._connection, self._credentials = connection, credentials
        self._client: Client | None = None
        self._opening: asyncio.Task[None] | None = None
        self._lost: asyncio.Future[MachineFault] | None = None
        self._limits: dict[str, int] | None = None
        self.traffic = Traffic()
        self.heard = time.monotonic()

    async def open(self) -> None:
        """Open socket, channel and session; raises a MachineFault that says what to do."""
        from app.drivers.opcua_security import new_client

        logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # the link logs an outage, once
        self._lost = asyncio.get_running_loop().create_future()
        client = new_client(self._connection)
        client.name = client.description = "Lineside"
        client.application_uri = "urn:lineside:collector"
        client.session_timeout = SESSION_TIMEOUT
        if self._connection.user:
            client.set_user(self._connection.user)
            client.set_password(self._credentials.password)
        client.connection_lost_callback = self._on_lost
        self._client = client
        try:
            await self._open(client)
        except BaseException:
            await self.close()
            raise
        self.heard = time.monotonic()

    async def _open(self, client: Client) -> None:
        from app.drivers.opcua_security import secure

        await self.ask(secure(client, self._connection, self._credentials, self.place), patience=3.0)
        # A task of its own: who gives up in the middle could not know whether the server has made a session already.
        self._opening = asyncio.create_task(client.connect(), name=f"opc-ua-connect {self.place}")
        await self.ask(self._opened(self._opening), patience=3.0)

    async def _opened(self, opening: asyncio.Task[None]) -> None:
        try:
            await asyncio.shield(opening)
        except ConnectionRefusedError:
            raise
        except ConnectionError as error:
            if self._connection.security == "None" or self.services.has_session:
                raise
            # It told us its endpoints a moment ago, so it is there: it hung up when it saw who we are.
            raise UntrustedCertificate(self.place, "it ends the encrypted connection") from error

    @property
    def services(self) -> UaSession:
        """The library's requests; raises Unreachable when the session is closed."""
        return self.client.uaclient.session

    @property
    def client(self) -> Client:
        """The library's client; raises Unreachable when the session is closed."""
        if self._client is None:
            raise Unreachable(self.place, "the connection is closed")
        return self._client

    async def ask(self, request: Coroutine[Any, Any, _T], *, patience: float = 1.0) -> _T:
        """Await one request with a watchdog and count it; every failure becomes a MachineFault."""
        from asyncua.ua.uaerrors import UaError, UaStatusCodeError

        began = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout * patience):
                answer = await request
        except TimeoutError:
            raise self._failed(Unreachable(self.place, "no answer in time")) from None
        except ConnectionRefusedError:
            raise self._failed(RefusedConnection(self.place, "no OPC UA server on that port")) from None
        except OSError as error:
            raise self._failed(Unreachable(self.place, error.strerror or str(error))) from None
        except UaStatusCodeError as error:
            raise self._failed(translated(self.place, error)) from None
        except UaError as error:
            raise self._failed(DeviceTrouble(self.place, str(error) or type(error).__name__)) from None
        self.heard = time.monotonic()
        took, before = self.heard - began, self.traffic
        self.traffic = replace(
            before,
            requests=before.requests + 1,
            last_seconds=took,
            slowest_seconds=max(took, before.slowest_seconds),
        )
        return answer

    def _failed(self, fault: MachineFault) -> MachineFault:
        before = self.traffic
        self.traffic = replace(before, requests=before.requests + 1, failures=before.failures + 1)
        return fault

    def count(self, *, overflows: int = 0, refreshed: int = 0) -> None:
        """Add to what is counted."""
        before = self.traffic
        self.traffic = replace(
            before, overflows=before.overflows + overflows, refreshed=before.refreshed + refreshed
        )

    async def chunks(self, items: Sequence[_T], what: str) -> Iterable[Sequence[_T]]:
        """Items in portions as long as the server takes them in one request of that kind."""
        size = CHUNK
        if len(items) > 1:
            size = (await self._known_limits()).get(what, CHUNK)
        return [items[i : i + size] for i in range(0, len(items), size)]

    async def _known_limits(self) -> dict[str, int]:
        """What the server says about the length of requests, asked for once; many say nothing."""
        if self._limits is None:
            from asyncua.ua.attribute_ids import AttributeIds

            ids = [standard_node(number) for number in _LIMITS.values()]
            try:
                answers = await self.ask(self.services.read_attributes(ids, AttributeIds.Value))
            except DeviceTrouble:  # it cannot even say that it does not know them
                answers = []
            found = [answer.Value.Value if answer.Value is not None else None for answer in answers]
            known = dict(zip(_LIMITS, found, strict=False))
            self._limits = {
                k: max(1, min(CHUNK, v)) for k, v in known.items() if isinstance(v, int) and v > 0
            }
        return self._limits

    async def values(self, ids: Sequence[ua.NodeId], attributes: Sequence[int] = (13,)) -> list[ua.DataValue]:
        """Attributes (13 is the value) of nodes with both times: all of the first node, all of the second…"""
        from asyncua import ua
        from asyncua.ua.attribute_ids import AttributeIds

        wishes = [
            ua.ReadValueId(NodeId=node, AttributeId=AttributeIds(number))
            for node in ids
            for number in attributes
        ]
        answers: list[ua.DataValue] = []
        for some in await self.chunks(wishes, "read"):
            parameters = ua.ReadParameters(
                MaxAge=0.0, TimestampsToReturn=ua.TimestampsToReturn.Both, NodesToRead=list(some)
            )
            answers += await self.ask(self.services.read(parameters))
        if len(answers) != len(wishes):
            raise DeviceTrouble(self.place, f"it was asked for {len(wishes)} values and sent {len(answers)}")
        return answers

    async def prove(self) -> None:
        """Ask for the server's state, to learn whether it still answers."""
        await self.values([standard_node(_STATE)])

    def publishing(self) -> bool:
        """Whether anybody still waits for publications.

        WORKAROUND asyncua 2.1: the waiting ends without a word when the server knows no subscription of ours.
        """
        if self._client is None:
            return False
        waiting = self._client.uaclient.session._publish_task
        return waiting is None or not waiting.done()

    async def _on_lost(self, _error: Exception) -> None:
        self.report(Unreachable(self.place, "the connection broke"))

    def report(self, fault: MachineFault) -> None:
        """Say that this session is over; the first reason counts."""
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(fault)

    def give_up(self, fault: MachineFault) -> None:
        """End the session because a value that was sent got no answer, lest it arrive much later."""
        protocol = self.client.uaclient.protocol if self._client is not None else None
        if protocol is not None and protocol.transport is not None:
            forget_unsent(protocol.transport.get_extra_info("socket"))
        self.report(fault)

    def fail(self, error: Exception) -> None:
        """A bug in what receives the values: it ends the session, and `lost` raises it."""
        if self._lost is not None and not self._lost.done():
            self._lost.set_exception(error)

    @property
    def over(self) -> bool:
        """Whether the connection is gone or was closed."""
        return self._client is None or (self._lost is not None and self._lost.done())

    async def lost(self) -> MachineFault:
        """Wait for the session to end."""
        if self._lost is None:
            return Unreachable(self.place, "not connected")
        return await asyncio.shield(self._lost)

    async def close(self) -> None:
        """Give the session back to the server, then close the socket, whatever the server does."""
        client, self._client = self._client, None
        opening, self._opening = self._opening, None
        if client is None:
            return
        try:
            with suppress(Exception):  # whatever the server answers to a goodbye, we are gone
                async with asyncio.timeout(_GOODBYE):
                    if opening is not None:
                        await asyncio.wait([opening])
                    await client.disconnect()
        finally:
            if opening is not None and not opening.done():
                opening.cancel()
            client.disconnect_socket()
            self.report(Unreachable(self.place, "the connection was closed"))
            if opening is not None:
                await asyncio.gather(opening, return_exceptions=True)


async def certificate_of(connection: Connection) -> ServerCertificate:
    """The certificate that the server of a connection shows; raises a MachineFault when it has none."""
    from app.drivers.opcua_security import new_client, shown_certificate

    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    session = OpcUaSession(connection, Credentials())
    return await session.ask(shown_certificate(new_client(connection), session.place), patience=3.0)
