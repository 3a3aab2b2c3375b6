"""A real OPC UA server on loopback that serves the simulated machines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from app.domain.samples import Quality, Value
from app.drivers.certificates import own_certificate
from app.drivers.simulator.machines import Machine

if TYPE_CHECKING:
    from asyncua import ua
    from asyncua.common.node import Node
    from asyncua.server.server import Server

NAMESPACE = "urn:lineside:simulator"
_ENUMERATION = 29  # the data type from which all enumerations are made
RECIPE = "Recipe"  # a folder of what machines have besides measured values
MODES = ("Off", "Manual", "Automatic")


class OpcUaServer:
    """Serves one folder for each machine with one variable for each signal, and a recipe that can be written.

    With a folder for `certificates` it also offers Basic256Sha256, signed and encrypted.
    """

    def __init__(
        self, host: str, port: int, machines: tuple[Machine, ...], certificates: Path | None = None
    ) -> None:
        self._host, self._port, self._machines = host, port, machines
        self._certificates = certificates
        self._server: Server | None = None
        self._nodes: dict[tuple[str, str], ua.NodeId] = {}

    async def start(self) -> None:
        """Build the address space and listen; raises OSError for a taken port."""
        from asyncua import ua
        from asyncua.server.server import Server

        for name in ("asyncua.server", "asyncua.common"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        server = Server()
        server.disable_clock()  # nobody asks it for the time, and it takes a second to stop
        await server.init()
        server.set_endpoint(f"opc.tcp://{self._host}:{self._port}/lineside")
        server.set_server_name("Lineside simulated plant")
        await self._secure(server)
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
        await _add_recipe(server, index)
        await server.start()
        self._server = server

    async def _secure(self, server: Server) -> None:
        from asyncua import ua

        policies = [ua.SecurityPolicyType.NoSecurity]
        if self._certificates is not None:
            own = await asyncio.to_thread(own_certificate, self._certificates, "simulator")
            await server.set_application_uri(own.uri)
            await server.load_certificate(own.der, "der")
            await server.load_private_key(own.key, format="pem")
            policies += [
                ua.SecurityPolicyType.Basic256Sha256_Sign,
                ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
            ]
        server.set_security_policy(policies)

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


async def _add_recipe(server: Server, index: int) -> None:
    """One writable number, an enumeration, a list, a text and a switch."""
    from asyncua import ua

    def named(name: str) -> tuple[ua.NodeId, str]:
        return ua.NodeId.from_string(f"ns={index};s={RECIPE}.{name}"), f"{index}:{name}"

    folder = await server.nodes.objects.add_object(
        ua.NodeId.from_string(f"ns={index};s={RECIPE}"), f"{index}:{RECIPE}"
    )
    setpoint = await folder.add_variable(*named("setpoint"), 180.0, varianttype=ua.VariantType.Double)
    await setpoint.set_writable()
    modes = await _add_modes(server, index)
    mode = await folder.add_variable(
        *named("mode"), 2, varianttype=ua.VariantType.Int32, datatype=modes.nodeid
    )
    await mode.set_writable()
    await folder.add_variable(
        *named("zones"), [178.5, 180.0, 181.5, 180.5], varianttype=ua.VariantType.Double
    )
    await folder.add_variable(*named("name"), "Housing, black", varianttype=ua.VariantType.String)
    await folder.add_variable(*named("released"), True, varianttype=ua.VariantType.Boolean)


async def _add_modes(server: Server, index: int) -> Node:
    """A data type whose numbers have names (Part 3 8.14)."""
    from asyncua import ua

    parent = server.get_node(ua.NodeId(ua.Int32(_ENUMERATION)))
    modes = await parent.add_data_type(ua.NodeId.from_string(f"ns={index};s=Mode"), f"{index}:Mode")
    await modes.add_property(0, "EnumStrings", [ua.LocalizedText(mode) for mode in MODES])
    return modes


def _variant_type(value: Value) -> ua.VariantType:
    from asyncua import ua

    if isinstance(value, bool):
        return ua.VariantType.Boolean
    return ua.VariantType.Int64 if isinstance(value, int) else ua.VariantType.Double
