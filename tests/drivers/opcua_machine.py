"""A real OPC UA server for the tests, with whatever nodes and faults a test wants."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import AsyncIterator, Iterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.common.node import Node
from asyncua.server.address_space import NodeData
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.server import Server
from asyncua.server.standard_address_space.standard_address_space import fill_address_space
from asyncua.server.user_managers import UserManager

from app.domain.plant import Connection
from app.drivers.certificates import OwnCertificate

OPEN = (ua.SecurityPolicyType.NoSecurity,)
SECURE = (
    ua.SecurityPolicyType.NoSecurity,
    ua.SecurityPolicyType.Basic256Sha256_Sign,
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
)


@dataclass
class Machine:
    """The server with what a test does to it."""

    server: Server
    port: int
    nodes: dict[str, Node] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/machine"

    def connection(self, **settings: Any) -> Connection:
        return replace(Connection("m", "opcua", self.url, timeout=5.0), **settings)

    async def add(
        self,
        name: str,
        value: Any,
        kind: ua.VariantType | None = None,
        *,
        writable: bool = False,
        parent: Node | None = None,
        datatype: ua.NodeId | None = None,
    ) -> str:
        """A variable; returns its address."""
        where = parent or self.server.nodes.objects
        address = f"ns=2;s={name}"
        node = await where.add_variable(
            ua.NodeId.from_string(address), f"2:{name}", value, varianttype=kind, datatype=datatype
        )
        if writable:
            await node.set_writable()
        self.nodes[address] = node
        return address

    async def show(self, address: str, value: Any, kind: ua.VariantType, status: int = 0) -> None:
        """A new value, as the machine's own program would set it."""
        data = ua.DataValue(ua.Variant(value, kind), ua.StatusCode(ua.UInt32(status)), ua.DateTime.now(UTC))
        await self.server.write_attribute_value(ua.NodeId.from_string(address), data)

    async def value(self, address: str) -> Any:
        return await self.nodes[address].read_value()

    @property
    def sessions(self) -> list[InternalSession]:
        return list(self.server.iserver._external_sessions.values())

    @property
    def subscriptions(self) -> dict[int, InternalSubscription]:
        return self.server.iserver.subscription_service.subscriptions


class _Nodes(MutableMapping[ua.NodeId, NodeData]):
    """The address space that the standard defines, each node copied when it is first looked at."""

    def __init__(self) -> None:
        self._seen: dict[ua.NodeId, NodeData] = {}

    def __getitem__(self, key: ua.NodeId) -> NodeData:
        if key not in self._seen:
            self._seen[key] = pickle.loads(_standard_nodes()[key])
        return self._seen[key]

    def __setitem__(self, key: ua.NodeId, node: NodeData) -> None:
        self._seen[key] = node

    def __delitem__(self, key: ua.NodeId) -> None:
        del self._seen[key]

    def __contains__(self, key: object) -> bool:
        return key in self._seen or key in _standard_nodes()

    def __iter__(self) -> Iterator[ua.NodeId]:
        return iter({**_standard_nodes(), **self._seen})

    def __len__(self) -> int:
        return len({**_standard_nodes(), **self._seen})


@cache
def _standard_nodes() -> dict[ua.NodeId, bytes]:
    space = InternalServer()
    fill: Any = fill_address_space  # the library does not say its type
    fill(space.node_mgt_service)
    return {key: pickle.dumps(node, pickle.HIGHEST_PROTOCOL) for key, node in space.aspace._nodes.items()}


class Prepared(InternalServer):
    """Starts at once: the standard's thousands of nodes, which hardly any test looks at, are made on demand."""

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        assert shelf_file is None
        nodes: Any = _Nodes()  # the library, too, puts other mappings there
        self.aspace._nodes = nodes


@asynccontextmanager
async def machine(
    *,
    port: int = 0,
    policies: Sequence[ua.SecurityPolicyType] = OPEN,
    own: OwnCertificate | None = None,
    users: UserManager | None = None,
    inside: InternalServer | None = None,
) -> AsyncIterator[Machine]:
    """A server that runs until the end of the block, and leaves neither tasks nor sessions."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    server = Server(iserver=inside or Prepared(users))
    server.disable_clock()  # which takes up to a second to stop
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/machine")
    if own is not None:
        await server.set_application_uri(own.uri)
        await server.load_certificate(own.der, "der")
        await server.load_private_key(own.key, format="pem")
    server.set_security_policy(list(policies))
    await server.register_namespace("urn:lineside:test")
    await server.start()
    assert server.bserver is not None
    try:
        yield Machine(server, server.bserver.port)
    finally:
        await stop(server)


async def stop(server: Server) -> None:
    """Stop listening and end what the library leaves behind."""
    for subscription in list(server.iserver.subscription_service.subscriptions.values()):
        await subscription.stop()
    await server.stop()
    for session in list(server.iserver._external_sessions.values()):
        await session.close_session(True)
    await asyncio.sleep(0)
