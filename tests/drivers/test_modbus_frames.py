"""Messages on the wire: however a stream is chopped and whatever noise surrounds a frame, nothing false is read."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus_frames import (
    NotModbus,
    TcpFrame,
    TcpFrames,
    checksum,
    find_answer,
    serial_frame,
    tcp_frame,
)
from app.drivers.modbus_requests import (
    Rejected,
    Request,
    WrongAnswer,
    read_request,
    write_bit,
    write_coil,
    write_registers,
)

messages = st.lists(
    st.builds(TcpFrame, st.integers(0, 0xFFFF), st.integers(0, 255), st.binary(min_size=1, max_size=253)),
    max_size=6,
)


def test_requests_look_as_the_specification_prints_them() -> None:
    # V1.1b3 6.3, 6.1, 6.5, 6.6, 6.11, 6.12, 6.16; the checksum example is that of serial line V1.02 6.2.2
    assert read_request("hr", 107, 3).pdu == bytes.fromhex("03 006B 0003")
    assert read_request("coil", 19, 19).pdu == bytes.fromhex("01 0013 0013")
    assert write_coil(172, True).pdu == bytes.fromhex("05 00AC FF00")
    assert write_registers(1, [3]).pdu == bytes.fromhex("06 0001 0003")
    assert write_coil(19, True, several=True).pdu == bytes.fromhex("0F 0013 0001 01 01")
    assert write_registers(1, [10, 258]).pdu == bytes.fromhex("10 0001 0002 04 000A 0102")
    assert write_bit(4, 2, True).pdu == bytes.fromhex("16 0004 FFFB 0004")
    assert write_bit(4, 2, False).pdu == bytes.fromhex("16 0004 FFFB 0000")
    assert checksum(bytes.fromhex("02 07")) == bytes.fromhex("41 12")


def test_answers_are_read_as_the_specification_prints_them() -> None:
    assert read_request("hr", 107, 3).values(bytes.fromhex("03 06 022B 0000 0064")) == [555, 0, 100]
    bits = read_request("coil", 19, 19).values(bytes.fromhex("01 03 CD6B05"))
    assert "".join(map(str, bits)) == "1011001111010110101"
    with pytest.raises(Rejected) as rejected:
        read_request("hr", 0, 1).values(bytes.fromhex("83 02"))
    assert rejected.value.code == 2


@pytest.mark.parametrize(
    "answer",
    ["", "03", "03 02 00", "03 04 0000 0000", "03 02 000000", "03 01 00", "04 02 0000", "83", "03 00"],
)
def test_an_answer_to_something_else_is_no_value(answer: str) -> None:
    with pytest.raises(WrongAnswer):
        read_request("hr", 0, 1).values(bytes.fromhex(answer))


def test_a_write_is_confirmed_only_by_what_was_written() -> None:
    request = write_registers(1, [3])
    assert request.values(request.pdu) == []
    with pytest.raises(WrongAnswer):
        request.values(bytes.fromhex("06 0001 0004"))


@given(messages, st.lists(st.integers(0, 2000), max_size=10))
def test_a_stream_is_cut_into_its_messages_however_it_arrives(
    frames: list[TcpFrame], cuts: list[int]
) -> None:
    stream = b"".join(tcp_frame(f.transaction, f.unit, f.pdu) for f in frames)
    borders = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader = TcpFrames()
    found = [f for a, b in itertools.pairwise(borders) for f in reader.feed(stream[a:b])]
    assert found == frames


@pytest.mark.parametrize(
    "head", ["0001 0001 0006 01", "0001 0000 0000 01", "0001 0000 0001 01", "0001 0000 00FF 01"]
)
def test_a_stream_that_is_not_modbus_is_given_up(head: str) -> None:
    with pytest.raises(NotModbus):
        TcpFrames().feed(bytes.fromhex(head))


requests = st.one_of(
    st.builds(read_request, st.sampled_from(["hr", "ir"]), st.integers(0, 0xFF00), st.integers(1, 125)),
    st.builds(read_request, st.sampled_from(["coil", "di"]), st.integers(0, 0xFF00), st.integers(1, 2000)),
)


@given(requests, st.integers(1, 247), st.data())
def test_an_answer_is_found_behind_noise_and_an_echo(
    request: Request, unit: int, data: st.DataObject
) -> None:
    carried = data.draw(st.binary(min_size=request.size - 2, max_size=request.size - 2))
    answer = bytes([request.function, len(carried)])[:2] + carried
    if len(carried) > 250:
        return
    noise = data.draw(st.binary(max_size=20))
    found, _ = find_answer(noise + serial_frame(unit, answer), unit, request)
    assert found == answer
    if request.size != 5:
        heard = serial_frame(unit, request.pdu) + serial_frame(unit, answer)
        assert find_answer(heard, unit, request) == (answer, True)


@given(requests, st.integers(1, 247), st.integers(0, 7), st.data())
def test_a_damaged_answer_is_none(request: Request, unit: int, bit: int, data: st.DataObject) -> None:
    carried = bytes(request.size - 2)
    if len(carried) > 250:
        return
    heard = bytearray(serial_frame(unit, bytes([request.function, len(carried)]) + carried))
    heard[data.draw(st.integers(0, len(heard) - 1))] ^= 1 << bit
    assert find_answer(bytes(heard), unit, request)[0] is None


def test_another_unit_is_not_taken_for_the_one_that_was_asked() -> None:
    request = read_request("hr", 0, 1)
    heard = serial_frame(2, bytes.fromhex("03 02 0007"))
    assert find_answer(heard, 1, request)[0] is None
    assert find_answer(heard, 2, request)[0] == bytes.fromhex("03 02 0007")
