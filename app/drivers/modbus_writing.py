"""Turns a value into the Modbus request that writes it, or says in plain words why it cannot be written."""

from __future__ import annotations

from app.domain.errors import Refused
from app.domain.samples import Value
from app.drivers.faults import DeviceTrouble, Unconfirmed
from app.drivers.modbus_requests import (
    ACKNOWLEDGE,
    GATEWAY_TARGET,
    ILLEGAL_FUNCTION,
    Rejected,
    Request,
    write_bit,
    write_coil,
    write_registers,
)
from app.drivers.modbus_values import TABLES, ModbusAddress, Undecodable, encode

_MOST_WORDS = 123  # V1.1b3, function 16


def write_requests(address: ModbusAddress, value: Value) -> list[Request]:
    """The requests that write `value`, the second one for a device that does not know the first; raises Refused.

    A value of several registers goes out in one request, so that the machine never sees half of it.
    """
    if address.table in ("di", "ir"):
        raise Refused(f"“{address.text}” is a {TABLES[address.table]}: machines let it be read only.")
    if address.table == "coil":
        on = _switch(address, value)
        return [write_coil(address.offset, on), write_coil(address.offset, on, several=True)]
    if address.bit is not None:
        # In a register whose bytes are swapped, bit 0 is the lowest bit of the high byte.
        place = address.bit ^ 8 if address.order in ("badc", "dcba") else address.bit
        return [write_bit(address.offset, place, _switch(address, value))]
    try:
        words = encode(value, address)
    except Undecodable as error:
        raise Refused(f"{value!r} cannot be written to “{address.text}”: {error}.") from None
    if len(words) > _MOST_WORDS:
        raise Refused(
            f"“{address.text}” is longer than the {2 * _MOST_WORDS} characters that one request may write."
        )
    several = write_registers(address.offset, words, several=True)
    return [write_registers(address.offset, words), several] if len(words) == 1 else [several]


def _switch(address: ModbusAddress, value: Value) -> bool:
    if value not in (0, 1):  # True and False are among them
        raise Refused(f"{value!r} cannot be written to “{address.text}”: it is either on or off (1 or 0).")
    return bool(value)


def write_failed(
    place: str, address: ModbusAddress, value: Value, rejected: Rejected
) -> Refused | DeviceTrouble | Unconfirmed:
    """Why the device at `place` did not take a value.

    Reading a register, changing one bit and writing it back would overwrite what the machine changed in between, so
    that a device without function 22 cannot have single bits written.
    """
    if address.bit is not None and rejected.code == ILLEGAL_FUNCTION:
        return Refused(
            f"The machine cannot change one bit of a register (Modbus function 22), and “{address.text}” is one: "
            "write the whole register, or use a coil if the machine offers one."
        )
    if rejected.code in (ACKNOWLEDGE, GATEWAY_TARGET):  # it went out to the machine
        return Unconfirmed(place, rejected.words)
    return DeviceTrouble(place, f"it did not take {value!r} for {address.text}: {rejected.words}")
