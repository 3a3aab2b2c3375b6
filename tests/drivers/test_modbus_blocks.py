"""Planning of block reads: everything is asked for, within the limits of the protocol."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus_blocks import GAP, MAX_BITS, MAX_WORDS, plan_blocks
from app.drivers.modbus_values import parse_address

addresses = st.lists(
    st.one_of(
        st.builds("{}:{}:{}".format, st.sampled_from(["hr", "ir"]), st.integers(0, 600), st.sampled_from(
            ["int16", "float32", "float64", "string(100)"])),
        st.builds("{}:{}".format, st.sampled_from(["coil", "di"]), st.integers(0, 5000)),
    ),
    unique=True,
    max_size=60,
)  # fmt: skip


def spans(*texts: str) -> list[tuple[str, int, int]]:
    return [(b.table, b.start, b.count) for b in plan_blocks(parse_address(t) for t in texts)]


def test_neighbours_are_read_together_and_strangers_apart() -> None:
    assert spans("hr:0:float32", "hr:2:float32", "hr:10") == [("hr", 0, 11)]
    assert spans("hr:0", f"hr:{GAP + 1}") == [("hr", 0, GAP + 2)]
    assert spans("hr:0", f"hr:{GAP + 2}") == [("hr", 0, 1), ("hr", GAP + 2, 1)]
    assert spans("hr:0", "ir:1") == [("hr", 0, 1), ("ir", 1, 1)]


def test_no_block_is_longer_than_a_request_may_be() -> None:
    assert spans(*[f"hr:{i}" for i in range(300)]) == [("hr", 0, 125), ("hr", 125, 125), ("hr", 250, 50)]


@given(addresses)
def test_every_address_is_covered_once_within_the_limits(texts: list[str]) -> None:
    blocks = plan_blocks(parse_address(t) for t in texts)
    assert sorted(a.text for b in blocks for a in b.addresses) == sorted(texts)
    for block in blocks:
        assert block.count <= (MAX_BITS if block.table in ("coil", "di") else MAX_WORDS)
        assert all(block.start <= a.offset and a.end <= block.start + block.count for a in block.addresses)
        if len(block.addresses) > 1:
            assert sum((h.addresses for h in block.halves()), ()) == block.addresses
