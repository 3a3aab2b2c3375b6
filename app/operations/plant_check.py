"""What only the drivers know about a plant: whether an address is written as its protocol wants it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from app.domain.errors import Refused
from app.domain.plant import Connection, Plant, Tag
from app.drivers.faults import BadAddress
from app.drivers.serial_ports import port_of

# OPC UA part 6, 5.3.1.10: the text of a node id; by namespace index or by its name.
_NODE_ID = re.compile(
    r"(?:ns=[0-9]{1,5};|nsu=[^;]+;)?(?:i=[0-9]{1,10}|s=.+|g=[0-9a-fA-F-]{36}|b=[0-9a-zA-Z+/=]+)"
)


def check_addresses(plant: Plant, tags: Iterable[Tag] | None = None) -> None:
    """Raises Refused, with its place, for the first address that its driver could never read.

    `tags` are those to look at, all of the plant otherwise; places are named as in a plant file when all are meant.
    """
    connections = {c.name: c for c in plant.connections}
    if tags is None:
        for i, connection in enumerate(plant.connections):
            _check_url(f"connections[{i}].url", connection)
    else:
        for connection in {t.connection: connections[t.connection] for t in tags}.values():
            _check_url(f"{connection.name}.url", connection)
    for i, tag in enumerate(plant.tags if tags is None else tags):
        why = address_trouble(connections[tag.connection], tag.address)
        if why:
            place = f"tags[{i}]" if tags is None else tag.name
            raise Refused(f"{place}.address: {why}", field=f"{place}.address")


def address_trouble(connection: Connection, address: str) -> str:
    """Why a tag of this connection cannot have this address, as one sentence; empty when it can."""
    try:
        _PARSERS[connection.driver](connection, address)
    except BadAddress as fault:
        return fault.sentence
    return ""


def check_url(connection: Connection) -> None:
    """Raises Refused when the address of a connection lacks its host, or has a port that cannot be."""
    _check_url(f"{connection.name}.url", connection)


def _check_url(place: str, connection: Connection) -> None:
    try:
        parts = urlsplit(connection.url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise Refused(
            f"{place}: “{connection.url}” is not a machine address ({error}).", field=place
        ) from None
    if connection.driver == "modbus-rtu":
        port_of(connection.url)
    elif not host:
        raise Refused(f"{place}: “{connection.url}” has no host name.", field=place)


def _opcua(_: Connection, address: str) -> None:
    from app.drivers.opcua_values import split_index

    if not _NODE_ID.fullmatch(split_index(address.strip())[0]):
        raise BadAddress(address, "write it like ns=2;s=Oven2.Temp or ns=2;i=1001")


def _modbus(connection: Connection, address: str) -> None:
    from app.drivers.modbus_values import parse_address

    parse_address(address, one_based=connection.addressing == "one-based")


def _mqtt(_: Connection, address: str) -> None:
    from app.drivers.mqtt_address import parse_address

    parse_address(address)


def _sparkplug(_: Connection, address: str) -> None:
    from app.drivers.sparkplug_node import parse_address

    parse_address(address)


_PARSERS: Mapping[str, Callable[[Connection, str], None]] = {
    "opcua": _opcua,
    "modbus-tcp": _modbus,
    "modbus-rtu": _modbus,
    "mqtt": _mqtt,
    "sparkplug": _sparkplug,
}
