"""Which of several servers answers: one that was switched off swallows every call, and costs seconds each time."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack

_GRACE_SECONDS = 0.2
"""How long those that were named before the first that answered may take longer than it did."""


def answering_first(places: Sequence[tuple[str, int]], seconds: float) -> list[int]:
    """The numbers of the places (host, port), those first that take a call; otherwise in their order.

    Waits until one does, for `seconds` at most. A host that is a folder (a Unix socket) counts as answering.
    """
    answered = {n for n, (host, _) in enumerate(places) if not host or host.startswith(("/", "@"))}
    with ExitStack() as calls:
        selector = calls.enter_context(selectors.DefaultSelector())
        for n, (host, port) in enumerate(places):
            if n not in answered:
                _call(selector, calls, n, host, port)
        deadline = time.monotonic() + (_GRACE_SECONDS if answered else seconds)
        # Whoever was named first is wanted; nobody has to be waited for once that one has answered.
        while selector.get_map() and 0 not in answered and time.monotonic() < deadline:
            for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
                called = key.fileobj
                assert isinstance(called, socket.socket)
                selector.unregister(called)
                if called.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    answered.add(key.data)
                    deadline = min(deadline, time.monotonic() + _GRACE_SECONDS)
    return sorted(range(len(places)), key=lambda n: (n not in answered, n))


def _call(selector: selectors.BaseSelector, calls: ExitStack, n: int, host: str, port: int) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return
    for family, kind, protocol, _, address in found:
        called = calls.enter_context(socket.socket(family, kind, protocol))
        called.setblocking(False)
        called.connect_ex(address)
        selector.register(called, selectors.EVENT_WRITE, n)
