"""A serial port of this PC as the drivers use it: opened with plain words for what is wrong, read by its own thread."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from app.domain.errors import Refused
from app.domain.plant import PARITIES, SerialLine
from app.drivers.faults import MachineFault, PortFault

if TYPE_CHECKING:
    from serial import Serial

_LOOK_UP = 0.5  # s; how often the reading thread looks whether it should end, should nothing wake it
_WRITE_LIMIT = 5.0  # s; a frame takes 3 s at 1,200 baud
_BUSY = (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_GONE = (errno.ENOENT, errno.ENODEV, errno.ENXIO)


def port_of(url: str) -> str:
    """The port that serial:///dev/ttyUSB0 or serial://COM3 names; raises Refused when it names none."""
    parts = urlsplit(url)
    port = unquote(parts.path if parts.path.strip("/") else parts.netloc)
    if not port.strip("/"):
        raise Refused(f"“{url}” names no serial port; write it like serial:///dev/ttyUSB0 or serial://COM3.")
    return port


def same_port(port: str) -> str:
    """One name for a port that has several, as under /dev/serial/by-id."""
    return os.path.realpath(port) if port.startswith("/") else port.upper()


class SerialPort:
    """An open port: `on_data` and `on_lost` are called on the event loop, and never again after `close`.

    A thread reads, because Windows knows no other way that works with every adapter.
    """

    def __init__(
        self,
        serial: Serial,
        name: str,
        on_data: Callable[[bytes], None],
        on_lost: Callable[[MachineFault], None],
    ) -> None:
        self._serial, self._name = serial, name
        self._on_data, self._on_lost = on_data, on_lost
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._read, name=f"serial {name}", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        """Until closed: wait for one byte, then take all that came with it."""
        from serial import SerialException

        fault = ""
        while not self._closing and not fault:
            try:
                data = self._serial.read(1)
                data += self._serial.read(self._serial.in_waiting) if data else b""
            except Exception as error:  # noqa: BLE001 — whatever it is, the port is no use and everybody must hear it
                fault = str(error) or type(error).__name__
            else:
                if data:
                    self._tell(self._heard, data)
        with suppress(SerialException, OSError):
            self._serial.close()
        self._tell(self._end, fault)

    def _tell(self, what: Callable[..., None], argument: object) -> None:
        with suppress(RuntimeError):  # the loop was closed before this thread noticed
            self._loop.call_soon_threadsafe(what, argument)

    def _heard(self, data: bytes) -> None:
        if not self._closing:
            self._on_data(data)

    def _end(self, fault: str) -> None:
        self._ended.set()
        if not self._closing:
            self._closing = True
            self._on_lost(_vanished(self._name, fault))

    async def write(self, data: bytes) -> None:
        """Hand bytes to the port and wait until it took them; raises PortFault."""
        from serial import SerialException

        try:
            await asyncio.to_thread(self._serial.write, data)
        except (SerialException, OSError, TypeError) as error:
            raise _vanished(self._name, str(error)) from None

    async def close(self) -> None:
        """Give the port back, so that another program may open it as soon as this returns; may be called twice."""
        self._closing = True
        with suppress(Exception):
            self._serial.cancel_read()
        await self._ended.wait()
        self._thread.join()


async def open_port(
    port: str, line: SerialLine, on_data: Callable[[bytes], None], on_lost: Callable[[MachineFault], None]
) -> SerialPort:
    """Open a serial port for this program alone; raises PortFault."""
    opening = asyncio.ensure_future(asyncio.to_thread(_open, port, line))
    try:
        serial = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise
    return SerialPort(serial, port, on_data, on_lost)


def _close_late(opening: asyncio.Future[Serial]) -> None:
    """Nobody waits for the port any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _open(port: str, line: SerialLine) -> Serial:
    import serial

    parity = dict(zip(PARITIES, (serial.PARITY_NONE, serial.PARITY_EVEN, serial.PARITY_ODD), strict=True))
    try:
        return serial.Serial(
            port,
            baudrate=line.baud,
            parity=parity[line.parity],
            stopbits=line.stop_bits,
            timeout=_LOOK_UP,
            write_timeout=_WRITE_LIMIT,
            exclusive=True if os.name == "posix" else None,
        )
    except (OSError, ValueError) as error:  # pyserial's own failure is an OSError
        raise _unusable(port, error) from None
    except Exception as error:  # termios.error is no OSError, and does not exist on Windows
        raise PortFault(
            port, f"{port} cannot be set to {line.baud} baud with {line.parity} parity ({error})."
        ) from error


def _unusable(port: str, error: OSError | ValueError) -> PortFault:
    """Why a port could not be opened, and what to do."""
    number, words = getattr(error, "errno", None), str(error)
    if number in _BUSY or "exclusively lock" in words:
        return PortFault(
            port, f"{port} is in use by another program: close it there, only one can talk on a line."
        )
    if number in _FORBIDDEN:
        return PortFault(port, f"This user may not open {port}: {_way_in(port)}.")
    if number in _GONE or "FileNotFoundError" in words:
        there = ", ".join(ports_here()) or "none"
        return PortFault(
            port,
            f"There is no serial port {port}: check that the adapter is plugged in (ports here: {there}).",
        )
    if "PermissionError" in words:  # how Windows says it
        return PortFault(
            port, f"{port} is in use by another program: close it there, only one can talk on a line."
        )
    return PortFault(
        port, f"{port} cannot be opened as a serial port ({words}): check its name and its settings."
    )


def _way_in(port: str) -> str:
    """What gives a user the right to open a port."""
    group = "dialout"
    with suppress(OSError, KeyError, NotImplementedError):
        group = Path(port).group()
    return f"add the user to the group “{group}” (sudo usermod -aG {group} NAME) and log in again"


def _vanished(port: str, why: str) -> PortFault:
    return PortFault(port, f"{port} is gone ({why}): check that the adapter is still plugged in.")


def ports_here() -> list[str]:
    """The serial ports of this PC, as a person may choose from them."""
    from serial.tools.list_ports import comports

    return sorted(found.device for found in comports())


def parse_line(text: str) -> SerialLine:
    """The settings of a line as technicians write them, like 9600,8N1; raises Refused."""
    match = re.fullmatch(r"(?P<baud>[0-9]{2,7})[ ,/]*8(?P<parity>[NEO])(?P<stop>[12])", text.strip().upper())
    if match is None:
        raise Refused(
            f"“{text}” does not describe a serial line; write it like 9600,8N1: baud rate, 8 bits, parity N, E or O, "
            "1 or 2 stop bits."
        )
    parity = next(name for name in PARITIES if name.upper().startswith(match["parity"]))
    return SerialLine(int(match["baud"]), parity, int(match["stop"]))
