"""Runs the demo plant: real servers on loopback whose machines live, drift, overheat and drop off."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from random import Random

from app.domain.plant import Plant
from app.domain.samples import Value
from app.drivers.simulator.machines import MACHINES, Machine, machine
from app.drivers.simulator.modbus_server import ModbusServer
from app.drivers.simulator.model import simulated_plant
from app.drivers.simulator.opcua_server import OpcUaServer


class SimulatedPlant:
    """The demo plant as an asynchronous context manager; a port of 0 becomes a free one.

    `speed` makes simulated time run faster than the clock, `rate` is how often values change each real second.
    `elapsed` is how many simulated seconds the machines have run already: their counters go on from there. The same
    seed gives the same values at the same step. With a folder for `certificates` the OPC UA server also
    offers encryption.
    """

    def __init__(
        self,
        *,
        opcua_port: int = 0,
        modbus_port: int = 0,
        host: str = "127.0.0.1",
        seed: int = 1,
        speed: float = 1.0,
        rate: float = 10.0,
        elapsed: float = 0.0,
        certificates: Path | None = None,
    ) -> None:
        self.host, self._certificates = host, certificates
        self.opcua_port = opcua_port or _free_port(host)
        self.modbus_port = modbus_port or _free_port(host)
        self._speed, self._rate, self._elapsed = speed, rate, elapsed
        self._noise = {m.code: Random(f"{seed}/{m.code}") for m in MACHINES}
        self._opcua: OpcUaServer | None = None
        self._modbus: ModbusServer | None = None
        self._dropped: set[str] = set()
        self._forced: dict[tuple[str, str], Value] = {}
        self._step = 0
        self._life: asyncio.Task[None] | None = None

    @property
    def plant(self) -> Plant:
        """The plant file that fits this simulation."""
        return simulated_plant(self.opcua_port, self.modbus_port, self.host)

    async def start(self) -> None:
        """Start both servers and the life of the machines; raises OSError when a port is taken."""
        await self.start_opcua()
        await self.start_modbus()
        await self.tick()
        self._life = asyncio.create_task(self._live(), name="simulated-plant")

    async def stop(self) -> None:
        """Stop everything; may be called twice."""
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            with suppress(asyncio.CancelledError):
                await life
        await self.stop_opcua()
        await self.stop_modbus()

    async def __aenter__(self) -> SimulatedPlant:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start_opcua(self) -> None:
        """Switch the OPC UA server on (again), on the same port."""
        machines = tuple(m for m in MACHINES if not m.unit)
        server = OpcUaServer(self.host, self.opcua_port, machines, self._certificates)
        await server.start()
        self._opcua = server

    async def stop_opcua(self) -> None:
        """Switch the OPC UA server off, as if it had crashed."""
        server, self._opcua = self._opcua, None
        if server is not None:
            await server.stop()

    async def start_modbus(self) -> None:
        """Switch the Modbus server on (again), on the same port."""
        server = ModbusServer(self.host, self.modbus_port, tuple(m for m in MACHINES if m.unit))
        await server.start()
        self._modbus = server

    async def stop_modbus(self) -> None:
        """Switch the Modbus server off, as if it had crashed."""
        server, self._modbus = self._modbus, None
        if server is not None:
            await server.stop()

    def drop(self, code: str) -> None:
        """Make one machine drop off: its server says so (OPC UA), or its unit falls silent (Modbus)."""
        self._dropped.add(machine(code).code)

    def restore(self, code: str) -> None:
        """Bring a dropped machine back."""
        self._dropped.discard(code)

    def force(self, code: str, signal: str, value: Value) -> None:
        """Hold one signal at a value, for example to overheat a machine; `release` lets it go."""
        self._forced[machine(code).code, signal] = value

    def release(self, code: str, signal: str) -> None:
        """Let a forced signal live again."""
        self._forced.pop((code, signal), None)

    def values(self, source: Machine, t: float) -> dict[str, Value] | None:
        """What a machine shows at simulated second `t`; None while it has dropped off."""
        values = source.behaviour(t, self._noise[source.code])
        if source.code in self._dropped or source.is_silent(t):
            return None
        return values | {s: v for (code, s), v in self._forced.items() if code == source.code}

    async def tick(self) -> None:
        """One step of every machine."""
        t = self._elapsed + self._step * self._speed / self._rate
        self._step += 1
        for source in MACHINES:
            server = self._modbus if source.unit else self._opcua
            values = self.values(source, t)
            if server is not None:
                await server.show(source, values)

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + 1.0 / self._rate, loop.time())
            await asyncio.sleep(due - loop.time())
            await self.tick()


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
