"""The plant file that fits the simulated machines."""

from __future__ import annotations

from dataclasses import replace

from app.domain.plant import AlarmSettings, Connection, Counter, Equipment, Plant, Tag
from app.drivers.simulator.machines import MACHINES, Machine, Signal

OPCUA_CONNECTION = "line-opcua"

# What a signal counts, by its name; the rest of the demo's signals count nothing.
_COUNTERS = {
    **dict.fromkeys(("cycles", "items", "scanned", "rejected"), Counter("cycles")),
    **dict.fromkeys(("running", "arc_on"), Counter("run-hours")),
}
_STEPS = frozenset(_COUNTERS)

# What an alarm of a signal means, and what to do about it.
_GUIDANCE = {
    "temperature": (
        "Above 85 °C the machine stops itself to protect its drive.",
        "Check the cooling water and the fan, reduce the load, call maintenance if it keeps rising.",
    ),
    "pressure": (
        "Outside 45–65 psi the parts come out short or with flash.",
        "Check the hydraulic oil and the nozzle; hold the parts of this shift for inspection.",
    ),
    "vibration": (
        "A worn spindle bearing spoils the surface and may seize.",
        "Finish the part, stop the spindle, plan the bearing for the next changeover.",
    ),
    "speed": (
        "Parts pile up in front of the machine or are torn apart behind it.",
        "Look for a jam, clear it with the machine stopped, restart at low speed.",
    ),
    "axis_load": (
        "An axis that works too hard wears its gear and loses its position.",
        "Compare the part with its drawing, look for something in its way, grease the axis.",
    ),
    "light": (
        "With too little light the scanner rejects good parts.",
        "Wipe the glass, then change the lamp; scan the last box again.",
    ),
    "current": (
        "Too much current burns through the seam.",
        "Compare with the welding procedure, check the wire feed, weld a test piece.",
    ),
}


# How urgent an alarm of a signal is; the rest can wait for the next round.
_PRIORITIES = {"pressure": 1, "temperature": 2, "speed": 2}
_LEAST_URGENT = 3


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
            alarm=_guided(s),
            discrete=s.name in _STEPS,
            counter=_COUNTERS.get(s.name),
            writing=s.writing,
        )
        for m in MACHINES
        for s in m.signals
    ]
    equipment = tuple(Equipment(m.code, m.name, m.area, m.type) for m in MACHINES)
    return Plant(equipment, tuple(connections), tuple(tags))


def _guided(signal: Signal) -> AlarmSettings:
    consequence, response = _GUIDANCE.get(signal.name, ("", ""))
    priority = _PRIORITIES.get(signal.name, _LEAST_URGENT)
    return replace(signal.alarm, priority=priority, consequence=consequence, response=response)
