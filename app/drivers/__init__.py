"""What touches wires: one module for each protocol; `open_driver` picks it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from app.domain.errors import Refused

if TYPE_CHECKING:
    from app.domain.plant import Connection
    from app.drivers.protocol import Credentials, Driver

_SCHEMES = {
    "opc.tcp": "opcua",
    "tcp": "modbus-tcp",
    "modbus": "modbus-tcp",
    "serial": "modbus-rtu",
    "mqtt": "mqtt",  # Sparkplug B has the same addresses and is chosen by name
    "mqtts": "mqtt",
}


def driver_for_url(url: str) -> str:
    """The name of the driver that speaks to `url`; raises Refused when there is none."""
    scheme = _checked(url).scheme
    if scheme not in _SCHEMES:
        raise Refused(
            f"“{url}” is not a machine address; it starts with {' or '.join(s + '://' for s in _SCHEMES)}."
        )
    return _SCHEMES[scheme]


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that cannot be
    except ValueError as error:
        raise Refused(f"“{url}” is not a machine address ({error}).") from error
    return parts


def for_trial(connection: Connection) -> Connection:
    """The same connection for a short look beside the collector: a broker would throw out one of two equal names."""
    from app.drivers.mqtt_session import client_name

    return replace(connection, client_id=f"{client_name(connection)}-trial-{secrets.token_hex(3)}")


def open_driver(connection: Connection, credentials: Credentials | None = None) -> Driver:
    """A fresh, not yet connected driver; raises Refused for a driver that Lineside does not have."""
    _checked(connection.url)
    if connection.driver == "opcua":
        from app.drivers.opcua import OpcUaDriver

        return OpcUaDriver(connection, credentials)
    if connection.driver in ("modbus-tcp", "modbus-rtu"):
        from app.drivers.modbus import ModbusDriver

        return ModbusDriver(connection)
    if connection.driver == "mqtt":
        from app.drivers.mqtt import MqttDriver

        return MqttDriver(connection, credentials)
    if connection.driver == "sparkplug":
        from app.drivers.sparkplug import SparkplugDriver

        return SparkplugDriver(connection, credentials)
    raise Refused(f"There is no driver called “{connection.driver}” in this version.")
