"""A serial cable between two pseudo terminals, with noise, silence and an adapter that can be unplugged."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self


class SerialCable:
    """`near` is the port that the program opens, `far` that of the machine.

    `to_near` and `to_far` change what passes (bytes in, bytes out); `unplug` makes the near port vanish with its name,
    `plug_in` brings another one of the same name.
    """

    def __init__(self, folder: Path) -> None:
        self.near = folder / "ttyUSB0"
        self.to_near: Callable[[bytes], bytes] = bytes
        self.to_far: Callable[[bytes], bytes] = bytes
        self._near: tuple[int, int] | None = None
        self._far = _terminal()
        self.far = os.ttyname(self._far[1])

    @property
    def url(self) -> str:
        """The near port as a connection names it."""
        return f"serial://{self.near}"

    async def __aenter__(self) -> Self:
        self.plug_in()
        asyncio.get_running_loop().add_reader(self._far[0], self._from_far)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.unplug()
        asyncio.get_running_loop().remove_reader(self._far[0])
        for descriptor in self._far:
            os.close(descriptor)

    def plug_in(self) -> None:
        """The adapter is there (again)."""
        self._near = _terminal()
        self.near.symlink_to(os.ttyname(self._near[1]))
        asyncio.get_running_loop().add_reader(self._near[0], self._from_near)

    def unplug(self) -> None:
        """The adapter is gone, whoever has it open."""
        near, self._near = self._near, None
        if near is not None:
            asyncio.get_running_loop().remove_reader(near[0])
            self.near.unlink()
            for descriptor in near:
                os.close(descriptor)

    def say(self, data: bytes) -> None:
        """Something that nobody asked for arrives at the near port."""
        if self._near is not None:
            os.write(self._near[0], data)

    def heal(self) -> None:
        """Everything passes as it is."""
        self.to_near = self.to_far = bytes

    def _from_near(self) -> None:
        with suppress(OSError):
            assert self._near is not None
            os.write(self._far[0], self.to_far(os.read(self._near[0], 4096)))

    def _from_far(self) -> None:
        with suppress(OSError):
            self.say(self.to_near(os.read(self._far[0], 4096)))


def _terminal() -> tuple[int, int]:
    """Both ends of a pseudo terminal that changes nothing of what passes."""
    master, slave = os.openpty()
    tty.setraw(slave)
    return master, slave
