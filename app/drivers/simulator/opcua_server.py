"""A real OPC UA server on loopback that serves the simulated machines."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC
from random import Random
from typing import TYPE_CHECKING

from app.domain.samples import Quality, Value
from app.drivers.simulator.machines import Machine

if TYPE_CHECKING:
    from asyncua import ua
    from asyncua.server.server import Server

NAMESPACE = "urn:lineside:simulator"


class OpcUaServer:
    """Serves one folder for each machine with one variable for each signal; raises OSError for a taken port."""

    def __init__(self, host: str, port: int, machines: tuple[Machine, ...]) -> None:
        self._host, self._port, self._machines = host, port, machines
        self._server: Server | None = None
        self._nodes: dict[tuple[str, str], ua.NodeId] = {}

    async def start(self) -> None:
        """Build the address space and listen."""
        from asyncua import ua
        from asyncua.server.server import Server

        for name in ("asyncua.server", "asyncua.common"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        server = Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://{self._host}:{self._port}/lineside")
        server.set_server_name("Lineside simulated plant")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        index = await server.register_namespace(NAMESPACE)
        for machine in self._machines:
            folder = await server.nodes.objects.add_object(
                ua.NodeId.from_string(f"ns={index};s={machine.code}"), f"{index}:{machine.name}"
            )
            first = machine.behaviour(0.0, Random(0))
            for signal in machine.signals:
                node_id, kind = ua.NodeId.from_string(signal.address), _variant_type(first[signal.name])
                await folder.add_variable(
                    node_id, f"{index}:{signal.name}", first[signal.name], varianttype=kind
                )
                self._nodes[machine.code, signal.name] = node_id
        await server.start()
        self._server = server

    async def show(self, machine: Machine, values: Mapping[str, Value] | None) -> None:
        """Publish the values of a machine; None means that the machine does not answer its server."""
        from asyncua import ua

        if self._server is None:
            return
        now = ua.DateTime.now(UTC)
        code = ua.StatusCode(ua.UInt32(Quality.GOOD if values is not None else Quality.BAD_NO_COMMUNICATION))
        shown = values if values is not None else machine.behaviour(0.0, Random(0))
        for signal in machine.signals:
            value = shown[signal.name]
            data = ua.DataValue(ua.Variant(value, _variant_type(value)), code, now)
            await self._server.write_attribute_value(self._nodes[machine.code, signal.name], data)

    async def stop(self) -> None:
        """Stop listening and end all sessions."""
        server, self._server = self._server, None
        if server is None:
            return
        await server.stop()
        # WORKAROUND asyncua 2.1: sessions outlive their server, with tasks that nobody ends.
        for session in list(server.iserver._external_sessions.values()):
            await session.close_session(True)


def _variant_type(value: Value) -> ua.VariantType:
    from asyncua import ua

    if isinstance(value, bool):
        return ua.VariantType.Boolean
    return ua.VariantType.Int64 if isinstance(value, int) else ua.VariantType.Double
