"""Plans Modbus requests: neighbouring addresses are read together, within the limits of the protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.drivers.modbus_values import BIT_TABLES, ModbusAddress

MAX_WORDS = 125  # Modbus application protocol V1.1b3, function codes 3 and 4
MAX_BITS = 2000  # function codes 1 and 2
GAP = 16  # unwanted registers that are cheaper to read along than a request of their own
_BITS = 16  # a bit table has so many places for each register


@dataclass(frozen=True, slots=True)
class Block:
    """One request: `count` registers or bits of `table` from `start`, and the addresses that it answers."""

    table: str
    start: int
    count: int
    addresses: tuple[ModbusAddress, ...]

    def halves(self) -> tuple[Block, Block]:
        """Two smaller blocks with the same addresses; for a device that rejects a register in between."""
        middle = len(self.addresses) // 2
        return _block(self.addresses[:middle]), _block(self.addresses[middle:])


def plan_blocks(
    addresses: Iterable[ModbusAddress], *, gap: int = GAP, max_words: int = MAX_WORDS
) -> list[Block]:
    """As few requests as cover every address, none longer than allowed, none bridging more than `gap` registers.

    In the bit tables both limits count sixteenfold. An address longer than `max_words` gets a block of its own.
    """
    blocks: list[Block] = []
    members: list[ModbusAddress] = []
    end = 0
    for address in sorted(addresses, key=lambda a: (a.table, a.offset, a.end)):
        if members and not _fits(members[0], end, address, gap, max_words):
            blocks.append(_block(members))
            members, end = [], 0
        members.append(address)
        end = max(end, address.end)
    return [*blocks, _block(members)] if members else blocks


def _fits(first: ModbusAddress, end: int, address: ModbusAddress, gap: int, max_words: int) -> bool:
    bits = first.table in BIT_TABLES
    longest = min(MAX_BITS, max_words * _BITS) if bits else min(MAX_WORDS, max_words)
    return (
        address.table == first.table
        and address.offset - end <= (gap * _BITS if bits else gap)
        and max(end, address.end) - first.offset <= longest
    )


def _block(addresses: Iterable[ModbusAddress]) -> Block:
    members = tuple(addresses)
    start, end = members[0].offset, max(a.end for a in members)
    return Block(members[0].table, start, end - start, members)
