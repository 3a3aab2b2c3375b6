"""A simulated machine that publishes its signals as plain JSON to a broker, with a last will."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Self

from app.domain.plant import Connection, Tag
from app.domain.samples import Value
from app.drivers.mqtt_session import LastWill, MqttSession
from app.drivers.simulator.machines import Machine

ONLINE, OFFLINE = "online", "offline"


class MqttMachine:
    """Publishes to `topic` as an asynchronous context manager; `topic`/status says online, or offline as last will.

    A message is {"time": "2026-01-31T08:00:00+00:00", "temperature": 71.2, …}; values come from the caller, for
    example from the behaviour of a machine of the demo plant.
    """

    def __init__(
        self, url: str, topic: str, *, user: str = "", password: str = "", ca_file: str = ""
    ) -> None:
        self.topic, self.status_topic = topic, f"{topic}/status"
        name = "machine-" + topic.replace("/", "-")
        connection = Connection(name, "mqtt", url, user=user, ca_file=ca_file, client_id=name)
        will = LastWill(self.status_topic, OFFLINE.encode())
        self._session = MqttSession(connection, password, _ignore, will=will)

    async def __aenter__(self) -> Self:
        await self._session.connect()
        await self.say(self.status_topic, ONLINE, retain=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def publish(
        self, values: Mapping[str, Value], *, at: datetime | None = None, retain: bool = False
    ) -> None:
        """Send all values in one message with the time of measurement, which is now unless given."""
        message = {"time": (at or datetime.now(UTC)).isoformat()} | dict(values)
        await self.say(self.topic, json.dumps(message), retain=retain)

    async def say(self, topic: str, text: str | bytes, *, retain: bool = False) -> None:
        """Send anything to any topic; the broker has it when this returns."""
        payload = text if isinstance(text, bytes) else text.encode()
        await self._session.publish(topic, payload, 1, retain=retain)

    async def stop(self) -> None:
        """An orderly end: says offline itself, since no broker sends the will of one who says goodbye."""
        await self.say(self.status_topic, OFFLINE, retain=True)
        await self._session.close()

    async def die(self) -> None:
        """Power off: the broker publishes the last will."""
        await self._session.vanish()


def tags_of(machine: Machine, connection: str, topic: str) -> tuple[Tag, ...]:
    """How a plant file would describe the signals of a demo machine that publishes to `topic`."""
    return tuple(
        Tag(
            name=f"{machine.code}/{signal.name}",
            equipment=machine.code,
            connection=connection,
            address=f"{topic}#{signal.name}@time",
            unit=signal.unit,
            scan=signal.scan,
            deadband=signal.deadband,
            limits=signal.limits,
            alarm=signal.alarm,
        )
        for signal in machine.signals
    )


def _ignore(_topic: str, _payload: bytes, _retained: bool) -> None:
    """A machine that only talks."""
