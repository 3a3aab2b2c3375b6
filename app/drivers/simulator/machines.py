"""How the machines of the demo plant behave: plausible signals as functions of time, the same for the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from app.domain.plant import AlarmSettings, DeadbandRule, Limits, Scale, Writing
from app.domain.samples import Value

Behaviour = Callable[[float, Random], dict[str, Value]]

TEMPERATURE = Limits(hihi=85.0, hi=80.0)
PRESSURE = Limits(hihi=65.0, hi=60.0, lo=50.0, lolo=45.0)
VIBRATION = Limits(hihi=2.5, hi=2.0)
SPEED = Limits(hihi=1800.0, hi=1700.0, lo=1300.0, lolo=1200.0)
_CONVEYOR_SPEED = 1480.0  # rpm; what its setpoint holds until somebody writes another one
_LAMP_LIFE = 12_000.0  # s until the lamp of the scanner is changed
_BEARING_LIFE = 240.0  # s from a new bearing to its replacement


_NO_LIMITS = Limits()
_EVERY_CHANGE = DeadbandRule()
_BRISK = AlarmSettings(priority=2, on_delay=1.0, off_delay=1.0, comm_delay=5.0)


@dataclass(frozen=True, slots=True)
class Signal:
    """One value of a machine and how a plant file would describe its tag.

    With `writing` it is a setpoint: the machine keeps what is written, and the signal that it is named after follows.
    """

    name: str
    address: str
    unit: str = ""
    scan: float = 0.5
    deadband: DeadbandRule = _EVERY_CHANGE
    limits: Limits = _NO_LIMITS
    scale: Scale | None = None
    alarm: AlarmSettings = _BRISK
    writing: Writing | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of the demo plant; `unit` is its Modbus unit, 0 when it is reached over OPC UA.

    `silent` is (first, last, period) in simulated seconds: when the machine drops off by itself.
    """

    code: str
    name: str
    area: str
    type: str
    unit: int
    signals: tuple[Signal, ...]
    behaviour: Behaviour
    silent: tuple[float, float, float] | None = None

    def is_silent(self, t: float) -> bool:
        """Whether the machine has dropped off at simulated second `t`."""
        if self.silent is None:
            return False
        first, last, period = self.silent
        return first <= t % period < last


def _hump(t: float, start: float, length: float, period: float) -> float:
    """0 outside, up to 1 in the middle of a smooth excursion that comes back every `period` seconds."""
    into = (t % period) - start
    return math.sin(math.pi * into / length) if 0 <= into < length else 0.0


def _injection(t: float, noise: Random) -> dict[str, Value]:
    phase = (t % 24.0) / 24.0
    closed = phase < 0.7
    heat = 72.0 + 1.5 * math.sin(t / 19.0) + 14.5 * _hump(t, 18.0, 44.0, 150.0)
    return {
        "temperature": heat + noise.gauss(0, 0.12),
        "pressure": (56.5 if closed else 53.0) + 1.2 * math.sin(t / 7.0) + noise.gauss(0, 0.15),
        "cycles": int(t // 24.0),
        "cycle_time": 24.0 + noise.gauss(0, 0.1),
        "running": True,
    }


def _milling(t: float, noise: Random) -> dict[str, Value]:
    cutting = (t % 40.0) < 32.0
    wear = (t % _BEARING_LIFE) / _BEARING_LIFE
    return {
        "speed": 1500.0 + (25.0 if cutting else -20.0) + 20.0 * math.sin(t / 11.0) + noise.gauss(0, 5.0),
        "vibration": 1.05 + 1.75 * wear * wear + (0.15 if cutting else 0.0) + abs(noise.gauss(0, 0.03)),
        "temperature": 58.0 + 9.0 * wear + 1.5 * math.sin(t / 23.0) + noise.gauss(0, 0.1),
        "load": (64.0 if cutting else 12.0) + noise.gauss(0, 2.0),
        "running": cutting,
    }


def _robot(t: float, noise: Random) -> dict[str, Value]:
    swing = abs(math.sin(math.pi * t / 9.0))
    return {
        "temperature": 49.0 + 4.0 * math.sin(t / 60.0) + noise.gauss(0, 0.08),
        "axis_load": 18.0 + 55.0 * swing + noise.gauss(0, 1.0),
        "vibration": 0.55 + 0.35 * swing + abs(noise.gauss(0, 0.02)),
        "cycles": int(t // 9.0),
    }


def _scanner(t: float, noise: Random) -> dict[str, Value]:
    scanned = int(t // 3.0)
    return {
        "scanned": scanned,
        "rejected": scanned // 40,
        "temperature": 38.0 + 1.0 * math.sin(t / 45.0) + noise.gauss(0, 0.05),
        "light": 96.0 - 0.0015 * (t % _LAMP_LIFE) + noise.gauss(0, 0.2),
    }


def _conveyor(t: float, noise: Random) -> dict[str, Value]:
    jam = _hump(t, 92.0, 20.0, 210.0)
    return {
        "speed": _CONVEYOR_SPEED - 330.0 * jam + 15.0 * math.sin(t / 5.0) + noise.gauss(0, 4.0),
        "current": 6.2 + 2.5 * jam + noise.gauss(0, 0.08),
        "temperature": 44.0 + 6.0 * jam + noise.gauss(0, 0.1),
        "items": int(t // 2.5),
        "running": True,
        "speed_setpoint": _CONVEYOR_SPEED,
    }


def _welding(shift: float, amps: float) -> Behaviour:
    def behaviour(t: float, noise: Random) -> dict[str, Value]:
        into = (t + shift) % 14.0
        arc = into < 9.0
        rise = min(1.0, into / 0.6) if arc else 0.0
        gas = into < 10.0 or into > 13.5  # flows before and after the arc
        return {
            "current": amps * rise + (noise.gauss(0, 3.5) if arc else 0.0),
            "voltage": 24.2 + noise.gauss(0, 0.25) if arc else 0.0,
            "wire_feed": 8.4 + noise.gauss(0, 0.05) if arc else 0.0,
            "gas_flow": 14.0 + noise.gauss(0, 0.15) if gas else 0.0,
            "arc_on": arc,
        }

    return behaviour


def _opcua(prefix: str, *signals: tuple[str, str, float, Limits]) -> tuple[Signal, ...]:
    return tuple(
        Signal(name, f"ns=2;s={prefix}.{name}", unit, deadband=DeadbandRule(band), limits=limits)
        for name, unit, band, limits in signals
    )


_WELDER = (
    Signal("current", "hr:100:float32:cdab", "A", 0.25, DeadbandRule(1.0), Limits(hihi=290.0, hi=260.0)),
    Signal("voltage", "hr:102:float32:cdab", "V", 0.25, DeadbandRule(0.1)),
    Signal("wire_feed", "hr:104:float32:cdab", "m/min", 0.5, DeadbandRule(0.05)),
    Signal("gas_flow", "hr:106:float32:cdab", "l/min", 0.5, DeadbandRule(0.1)),
    Signal("arc_on", "coil:0", "", 0.25),
)
MACHINES: tuple[Machine, ...] = (
    Machine(
        "IMM-1", "Injection Molding Machine #1", "Hall A / Line 1", "injection-molding", 0,
        _opcua(
            "IMM1", ("temperature", "°C", 0.1, TEMPERATURE), ("pressure", "psi", 0.2, PRESSURE),
            ("cycles", "", 0.0, _NO_LIMITS), ("cycle_time", "s", 0.1, _NO_LIMITS), ("running", "", 0.0, _NO_LIMITS),
        ),
        _injection,
    ),
    Machine(
        "CNC-2", "CNC Milling Machine #2", "Hall A / Line 1", "cnc-mill", 0,
        _opcua(
            "CNC2", ("speed", "rpm", 5.0, SPEED), ("vibration", "mm/s", 0.02, VIBRATION),
            ("temperature", "°C", 0.1, TEMPERATURE), ("load", "%", 1.0, _NO_LIMITS), ("running", "", 0.0, _NO_LIMITS),
        ),
        _milling,
    ),
    Machine(
        "CONV-1", "Conveyor System #1", "Hall A / Line 1", "conveyor", 1,
        (
            Signal("speed", "ir:0:float32:abcd", "rpm", 0.5, DeadbandRule(5.0), SPEED),
            Signal("current", "ir:2:float32:abcd", "A", 0.5, DeadbandRule(0.05)),
            Signal("temperature", "ir:4:int16", "°C", 1.0, DeadbandRule(0.1), TEMPERATURE,
                   Scale(0.0, 1000.0, 0.0, 100.0)),
            Signal("items", "hr:10:uint32:cdab", "", 1.0),
            Signal("running", "di:0", "", 0.5),
            Signal("speed_setpoint", "hr:20:float32:badc", "rpm", 1.0, writing=Writing(1200.0, 1800.0)),
        ),
        _conveyor,
    ),
    Machine(
        "ROB-3", "Robotic Arm #3", "Hall A / Line 2", "robot", 0,
        _opcua(
            "ROB3", ("temperature", "°C", 0.1, TEMPERATURE), ("axis_load", "%", 1.0, Limits(hihi=95.0, hi=85.0)),
            ("vibration", "mm/s", 0.02, VIBRATION), ("cycles", "", 0.0, _NO_LIMITS),
        ),
        _robot,
    ),
    Machine(
        "QCS-1", "Quality Control Scanner", "Hall A / Line 2", "scanner", 0,
        _opcua(
            "QCS1", ("scanned", "", 0.0, _NO_LIMITS), ("rejected", "", 0.0, _NO_LIMITS),
            ("temperature", "°C", 0.1, TEMPERATURE), ("light", "%", 0.5, Limits(lo=80.0, lolo=70.0)),
        ),
        _scanner,
    ),
    Machine("WELD-1", "MIG/MAG Welding Source #1", "Hall B / Welding", "mig-mag", 2, _WELDER, _welding(0.0, 212.0)),
    Machine("WELD-2", "MIG/MAG Welding Source #2", "Hall B / Welding", "mig-mag", 3, _WELDER, _welding(6.0, 188.0),
            silent=(40.0, 100.0, 240.0)),
)  # fmt: skip


def machine(code: str) -> Machine:
    """The demo machine of that code; raises KeyError."""
    return next(m for m in MACHINES if m.code == code)
