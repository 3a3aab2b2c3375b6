"""A real Modbus TCP server on loopback with one unit for each simulated machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from app.domain.plant import Scale
from app.domain.samples import Value
from app.drivers.modbus_values import BIT_TABLES, ORDERS, decode, encode, parse_address
from app.drivers.simulator.machines import Machine, Signal

if TYPE_CHECKING:
    from pymodbus.server import ModbusTcpServer

_WRITE_CODES = {"coil": 15, "di": 2, "hr": 16, "ir": 4}  # function codes by which the library finds the table


class ModbusServer:
    """Serves the machines that have a Modbus unit; a silenced unit does not answer at all.

    A temperature also stands at holding registers 30 to 37 as a float in each of the four byte orders.
    """

    def __init__(self, host: str, port: int, machines: tuple[Machine, ...]) -> None:
        self._host, self._port = host, port
        self._machines = machines
        self._server: ModbusTcpServer | None = None
        self._silent: set[int] = set()
        self._set: set[tuple[int, str]] = set()

    async def start(self) -> None:
        """Listen; raises RuntimeError for a taken port."""
        from pymodbus.server import ModbusTcpServer
        from pymodbus.simulator import DataType, SimData, SimDevice

        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
        devices = [
            SimDevice(
                id=m.unit,
                simdata=(
                    [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
                    [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
                    [SimData(0, count=200, values=0, datatype=DataType.REGISTERS)],
                    [SimData(0, count=50, values=0, datatype=DataType.REGISTERS)],
                ),
                action=partial(self._answer, m.unit),
            )
            for m in self._machines
        ]
        server = ModbusTcpServer(devices, address=(self._host, self._port), ignore_missing_devices=True)
        await server.serve_forever(background=True)
        self._server = server

    async def _answer(self, unit: int, *_request: Any) -> None:
        from pymodbus.exceptions import NoSuchIdException

        if unit in self._silent:
            raise NoSuchIdException(
                "this unit is switched off"
            )  # the server then stays silent, as a dead unit does

    async def show(self, machine: Machine, values: Mapping[str, Value] | None) -> None:
        """Put the values of a machine into its registers; None silences its unit."""
        if values is None:
            self._silent.add(machine.unit)
            return
        self._silent.discard(machine.unit)
        if self._server is None:
            return
        values = await self._following(machine, values)
        for signal in machine.signals:
            if signal.writing is None or (machine.unit, signal.name) not in self._set:
                await self._put(machine.unit, signal.address, _raw(values[signal.name], signal))
                self._set.add((machine.unit, signal.name))
        if "temperature" in values:
            for place, order in zip((30, 32, 34, 36), ORDERS, strict=True):
                await self._put(machine.unit, f"hr:{place}:float32:{order}", values["temperature"])

    async def _following(self, machine: Machine, values: Mapping[str, Value]) -> dict[str, Value]:
        """The values of a machine whose signals follow what was written to their setpoints."""
        followed = dict(values)
        for signal in machine.signals:
            if signal.writing is None or (machine.unit, signal.name) not in self._set:
                continue
            address = parse_address(signal.address)
            assert self._server is not None
            words = await self._server.async_getValues(machine.unit, 3, address.offset, address.words)
            written, usual = decode([int(word) for word in words], address), values[signal.name]
            name = signal.name.removesuffix("_setpoint")
            followed[name] = float(followed[name] or 0) + float(written or 0) - float(usual or 0)
        return followed

    async def _put(self, unit: int, text: str, raw: Value) -> None:
        """One value into the registers that an address names."""
        address = parse_address(text)
        words = [int(bool(raw))] if address.table in BIT_TABLES else encode(raw, address)
        assert self._server is not None
        await self._server.async_setValues(unit, _WRITE_CODES[address.table], address.offset, words)

    async def stop(self) -> None:
        """Stop listening and drop every client."""
        server, self._server = self._server, None
        if server is not None:
            await cast(Any, server).shutdown()  # the library does not declare its types here
            await asyncio.sleep(0)  # lets the transports finish closing


def _raw(value: Value, signal: Signal) -> Value:
    """Back from engineering units to what the register holds."""
    scale: Scale | None = signal.scale
    if scale is None or isinstance(value, (bool, str)) or value is None:
        return value
    return scale.raw_lo + (value - scale.eu_lo) * (scale.raw_hi - scale.raw_lo) / (scale.eu_hi - scale.eu_lo)
