"""One connection to an MQTT broker: opened, watched and closed without leaving a socket or a task behind."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.drivers.faults import BadAddress, DeviceTrouble, MachineFault, RefusedConnection, Unreachable
from app.drivers.mqtt_faults import ClientNameTaken, HangUps, answer_fault, certificate_fault
from app.drivers.protocol import Traffic
from app.drivers.unsent import forget_unsent

if TYPE_CHECKING:
    from aiomqtt import Client
    from paho.mqtt.client import SocketLike

_T = TypeVar("_T")
Take = Callable[[str, bytes, bool], None]

PORTS = {"mqtt": 1883, "mqtts": 8883}
TOPICS_AT_ONCE = 100  # in one SUBSCRIBE; small brokers refuse long ones
_HANG_UPS = HangUps()


def client_name(connection: Connection) -> str:
    """The name by which the broker knows us: always the same on this PC, and another one on every other PC.

    Two stations that watch the same plant must not have one name, or the broker would throw them out in turn.
    """
    return connection.client_id or f"lineside-{connection.name}-{socket.gethostname()}"


@dataclass(frozen=True, slots=True)
class LastWill:
    """What the broker publishes for us, retained, when we vanish without a goodbye."""

    topic: str
    payload: bytes
    retain: bool = True


class MqttSession:
    """One session for one attempt. `take` gets every message (topic, payload, retained) on the event loop, at once.

    Messages are handed on while the socket is read, so nothing can pile up between the library and us: a flood waits
    in the broker. The session is always a clean one: what a broker kept for us while we were away would arrive looking
    like news.
    """

    def __init__(
        self,
        connection: Connection,
        password: str,
        take: Take,
        *,
        will: LastWill | None = None,
    ) -> None:
        parts = urlsplit(connection.url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise Refused(f"“{connection.url}” has no host name; write it like mqtt://192.168.0.10:1883.")
        self._host, self._port = parts.hostname, parts.port or PORTS[parts.scheme]
        self._encrypted = parts.scheme == "mqtts"
        self.place = f"{self._host}:{self._port}"
        self.client_id = client_name(connection)
        self._connection, self._password, self._take, self._will = connection, password, take, will
        self._client: Client | None = None
        self._watch: asyncio.Task[None] | None = None
        self._lost: asyncio.Future[MachineFault] | None = None
        self._heard = time.monotonic()
        self.traffic = Traffic()

    async def connect(self) -> None:
        """Open socket, encryption and session; raises a MachineFault that says what to do."""
        self._lost = asyncio.get_running_loop().create_future()
        context = await self._encryption() if self._encrypted else None
        await self._knock(context)
        client = self._new_client(context)
        try:
            async with asyncio.timeout(self._connection.timeout * 2 + 1):
                await self._ask(client.__aenter__())
        except BaseException as error:
            _abandon(client)
            if isinstance(error, TimeoutError):
                raise Unreachable(self.place, "no answer in time") from None
            raise
        self._client = client
        self._heard = time.monotonic()
        self._watch = asyncio.create_task(self._until_end(client), name="mqtt-session")

    async def _encryption(self) -> ssl.SSLContext:
        """Believes the plant's own authority when there is one, else those of the operating system."""
        file = self._connection.ca_file
        try:
            return await asyncio.to_thread(ssl.create_default_context, cafile=file or None)
        except OSError:
            if not await asyncio.to_thread(Path(file).is_file):
                raise Refused(
                    f"The CA file “{file}” is not there; choose it again.", field="ca_file"
                ) from None
            raise Refused(
                f"“{file}” is not a CA file; it has to be a certificate in PEM form.", field="ca_file"
            ) from None

    async def _knock(self, context: ssl.SSLContext | None) -> None:
        """A bare connection first: the library blocks a thread while it connects and tells every failure as text."""
        try:
            async with asyncio.timeout(self._connection.timeout):
                _, writer = await asyncio.open_connection(self._host, self._port, ssl=context)
        except TimeoutError:
            raise Unreachable(self.place, f"no answer in {self._connection.timeout:g} s") from None
        except ssl.SSLError as error:
            raise certificate_fault(self.place, self._host, error) from None
        except ConnectionRefusedError:
            raise RefusedConnection(self.place, "no MQTT broker on that port") from None
        except OSError as error:
            raise Unreachable(self.place, error.strerror or str(error)) from None
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()

    def _new_client(self, context: ssl.SSLContext | None) -> Client:
        from aiomqtt import Client, Message, Will

        def hand_on(message: Message) -> None:
            self._heard = time.monotonic()
            self._count(requests=1)
            self._take(message.topic.value, bytes(message.payload), message.retain)

        class Straight(asyncio.Queue[Message]):
            """A queue that keeps nothing: every message is handled where it was read."""

            def put_nowait(self, item: Message) -> None:
                hand_on(item)

        logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # the link logs an outage, once
        will = self._will
        client = Client(
            self._host,
            self._port,
            username=self._connection.user or None,
            password=self._password if self._connection.user else None,
            identifier=self.client_id,
            queue_type=Straight,
            will=Will(will.topic, will.payload, qos=1, retain=will.retain) if will else None,
            clean_session=True,
            timeout=self._connection.timeout,
            keepalive=max(1, min(60, math.ceil(self._connection.timeout))),
            tls_context=context,
        )
        client.pending_calls_threshold = 1_000
        client._client.connect_timeout = self._connection.timeout  # the library does not hand it through
        return client

    async def _ask(self, request: Awaitable[_T]) -> _T:
        """Await one request of the library; every failure becomes a MachineFault."""
        from aiomqtt import MqttCodeError, MqttError

        started = time.monotonic()
        try:
            result = await request
        except MqttCodeError as error:
            self._count(requests=1, failures=1)
            raise answer_fault(self.place, _code(error), self.client_id) from None
        except MqttError as error:
            self._count(requests=1, failures=1)
            detail = "no answer in time" if "timed out" in str(error) else str(error)
            raise Unreachable(self.place, detail) from None
        except ValueError as error:  # the library checks topics by itself
            raise BadAddress(self.place, str(error)) from None
        took = time.monotonic() - started
        self._count(requests=1, took=took)
        self._heard = time.monotonic()
        return result

    def _count(self, *, requests: int = 0, failures: int = 0, took: float | None = None) -> None:
        now = self.traffic
        self.traffic = replace(
            now,
            requests=now.requests + requests,
            failures=now.failures + failures,
            last_seconds=now.last_seconds if took is None else took,
            slowest_seconds=max(now.slowest_seconds, took or 0.0),
        )

    def count(self, *, failures: int = 0, overflows: int = 0, refreshed: int = 0) -> None:
        """Add what the driver found out about messages: unreadable, refused, or values repeated as old."""
        now = self.traffic
        self.traffic = replace(
            now,
            failures=now.failures + failures,
            overflows=now.overflows + overflows,
            refreshed=now.refreshed + refreshed,
        )

    async def _until_end(self, client: Client) -> None:
        """Waits for the connection to end and says why."""
        from aiomqtt import MqttError

        try:
            async for _ in client.messages:
                pass
        except MqttError as error:
            cause = error.__cause__
            self._report(await self._why(cause))

    async def _why(self, cause: BaseException | None) -> MachineFault:
        from aiomqtt import MqttCodeError

        if cause is None:
            return Unreachable(self.place, "the connection was closed")
        if not isinstance(cause, MqttCodeError):
            return (
                Unreachable(self.place, "the connection broke")
                if isinstance(cause, OSError)
                else DeviceTrouble(self.place, f"Lineside cannot handle it ({cause!r})")
            )
        fault = answer_fault(self.place, _code(cause), self.client_id)
        if _code(cause) != _UNSPECIFIED:
            _HANG_UPS.forget(self.place, self.client_id)
            return fault
        try:
            await self._knock(None)
        except MachineFault:
            _HANG_UPS.forget(self.place, self.client_id)
            return Unreachable(self.place, "the broker is gone")
        if _HANG_UPS.again(self.place, self.client_id):
            return ClientNameTaken(self.place, self.client_id)
        return Unreachable(self.place, "the broker ended the connection")

    def _report(self, fault: MachineFault) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(fault)

    def _connected(self) -> Client:
        if self._client is None:
            raise Unreachable(self.place, "the connection is closed")
        return self._client

    async def subscribe(self, topics: Sequence[str], qos: int) -> set[str]:
        """Ask for topics; returns those that the broker does not let us read."""
        denied: set[str] = set()
        for start in range(0, len(topics), TOPICS_AT_ONCE):
            some = topics[start : start + TOPICS_AT_ONCE]
            answers = await self._ask(self._connected().subscribe([(topic, qos) for topic in some]))
            codes = [answer if isinstance(answer, int) else answer.value for answer in answers]
            denied |= {topic for topic, code in zip(some, codes, strict=False) if code >= 0x80}
        return denied

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """Stop getting topics."""
        for start in range(0, len(topics), TOPICS_AT_ONCE):
            await self._ask(self._connected().unsubscribe(list(topics[start : start + TOPICS_AT_ONCE])))

    async def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool = False) -> None:
        """Send a message; with a qos of 1 or 2 the broker has it when this returns."""
        client = self._connected()
        try:
            await self._ask(client.publish(topic, payload, qos=qos, retain=retain))
        except Unreachable as fault:
            forget_unsent(client._client.socket())  # it must not arrive much later
            self._report(fault)
            raise

    async def lost(self) -> MachineFault:
        """Wait for the connection to end."""
        if self._lost is None:
            return Unreachable(self.place, "not connected")
        return await asyncio.shield(self._lost)

    def silence(self) -> float:
        """Seconds since anything came from the broker, answers to pings included."""
        heard = self._heard
        if self._client is not None:
            heard = max(
                heard, self._client._client._last_bytes_received
            )  # there is no public way to see a ping
        return time.monotonic() - heard

    async def close(self) -> None:
        """Say goodbye, then close the socket whatever the broker does."""
        client, watch = self._client, self._watch
        self._client = self._watch = None
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        if client is not None:
            try:
                with suppress(Exception):  # whatever the broker answers to a goodbye, we are gone
                    async with asyncio.timeout(1.0):
                        await client.__aexit__(None, None, None)
            finally:
                _abandon(client)
        self._report(Unreachable(self.place, "the connection was closed"))

    async def vanish(self) -> None:
        """Close the socket without a goodbye, as a crash would; the broker then publishes the last will."""
        client, self._client = self._client, None
        if client is not None:
            _abandon(client)
        await self.close()


_UNSPECIFIED = 0x80


def _code(error: object) -> int:
    """The reason code of an error of the library; its own numbers below 0x80 mean a broken connection."""
    rc = getattr(error, "rc", None)
    value = getattr(rc, "value", rc)
    return value if isinstance(value, int) else 0


def _abandon(client: Client) -> None:
    """Close what the library may have left open.

    WORKAROUND aiomqtt 2.5: after a failed or cancelled connect the socket, its reader and a task stay, and a connect
    that still runs on a thread would add them later.
    """
    loop = asyncio.get_running_loop()
    inner = client._client

    def close_at_once(_client: object, _data: object, late: SocketLike) -> None:
        late.close()

    inner.on_socket_open = close_at_once
    sock = inner.socket()
    if sock is not None and sock.fileno() >= 0:
        loop.remove_reader(sock.fileno())
        loop.remove_writer(sock.fileno())
        sock.close()
    if client._misc_task is not None:
        client._misc_task.cancel()
    if client._disconnected.done() and not client._disconnected.cancelled():
        client._disconnected.exception()  # looked at, so that asyncio does not complain
