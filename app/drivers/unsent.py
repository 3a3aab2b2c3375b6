"""Keeps a command that nobody answered from arriving late, when the cable is plugged in again."""

from __future__ import annotations

import socket
import struct
from asyncio.trsock import TransportSocket
from typing import Protocol

_AT_ONCE = struct.pack("ii" if hasattr(socket, "AF_UNIX") else "hh", 1, 0)  # struct linger: on, for 0 seconds


class _Descriptor(Protocol):
    def fileno(self) -> int: ...


def forget_unsent(sock: _Descriptor | None) -> None:
    """Make the coming close of a socket throw away what the other side has not received yet.

    Otherwise the operating system goes on trying to deliver it for minutes after the program has closed the socket.
    """
    if sock is None or sock.fileno() < 0:
        return
    if isinstance(sock, (socket.socket, TransportSocket)):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
