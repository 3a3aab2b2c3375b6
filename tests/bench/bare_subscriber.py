"""The least that a program can do with OPC UA values in Python: an asyncua subscription whose callback counts.

`python -m tests.bench.bare_subscriber URL SIGNALS` says when it listens, and how many values came when its standard
input closes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

from asyncua import ua
from asyncua.client.client import Client

from tests.bench.fast_plant import HERTZ, address


class _Counting:
    def __init__(self) -> None:
        self.count = 0

    def datachange_notification(self, _node: Any, _value: Any, _data: Any) -> None:
        self.count += 1


async def _listen(url: str, signals: int) -> None:
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    counting = _Counting()
    async with Client(url) as client:
        subscription = await client.create_subscription(1000 / HERTZ, counting)
        nodes = [client.get_node(ua.NodeId.from_string(address(number))) for number in range(signals)]
        await subscription.subscribe_data_change(nodes, queuesize=10)
        _say({"listening": True})
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        _say({"values": counting.count})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_listen(sys.argv[1], int(sys.argv[2])))
