"""Looking around in a real OPC UA server: one level at a time, however large, with what each value is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncua import ua
from asyncua.server import binary_server_asyncio
from asyncua.server.address_space import ViewService
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import struct_from_binary

from app.drivers.faults import BadAddress
from app.drivers.opcua import OpcUaDriver
from app.drivers.simulator import SimulatedPlant
from tests.drivers.opcua_machine import Machine, machine

FOLDER = "ns=2;s=Folder"


@asynccontextmanager
async def large(count: int) -> AsyncIterator[tuple[Machine, OpcUaDriver]]:
    """A server with a folder of many variables, and a driver on it."""
    async with machine() as served:
        folder = await served.server.nodes.objects.add_object(ua.NodeId.from_string(FOLDER), "2:Folder")
        for first in range(0, count, 100):  # the library's server takes quadratic time for one large folder
            part = await folder.add_object(ua.NodeId.from_string(f"ns=2;s=Part{first}"), f"2:Part{first}")
            for number in range(first, min(count, first + 100)):
                await served.add(f"value {number}/x", float(number), parent=part)
        space = served.server.iserver.aspace
        parts = [reference.NodeId for reference in space[folder.nodeid].references if reference.IsForward][1:]
        space[folder.nodeid].references = [
            reference
            for part in parts
            for reference in space[part].references
            if reference.NodeClass == ua.NodeClass.Variable
        ]
        driver = OpcUaDriver(served.connection(timeout=20.0))
        try:
            await driver.connect()
            yield served, driver
        finally:
            await driver.close()


# The library does not say their types.
_process: Any = UaProcessor._process_message
_send: Any = UaProcessor.send_response


class Paging(UaProcessor):
    """WORKAROUND asyncua 2.1: its server sends all references at once; real ones send pages."""

    async def _process_message(self, typeid: ua.NodeId, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        if typeid != ua.NodeId(ua.Int32(ObjectIds.BrowseNextRequest_Encoding_DefaultBinary)):
            return await _process(self, typeid, requesthdr, seqhdr, body)
        point = struct_from_binary(ua.BrowseNextParameters, body).ContinuationPoints[0]
        response = ua.BrowseNextResponse()
        response.Parameters.Results = [paged(KEPT.pop(point), int(point.split()[0]))]
        _send(self, requesthdr.RequestHandle, seqhdr, response)
        return True


KEPT: dict[bytes, list[ua.ReferenceDescription]] = {}


def paged(references: list[ua.ReferenceDescription], page: int) -> ua.BrowseResult:
    result = ua.BrowseResult(References=references[:page])
    if references[page:]:
        result.ContinuationPoint = f"{page} {len(references)}".encode()
        KEPT[result.ContinuationPoint] = references[page:]
    return result


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers send as many references at a time as they were asked for, but never more than 700."""
    browse = ViewService.browse

    def first_page(self: ViewService, params: ua.BrowseParameters) -> list[ua.BrowseResult]:
        page = min(700, params.RequestedMaxReferencesPerNode or 700)
        return [paged(result.References, page) for result in browse(self, params)]

    monkeypatch.setattr(ViewService, "browse", first_page)
    monkeypatch.setattr(binary_server_asyncio, "UaProcessor", Paging)


@pytest.mark.usefixtures("pages")
async def test_a_level_that_comes_in_pages_is_complete() -> None:
    async with large(1500) as (_, driver):
        found = await driver.browse(FOLDER)
        assert [n.name for n in found] == [f"value {i}/x" for i in range(1500)]
        assert not KEPT


@pytest.mark.usefixtures("pages")
async def test_ten_thousand_nodes_are_one_level_and_the_loop_stays_free() -> None:
    async with large(10_000) as (_, driver):
        pulses = 0

        async def pulse() -> None:
            nonlocal pulses
            while True:
                await asyncio.sleep(0.01)
                pulses += 1

        beating = asyncio.create_task(pulse())
        try:
            found = await driver.browse(FOLDER)
            assert len(found) == len({n.address for n in found}) == 10_000
            assert found[7].detail == "Double · readable"
            assert found[7].path == "value_7_x"
            assert found[7].readable
            assert pulses > 10  # it never waited for all of it at once
            browsing = asyncio.create_task(driver.browse(FOLDER))
            await asyncio.sleep(0)
            browsing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await browsing
            (value,) = await driver.read(["ns=2;s=value 9999/x"])
            assert value.value == 9999.0
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


async def test_each_value_says_what_it_is(simulation: SimulatedPlant) -> None:
    driver = OpcUaDriver(simulation.plant.connections[0])
    try:
        await driver.connect()
        assert {"Recipe", "Robotic Arm #3"} <= {n.name for n in await driver.browse()}
        nodes = {n.name: n for n in await driver.browse("ns=2;s=Recipe")}
        assert nodes["setpoint"].detail == "Double · readable and writable"
        assert nodes["setpoint"].writable
        assert nodes["mode"].detail == "Mode · readable and writable · 0 Off, 1 Manual, 2 Automatic"
        assert nodes["mode"].states == ((0, "Off"), (1, "Manual"), (2, "Automatic"))
        assert nodes["zones"].detail == "Double list · readable"
        assert nodes["name"].detail == "String · readable"
        assert nodes["released"].detail == "Boolean · readable"
        assert not nodes["released"].writable
        with pytest.raises(BadAddress):
            await driver.browse("ns=2;s=Nothing")
    finally:
        await driver.close()


async def test_a_node_that_says_only_number_is_described_by_its_value() -> None:
    async with machine() as served:
        number = ua.NodeId(ua.Int32(26))  # Number, which Int16 is a kind of
        await served.add("count", 3, ua.VariantType.Int16, datatype=number)
        driver = OpcUaDriver(served.connection())
        try:
            await driver.connect()
            found = {n.name: n.detail for n in await driver.browse()}
            assert found["count"] == "Int16 · readable"
        finally:
            await driver.close()
