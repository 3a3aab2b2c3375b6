"""MQTT: values that machines publish to a broker, plain or somewhere in JSON, with their age always known."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from app.domain.plant import Connection
from app.domain.samples import Quality, Value
from app.drivers.faults import BadAddress, DeviceTrouble, MachineFault
from app.drivers.mqtt_address import MqttAddress, parse_address
from app.drivers.mqtt_board import Board
from app.drivers.mqtt_browse import MOST_TOPICS, children
from app.drivers.mqtt_session import MqttSession
from app.drivers.mqtt_values import LARGEST, Decoded, Payload, encode
from app.drivers.protocol import BrowseNode, Credentials, Granted, Reading, Sink, Traffic, Watch

FIRST_VALUES = 1.0  # s after which an address without a retained message is told to be waiting
BROWSE_SECONDS = 2.0  # how long to listen for topics
CHECK_AGE = 1.0  # s between looks for values that have grown old


class MqttDriver:
    """One session with one broker; what other programs keep there is only read, never changed, except by `write`.

    `status_topic` of the connection is where the machine's last will appears: while its text is `status_offline`, every
    address is bad. Values grow old as the wish's `freshness` says, or never when it is 0.
    """

    def __init__(self, connection: Connection, credentials: Credentials | None = None) -> None:
        self._connection = connection
        self._session = MqttSession(connection, (credentials or Credentials()).password, self._take)
        self._status_topic = connection.status_topic.strip()
        self._board = Board()
        self._sink: Sink | None = None
        self._ages: asyncio.Task[None] | None = None
        self._listeners: list[_Listener] = []
        self._heard: dict[str, bytes] = {}

    async def connect(self) -> None:
        """Open the session; raises a MachineFault that says what to do."""
        await self._session.connect()

    def _take(self, topic: str, payload: bytes, retained: bool) -> None:
        """One message, whoever asked for it."""
        for listener in self._listeners:
            listener.take(topic, payload, retained)
        if self._sink is None:
            return
        now = datetime.now(UTC)
        if topic == self._status_topic:
            offline = _says(payload, self._connection.status_offline)
            self._tell(self._board.gone(now) if offline else self._board.back(now))
        unreadable, too_large = self._board.unreadable, self._board.too_large
        self._tell(self._board.take(topic, payload, retained, now, time.monotonic()))
        if self._board.unreadable != unreadable:
            self._session.count(failures=1, overflows=self._board.too_large - too_large)

    def _tell(self, readings: list[Reading]) -> None:
        if readings and self._sink is not None:
            self._sink(readings)

    async def browse(self, address: str | None = None) -> list[BrowseNode]:
        """The topics that are retained or spoken on right now; values in JSON have addresses of their own.

        The top listens anew, for as long as the timeout allows but two seconds at most; a machine that is silent
        meanwhile and has left nothing behind does not appear.
        """
        if address is None or not self._heard:
            self._heard = await self._listen()
        return children(self._heard, address)

    async def _listen(self) -> dict[str, bytes]:
        listener = _Listener(None)
        self._listeners.append(listener)
        try:
            denied = await self._session.subscribe(["#"], 0)
            if denied:
                raise DeviceTrouble(
                    self._session.place, "it does not let this user see all topics; type the address instead"
                )
            await asyncio.sleep(min(BROWSE_SECONDS, self._connection.timeout))
            await self._session.unsubscribe(["#"])
        finally:
            self._listeners.remove(listener)
        return listener.heard

    async def read(self, addresses: Sequence[str]) -> list[Reading]:
        """What is retained or comes within the timeout; silence gives a reading that says it is waiting."""
        parsed: dict[str, MqttAddress | None] = {address: _parsed(address) for address in addresses}
        known = {address: self._board.last(address) for address in addresses}
        wanted = {a.topic for text, a in parsed.items() if a is not None and known[text] is None}
        listener = _Listener(wanted)
        denied: set[str] = set()
        if wanted:
            self._listeners.append(listener)
            try:
                denied = await self._session.subscribe(sorted(wanted), self._connection.qos)
                await listener.wait(self._connection.timeout)
                watched = {*self._board.topics, self._status_topic}
                await self._session.unsubscribe(sorted(wanted - watched))
            finally:
                self._listeners.remove(listener)
        now = datetime.now(UTC)
        return [
            _reading(text, parsed[text], known[text] or listener.decoded(parsed[text]), denied, now)
            for text in addresses
        ]

    async def subscribe(self, watches: Sequence[Watch], sink: Sink) -> list[Granted]:
        """Subscribe to every topic once, whatever the number of addresses in it; messages come when they come."""
        self._sink = sink
        faults: dict[str, MachineFault] = {}
        for watch in watches:
            try:
                address = parse_address(watch.address)
            except BadAddress as fault:
                faults[watch.address] = fault
                continue
            self._board.add(address, watch.freshness, time.monotonic())
        topics = self._board.topics
        if self._status_topic and self._status_topic not in topics:
            topics.insert(0, self._status_topic)
        denied = await self._session.subscribe(topics, self._connection.qos)
        for address_text in self._board.addresses(denied):
            faults[address_text] = BadAddress(
                address_text, "the broker does not let this user read the topic"
            )
        now = datetime.now(UTC)
        self._tell([Reading(a, None, Quality.BAD_CONFIGURATION_ERROR, now, now) for a in faults])
        self._ages = asyncio.create_task(self._watch_ages(), name="mqtt-ages")
        return [Granted(watch.address, watch.scan, faults.get(watch.address)) for watch in watches]

    async def _watch_ages(self) -> None:
        """Tells that addresses wait for their first value, and later which values have grown old."""
        await asyncio.sleep(FIRST_VALUES)
        self._tell(self._board.waiting(datetime.now(UTC)))
        shortest = self._board.shortest_freshness()
        while shortest:
            await asyncio.sleep(min(CHECK_AGE, shortest / 4))
            old = self._board.overdue(datetime.now(UTC), time.monotonic())
            self._session.count(refreshed=len(old))
            self._tell(old)

    async def write(self, address: str, value: Value) -> None:
        """Publish a value to the address's topic, not retained, and wait until the broker has it.

        Without a path the message is the bare text of the value; with one it is the smallest JSON that holds the value
        there: plant/oven2#set.temp and 80 publish {"set": {"temp": 80}}. At a qos of 0 nobody confirms anything,
        and a broker that does not let this user publish says nothing at all (MQTT 3.1.1, 3.3.5): only reading the
        value back shows it.
        """
        target = parse_address(address)
        await self._session.publish(target.topic, encode(value, target.path), self._connection.qos)

    async def lost(self) -> MachineFault:
        """Wait for the session to end."""
        return await self._session.lost()

    def traffic(self) -> Traffic:
        """Messages and requests; failures are unreadable messages, overflows those too large to be looked at."""
        return self._session.traffic

    def silence(self) -> float:
        """Seconds since the broker sent anything; it answers pings also when machines are silent."""
        return self._session.silence()

    async def close(self) -> None:
        """Say goodbye to the broker and stop watching."""
        ages, self._ages, self._sink = self._ages, None, None
        if ages is not None:
            ages.cancel()
            await asyncio.gather(ages, return_exceptions=True)
        await self._session.close()


class _Listener:
    """Keeps the newest message of each topic it wants, or of all of them."""

    def __init__(self, wanted: set[str] | None) -> None:
        self._wanted = wanted
        self.heard: dict[str, bytes] = {}
        self.live: set[str] = set()
        self._complete = asyncio.Event()

    def take(self, topic: str, payload: bytes, retained: bool) -> None:
        if not retained:
            self.live.add(topic)
        if self._wanted is None:
            if payload and len(payload) <= LARGEST and (topic in self.heard or len(self.heard) < MOST_TOPICS):
                self.heard[topic] = payload
        elif topic in self._wanted and payload:
            self.heard[topic] = payload
            if self._wanted <= self.heard.keys():
                self._complete.set()

    def decoded(self, address: MqttAddress | None) -> Decoded | None:
        """The value at an address, when its topic was heard."""
        if address is None or address.topic not in self.heard:
            return None
        found = Payload(self.heard[address.topic]).decode(address)
        return found if address.topic in self.live else found.initial()

    async def wait(self, seconds: float) -> None:
        """Until something came on every wanted topic, but not longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._complete.wait()
        except TimeoutError:
            return


def _parsed(text: str) -> MqttAddress | None:
    try:
        return parse_address(text)
    except BadAddress:
        return None


def _reading(
    text: str, address: MqttAddress | None, known: Decoded | None, denied: set[str], now: datetime
) -> Reading:
    if address is None or address.topic in denied:
        return Reading(text, None, Quality.BAD_CONFIGURATION_ERROR, now, now)
    if known is None:
        return Reading(text, None, Quality.BAD_WAITING_FOR_INITIAL_DATA, now, now)
    return Reading(text, known.value, known.quality, known.time or now, now)


def _says(payload: bytes, text: str) -> bool:
    """Whether a status message is this text, bare or as a JSON string; capitals do not matter."""
    said = payload.decode(errors="replace").strip()
    try:
        document = json.loads(said)
    except (ValueError, RecursionError):
        document = None
    words = document if isinstance(document, str) else said
    return words.strip().casefold() == text.strip().casefold()
