"""The plant file that fits the simulated machines."""

from __future__ import annotations

from app.domain.plant import Connection, Equipment, Plant, Tag
from app.drivers.simulator.machines import MACHINES, Machine

OPCUA_CONNECTION = "line-opcua"


def connection_of(machine: Machine) -> str:
    """The name of the connection over which a demo machine is reached."""
    return f"{machine.code.lower()}-modbus" if machine.unit else OPCUA_CONNECTION


def simulated_plant(opcua_port: int, modbus_port: int, host: str = "127.0.0.1") -> Plant:
    """Equipment, connections and tags with limits for a simulated plant that listens on these ports."""
    connections = [
        Connection(OPCUA_CONNECTION, "opcua", f"opc.tcp://{host}:{opcua_port}/lineside", timeout=2.0)
    ]
    connections += [
        Connection(connection_of(m), "modbus-tcp", f"tcp://{host}:{modbus_port}", unit=m.unit, timeout=1.0)
        for m in MACHINES
        if m.unit
    ]
    tags = [
        Tag(
            name=f"{m.code}/{s.name}",
            equipment=m.code,
            connection=connection_of(m),
            address=s.address,
            unit=s.unit,
            scan=s.scan,
            deadband=s.deadband,
            scale=s.scale,
            limits=s.limits,
            alarm=s.alarm,
        )
        for m in MACHINES
        for s in m.signals
    ]
    equipment = tuple(Equipment(m.code, m.name, m.area, m.type) for m in MACHINES)
    return Plant(equipment, tuple(connections), tuple(tags))
