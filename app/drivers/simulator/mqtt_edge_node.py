"""A simulated Sparkplug B edge node with devices: births, data by alias, a will with bdSeq, commands obeyed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from app.domain.plant import Connection
from app.domain.samples import Value
from app.drivers.faults import MachineFault
from app.drivers.mqtt_session import LastWill, MqttSession
from app.drivers.sparkplug import NAMESPACE
from app.drivers.sparkplug_message import Malformed, Metric, Payload, decode, encode
from app.drivers.sparkplug_node import REBIRTH
from app.drivers.sparkplug_types import DataType, from_wire


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric of the node, or of a device when `device` is not empty."""

    name: str
    datatype: DataType
    value: Value
    device: str = ""
    unit: str = ""


class SparkplugNode:
    """An edge node as an asynchronous context manager; the births counted in `births` begin when it connects."""

    def __init__(
        self,
        url: str,
        group: str,
        node: str,
        signals: tuple[Signal, ...],
        *,
        aliases: bool = True,
        bdseq: int = 0,
    ) -> None:
        self.group, self.node = group, node
        self.births = 0
        self.commands: list[Metric] = []
        self._signals = {(s.device, s.name): s for s in signals}
        self._aliases = {key: i + 1 for i, key in enumerate(self._signals)} if aliases else {}
        self._values: dict[tuple[str, str], Value] = {key: s.value for key, s in self._signals.items()}
        self._seq = 255
        self._bdseq = Metric("bdSeq", datatype=DataType.INT64, value=bdseq)
        will = LastWill(self._topic("NDEATH"), encode(Payload((self._bdseq,), time=_now())), retain=False)
        connection = Connection(f"{group}-{node}", "sparkplug", url, client_id=f"edge-{group}-{node}")
        self._session = MqttSession(connection, "", self._take, will=will)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._session.connect()
        await self._session.subscribe([self._topic("NCMD"), self._topic("DCMD") + "/+"], 1)
        await self.birth()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    def _topic(self, kind: str, device: str = "") -> str:
        return f"{NAMESPACE}/{self.group}/{kind}/{self.node}" + (f"/{device}" if device else "")

    async def birth(self) -> None:
        """Announce the node and all its devices; the sequence starts again at 0."""
        self.births += 1
        self._seq = 255
        control = Metric(REBIRTH, datatype=DataType.BOOLEAN, value=False)
        await self._send("NBIRTH", "", (self._bdseq, control, *self._announced("")))
        for device in sorted({s.device for s in self._signals.values() if s.device}):
            await self._send("DBIRTH", device, self._announced(device))

    def _announced(self, device: str) -> tuple[Metric, ...]:
        return tuple(
            Metric(
                s.name,
                self._aliases.get(key),
                s.datatype,
                self._values[key],
                _now(),
                properties={"engUnit": s.unit} if s.unit else {},
            )
            for key, s in self._signals.items()
            if s.device == device
        )

    async def data(
        self,
        values: Mapping[str, Value],
        device: str = "",
        *,
        at: int | None = None,
        historical: bool = False,
    ) -> None:
        """Send new values; `at` is their time in milliseconds since 1970 UTC."""
        metrics = []
        for name, value in values.items():
            key = (device, name)
            self._values[key] = value
            alias = self._aliases.get(key)
            metrics.append(
                Metric(
                    "" if alias is not None else name,
                    alias,
                    self._signals[key].datatype,
                    value,
                    at if at is not None else _now(),
                    historical,
                    value is None,
                )
            )
        await self._send("DDATA" if device else "NDATA", device, tuple(metrics))

    def lose_one_message(self) -> None:
        """The next message carries a number as if one before it had been lost."""
        self._seq = (self._seq + 1) % 256

    async def device_dies(self, device: str) -> None:
        """The node has lost a device behind it."""
        await self._send("DDEATH", device, ())

    async def die(self) -> None:
        """Power off: the broker publishes the death."""
        await self._session.vanish()

    async def _send(self, kind: str, device: str, metrics: tuple[Metric, ...]) -> None:
        self._seq = (self._seq + 1) % 256
        payload = encode(Payload(metrics, _now(), self._seq))
        await self._session.publish(self._topic(kind, device), payload, 0)

    def _take(self, topic: str, raw: bytes, _retained: bool) -> None:
        """A command: a rebirth, or new values, which are set and reported."""
        device = topic.split("/")[4] if topic.count("/") == 4 else ""
        try:
            metrics = decode(raw).metrics
        except Malformed:
            return
        task = asyncio.create_task(self._obey(device, metrics), name="sparkplug-node-command")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _obey(self, device: str, metrics: tuple[Metric, ...]) -> None:
        names = {alias: name for (_, name), alias in self._aliases.items()}
        try:
            for metric in metrics:
                if metric.name == REBIRTH:
                    await self.birth()
                    continue
                self.commands.append(metric)
                name = metric.name or names.get(metric.alias or 0, "")
                if (device, name) in self._signals:
                    datatype = self._signals[device, name].datatype
                    await self.data({name: from_wire(datatype, metric.wire)}, device)
        except MachineFault:
            return  # the node itself is off the network


def _now() -> int:
    return round(time.time() * 1000)
