"""Trying Modbus devices from the command line: over TCP and a serial line, as the manual counts, in every decoding."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.drivers.modbus_values import encode, parse_address
from tests.cli.conftest import Lineside
from tests.drivers.modbus_device import Device
from tests.drivers.serial_cable import SerialCable


@pytest.fixture
async def device(free_port: int) -> AsyncIterator[Device]:
    made = await Device((1, 7)).over_tcp(free_port)
    await made.set("hr", 100, encode(123.456, parse_address("hr:0:float32:cdab")), unit=7)
    yield made
    await made.stop()


async def test_registers_are_read_as_the_manual_counts_them(device: Device, done: Lineside) -> None:
    url = f"tcp://127.0.0.1:{device.port}"
    words = (
        "tag",
        "read",
        url,
        "40101:float32:cdab",
        "400008",
        "--unit",
        7,
        "--addressing",
        "one-based",
        "--json",
    )
    rows = (await asyncio.to_thread(done, *words)).json
    assert [row["value"] for row in rows] == [pytest.approx(123.456, abs=1e-5), 7]
    assert (
        "answers"
        in (await asyncio.to_thread(done, "connection", "test", url, "--addressing", "one-based")).out
    )


async def test_all_decodings_are_listed_with_the_likely_ones_first(device: Device, done: Lineside) -> None:
    words = ("tag", "read", f"tcp://127.0.0.1:{device.port}", "hr:100", "--unit", 7, "--all-decodings")
    rows = (await asyncio.to_thread(done, *words, "--json")).json
    assert rows[0]["address"] == "hr:100:float32:cdab"
    assert rows[0]["value"] == pytest.approx(123.456, abs=1e-5)
    assert {"type", "order", "likely"} <= set(rows[0])
    table = (await asyncio.to_thread(done, *words)).out
    assert "likely" in table
    assert "hr:100:uint16:abcd" in table


@pytest.mark.skipif(os.name != "posix", reason="pseudo terminals")
async def test_a_serial_line_is_described_as_technicians_do(
    tmp_path: Path, done: Lineside, refused: Callable[..., str]
) -> None:
    async with SerialCable(tmp_path) as cable:
        device = await Device((9,)).over_serial(cable.far)
        line = ("--unit", 9, "--line", "115200,8N1")
        assert "answers" in (await asyncio.to_thread(done, "connection", "test", cable.url, *line)).out
        rows = (await asyncio.to_thread(done, "tag", "read", cable.url, "ir:5", *line, "--json")).json
        assert rows[0]["value"] == 5
        await device.stop()
        wrong = ("tag", "read", cable.url, "ir:5", "--line", "fast")
        assert "write it like 9600,8N1" in await asyncio.to_thread(refused, *wrong)
        cable.unplug()
        assert "There is no serial port" in await asyncio.to_thread(
            refused, "connection", "test", cable.url, *line
        )


def test_only_modbus_has_decodings_and_two_ways_to_count(refused: Callable[..., str], free_port: int) -> None:
    assert "raw or one-based" in refused(
        "tag", "read", "tcp://127.0.0.1", "hr:0", "--addressing", "two-based"
    )
    refused("tag", "read", f"opc.tcp://127.0.0.1:{free_port}", "ns=2;s=a", "--all-decodings")
