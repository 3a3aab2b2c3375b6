"""A real Modbus server for the tests, over TCP or a serial port, that can be told to misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self, cast

from app.domain.plant import Connection, SerialLine

if TYPE_CHECKING:
    from pymodbus.server import ModbusSerialServer, ModbusTcpServer

LINE = SerialLine(baud=115200, parity="none")  # what a pseudo terminal takes
REGISTERS, COILS = 300, 64


class Device:
    """Units with holding and input registers 0 to 299 (register n holds n) and coils and inputs 0 to 63 (odd ones on).

    `bad` are registers that it does not have, `codes` the exceptions it answers with next, `silent` the units that do
    not answer, `slow` the seconds it thinks; `requests` are (function, first, count) as they came in.
    """

    def __init__(self, units: Sequence[int] = (1,)) -> None:
        self.units = units
        self.port = 0
        self.requests: list[tuple[int, int, int]] = []
        self.asked: list[int] = []
        self.bad: set[int] = set()
        self.codes: list[int] = []
        self.silent: set[int] = set()
        self.slow = 0.0
        self.without: set[int] = set()  # functions that it does not know
        self._server: ModbusTcpServer | ModbusSerialServer | None = None

    def _devices(self) -> list[Any]:
        from pymodbus.simulator import DataType, SimData, SimDevice

        registers = [SimData(0, values=list(range(REGISTERS)), datatype=DataType.REGISTERS)]
        bits = [SimData(0, values=[False, True] * (COILS // 2), datatype=DataType.BITS)]
        return [
            SimDevice(
                unit,
                simdata=(bits, bits, registers, registers),
                use_bit_addressing=True,
                action=partial(self._answer, unit),
            )
            for unit in self.units
        ]

    async def _answer(self, unit: int, function: int, _start: int, address: int, count: int, *_: Any) -> Any:
        from pymodbus.constants import ExcCodes
        from pymodbus.exceptions import NoSuchIdException

        self.requests.append((function, address, count))
        self.asked.append(unit)
        if self.slow:
            await asyncio.sleep(self.slow)
        if unit in self.silent:
            raise NoSuchIdException("this unit is switched off")
        if function in self.without:
            return ExcCodes.ILLEGAL_FUNCTION
        if function in (3, 4, 6, 16, 22) and self.bad & set(range(address, address + count)):
            return ExcCodes.ILLEGAL_ADDRESS
        return ExcCodes(self.codes.pop(0)) if self.codes else None

    async def over_tcp(self, port: int) -> Self:
        """Listen on loopback."""
        from pymodbus.server import ModbusTcpServer

        self.port = port
        server = ModbusTcpServer(self._devices(), address=("127.0.0.1", port), ignore_missing_devices=True)
        await server.serve_forever(background=True)
        self._server = server
        return self

    async def over_serial(self, path: str) -> Self:
        """Listen on a serial port."""
        from pymodbus.framer import FramerType
        from pymodbus.server import ModbusSerialServer

        server = ModbusSerialServer(
            self._devices(),
            framer=FramerType.RTU,
            port=path,
            baudrate=LINE.baud,
            parity="N",
            stopbits=1,
            ignore_missing_devices=True,
        )
        await server.serve_forever(background=True)
        self._server = server
        return self

    async def set(self, table: str, offset: int, words: list[int], unit: int = 0) -> None:
        """Put words into registers, or bits into coils and inputs, as the machine itself does."""
        assert self._server is not None
        code = {"coil": 15, "di": 2, "hr": 16, "ir": 4}[table]
        await self._server.async_setValues(unit or self.units[0], code, offset, words)
        self.requests.pop()
        self.asked.pop()

    async def get(self, table: str, offset: int, count: int = 1) -> list[int]:
        """What registers or coils hold."""
        assert self._server is not None
        code = {"coil": 1, "di": 2, "hr": 3, "ir": 4}[table]
        found = await self._server.async_getValues(self.units[0], code, offset, count)
        self.requests.pop()
        self.asked.pop()
        return [int(word) for word in found]

    def connection(self, **more: Any) -> Connection:
        """A connection over TCP to its first unit."""
        known: dict[str, Any] = {"unit": self.units[0], "timeout": 2.0}
        return Connection("d", "modbus-tcp", f"tcp://127.0.0.1:{self.port}", **(known | more))

    async def stop(self) -> None:
        """Close it and its clients."""
        server, self._server = self._server, None
        if server is not None:
            await cast(Any, server).shutdown()  # the library does not declare its types here
            await asyncio.sleep(0)
