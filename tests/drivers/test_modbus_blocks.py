"""Planning of block reads: everything is asked for, within the limits of the protocol, in few requests."""

from __future__ import annotations

import asyncio
import itertools

from hypothesis import given
from hypothesis import strategies as st

from app.domain.samples import Quality
from app.drivers.modbus_blocks import GAP, MAX_BITS, MAX_WORDS, Block, plan_blocks
from app.drivers.modbus_polling import BlockReader
from app.drivers.modbus_requests import ILLEGAL_ADDRESS, Rejected, Request
from app.drivers.modbus_values import ModbusAddress, parse_address

addresses = st.lists(
    st.one_of(
        st.builds("{}:{}:{}".format, st.sampled_from(["hr", "ir"]), st.integers(0, 600), st.sampled_from(
            ["int16", "float32", "float64", "string(100)"])),
        st.builds("{}:{}".format, st.sampled_from(["coil", "di"]), st.integers(0, 5000)),
    ),
    unique=True,
    max_size=60,
)  # fmt: skip


def parsed(texts: list[str]) -> list[ModbusAddress]:
    return [parse_address(text) for text in texts]


def spans(*texts: str) -> list[tuple[str, int, int]]:
    return [(b.table, b.start, b.count) for b in plan_blocks(parsed(list(texts)))]


def test_neighbours_are_read_together_and_strangers_apart() -> None:
    assert spans("hr:0:float32", "hr:2:float32", "hr:10") == [("hr", 0, 11)]
    assert spans("hr:0", f"hr:{GAP + 1}") == [("hr", 0, GAP + 2)]
    assert spans("hr:0", f"hr:{GAP + 2}") == [("hr", 0, 1), ("hr", GAP + 2, 1)]
    assert spans("hr:0", "ir:1") == [("hr", 0, 1), ("ir", 1, 1)]


def test_no_block_is_longer_than_a_request_may_be() -> None:
    assert spans(*[f"hr:{i}" for i in range(300)]) == [("hr", 0, 125), ("hr", 125, 125), ("hr", 250, 50)]


def longest(block: Block, max_words: int) -> int:
    return min(MAX_BITS, max_words * 16) if block.table in ("coil", "di") else min(MAX_WORDS, max_words)


@given(addresses, st.integers(0, 40), st.integers(50, 200))
def test_every_address_is_covered_once_within_the_limits(texts: list[str], gap: int, max_words: int) -> None:
    blocks = plan_blocks(parsed(texts), gap=gap, max_words=max_words)
    assert sorted(a.text for b in blocks for a in b.addresses) == sorted(texts)
    for block in blocks:
        assert block.count <= longest(block, max_words)
        assert all(block.start <= a.offset and a.end <= block.start + block.count for a in block.addresses)
        wanted = {place for a in block.addresses for place in range(a.offset, a.end)}
        bridged = sorted({block.start - 1, *wanted, block.start + block.count})
        allowed = gap * (16 if block.table in ("coil", "di") else 1)
        assert all(after - before - 1 <= allowed for before, after in itertools.pairwise(bridged))
        if len(block.addresses) > 1:
            assert sum((h.addresses for h in block.halves()), ()) == block.addresses


@given(addresses, st.integers(0, 40))
def test_no_two_neighbouring_blocks_could_have_been_one(texts: list[str], gap: int) -> None:
    blocks = plan_blocks(parsed(texts), gap=gap)
    for one, two in itertools.pairwise(blocks):
        if one.table == two.table:
            between = two.start - (one.start + one.count)
            allowed = gap * (16 if one.table in ("coil", "di") else 1)
            head = two.addresses[0]
            assert between > allowed or max(head.end, one.start + one.count) - one.start > longest(
                one, MAX_WORDS
            )


wished = st.lists(
    st.builds("hr:{}:{}".format, st.integers(0, 120), st.sampled_from(["int16", "float32", "float64"])),
    unique=True, min_size=1, max_size=40,
)  # fmt: skip


@given(wished, st.sets(st.integers(0, 125), max_size=25))
def test_splitting_finds_exactly_the_addresses_that_the_device_does_not_have(
    texts: list[str], bad: set[int]
) -> None:
    async def ask(request: Request) -> list[int]:
        start, count = (int.from_bytes(request.pdu[i : i + 2], "big") for i in (1, 3))
        if bad & set(range(start, start + count)):
            raise Rejected(ILLEGAL_ADDRESS)
        return [0] * count

    async def read() -> None:
        reader = BlockReader(ask, lambda: 0.0)
        blocks = plan_blocks(parsed(texts))
        for _ in range(2):  # the second time over what was found out the first time
            readings = [await reader.read(block) for block in blocks]
            blocks = [kept for some, _ in readings for kept in some]
            spoilt = {
                r.address
                for _, some in readings
                for r in some
                if r.quality == Quality.BAD_CONFIGURATION_ERROR
            }
            assert sorted(r.address for _, some in readings for r in some) == sorted(texts)
            assert spoilt == {a.text for a in parsed(texts) if bad & set(range(a.offset, a.end))}

    asyncio.run(read())
