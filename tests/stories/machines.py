"""The Modbus machines of the demo plant on a loop of their own, as a factory would have them: not in this program."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from app.domain.plant import Plant
from app.domain.samples import Value
from app.drivers.simulator import SimulatedPlant


class ModbusMachines:
    """A real Modbus TCP server whose registers stand still until a test changes them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="machines")
        self._thread.start()
        self._simulated = SimulatedPlant()

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def switch_on(self) -> None:
        """The server listens (again), on the same port."""
        self._wait(self._simulated.start_modbus())
        self._wait(self._simulated.tick())

    def switch_off(self) -> None:
        """The server is gone, with all its connections."""
        self._wait(self._simulated.stop_modbus())

    def set(self, machine: str, signal: str, value: Value) -> None:
        """Write a value into the register of a signal."""
        self._simulated.force(machine, signal, value)
        self._wait(self._simulated.tick())

    @property
    def plant(self) -> Plant:
        """The plant file of these machines."""
        whole = self._simulated.plant
        connections = tuple(c for c in whole.connections if c.driver == "modbus-tcp")
        names = {c.name for c in connections}
        tags = tuple(t for t in whole.tags if t.connection in names)
        codes = {t.equipment for t in tags}
        return replace(
            whole,
            equipment=tuple(e for e in whole.equipment if e.code in codes),
            connections=connections,
            tags=tags,
        )

    def close(self) -> None:
        self.switch_off()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@contextmanager
def modbus_machines() -> Iterator[ModbusMachines]:
    """Machines that are switched on, and off again at the end."""
    machines = ModbusMachines()
    try:
        machines.switch_on()
        yield machines
    finally:
        machines.close()
