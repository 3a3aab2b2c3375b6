"""A real OPC UA server as a process of its own whose signals all change ten times a second, for as long as asked.

`python -m tests.bench.fast_plant SIGNALS` prints its port. For each line with a number of seconds on standard input
it changes every signal 10 × a second that long, spread evenly, then prints as JSON how many values it has sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from datetime import UTC

from asyncua import ua
from asyncua.server.server import Server

HERTZ = 10
_SLICES = 10  # of a tenth of a second: real machines do not all change at once


def address(number: int) -> str:
    """The node of a signal."""
    return f"ns=2;s=Signal{number}"


async def _serve(signals: int) -> None:
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/bench")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await server.register_namespace("urn:lineside:bench")
    nodes = []
    for number in range(signals):
        node_id = ua.NodeId.from_string(address(number))
        await server.nodes.objects.add_variable(node_id, f"2:Signal{number}", 0.0)
        nodes.append(node_id)
    await server.start()
    assert server.bserver is not None
    listening = server.bserver._server
    assert isinstance(listening, asyncio.Server)
    _say({"port": listening.sockets[0].getsockname()[1]})
    loop = asyncio.get_running_loop()
    turn = 0
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        first, began = turn, time.monotonic()
        for turn in range(first + 1, first + 1 + round(float(line) * HERTZ)):
            await _turn(server, nodes, float(turn), began + (turn - first - 1) / HERTZ)
        _say({"sent": (turn - first) * signals, "seconds": time.monotonic() - began})
    await server.stop()


async def _turn(server: Server, nodes: list[ua.NodeId], value: float, begins: float) -> None:
    """Every signal takes `value`, a slice after the other."""
    for part in range(_SLICES):
        await asyncio.sleep(max(0.0, begins + part / (_SLICES * HERTZ) - time.monotonic()))
        for node_id in nodes[part::_SLICES]:
            data = ua.DataValue(
                ua.Variant(value, ua.VariantType.Double), SourceTimestamp=ua.DateTime.now(UTC)
            )
            await server.write_attribute_value(node_id, data)


def _say(what: dict[str, float]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
