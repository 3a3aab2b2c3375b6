"""Plans Modbus requests: neighbouring addresses are read together, within the limits of the protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.drivers.modbus_values import BIT_TABLES, ModbusAddress

MAX_WORDS = 125  # Modbus application protocol V1.1b3, function codes 3 and 4
MAX_BITS = 2000  # function codes 1 and 2
GAP = 16  # unwanted registers that are cheaper to read along than a request of their own


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
    """Few requests that cover every address, none longer than allowed, none bridging more than `gap` registers."""
    blocks: list[Block] = []
    open_block: list[ModbusAddress] = []
    for address in sorted(addresses, key=lambda a: (a.table, a.offset, a.end)):
        limit = MAX_BITS if address.table in BIT_TABLES else max_words
        if open_block and not _fits(open_block, address, gap, limit):
            blocks.append(_block(open_block))
            open_block = []
        open_block.append(address)
    if open_block:
        blocks.append(_block(open_block))
    return blocks


def _fits(open_block: list[ModbusAddress], address: ModbusAddress, gap: int, limit: int) -> bool:
    first = open_block[0]
    end = max(a.end for a in open_block)
    return (
        address.table == first.table and address.offset - end <= gap and address.end - first.offset <= limit
    )


def _block(addresses: Iterable[ModbusAddress]) -> Block:
    members = tuple(addresses)
    start, end = members[0].offset, max(a.end for a in members)
    return Block(members[0].table, start, end - start, members)
