"""OPC UA subscriptions against a real server: what was granted, what was lost on the way, and values that grow old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from asyncua import ua
from asyncua.common.callback import CallbackType, ServerItemCallback
from asyncua.server.monitored_item_service import MonitoredItemService
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from app.domain.samples import Quality, Value, lost_samples
from app.drivers import opcua_freshness
from app.drivers.faults import BadAddress
from app.drivers.opcua import OpcUaDriver
from app.drivers.protocol import Granted, Reading, Watch
from tests.drivers.opcua_machine import Machine, machine

Until = Callable[..., "asyncio.Future[None]"]
DOUBLE = ua.VariantType.Double


@asynccontextmanager
async def connected(served: Machine, keep_alive: float = 5.0) -> AsyncIterator[OpcUaDriver]:
    driver = OpcUaDriver(served.connection(), keep_alive=keep_alive)
    try:
        await driver.connect()
        yield driver
    finally:
        await driver.close()


def values(readings: list[Reading], address: str) -> list[Value]:
    return [r.value for r in readings if r.address == address]


async def test_the_server_judges_the_deadband_where_it_can(until: Until) -> None:
    async with machine() as served, connected(served) as driver:
        number, text = await served.add("number", 10.0), await served.add("text", "a")
        got: list[Reading] = []
        watches = [Watch(number, 0.05, deadband=1.0), Watch(text, 0.05, deadband=1.0)]
        granted = {g.address: g for g in await driver.subscribe(watches, got.extend)}
        assert (granted[number].deadband, granted[text].deadband) == (True, False)
        assert granted[number].queue >= 2
        await until(lambda: len(got) == 2)
        await served.show(number, 10.5, DOUBLE)
        await served.show(number, 12.5, DOUBLE)
        await served.show(text, "b", ua.VariantType.String)
        await until(lambda: values(got, number) == [10.0, 12.5] and values(got, text) == ["a", "b"])


async def test_a_server_that_knows_no_deadband_is_asked_without(
    until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = MonitoredItemService._create_data_change_monitored_item

    async def refuse(
        self: MonitoredItemService, wish: ua.MonitoredItemCreateRequest
    ) -> ua.MonitoredItemCreateResult:
        if getattr(wish.RequestedParameters.Filter, "DeadbandValue", 0):
            code = StatusCodes.BadMonitoredItemFilterUnsupported
            return ua.MonitoredItemCreateResult(StatusCode=ua.StatusCode(ua.UInt32(code)))
        return await create(self, wish)

    monkeypatch.setattr(MonitoredItemService, "_create_data_change_monitored_item", refuse)
    async with machine() as served, connected(served) as driver:
        number = await served.add("number", 10.0)
        got: list[Reading] = []
        (granted,) = await driver.subscribe([Watch(number, 0.05, deadband=1.0)], got.extend)
        assert granted == Granted(number, granted.scan, None, deadband=False, queue=granted.queue)
        await served.show(number, 10.5, DOUBLE)
        await until(lambda: 10.5 in values(got, number))


async def test_a_slow_drift_is_seen_although_the_server_keeps_back_every_step_of_it(
    until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opcua_freshness, "_CHECK", 0.3)
    async with machine() as served, connected(served) as driver:
        oven = await served.add("oven", 20.0)
        got: list[Reading] = []
        (granted,) = await driver.subscribe([Watch(oven, 0.05, deadband=1.0)], got.extend)
        assert granted.deadband
        await until(lambda: len(got) == 1)
        for step in range(1, 11):  # this server compares each step with the one before
            await served.show(oven, 20.0 + 0.5 * step, DOUBLE)
        await until(lambda: got[-1].value == 25.0)
        await until(lambda: len(served.subscriptions) == 1 and len(got) >= 3)
        await served.show(oven, 25.5, DOUBLE)  # from now on every change counts
        await until(lambda: got[-1].value == 25.5)


async def test_an_overflow_of_the_servers_queue_is_counted_and_stays_with_the_value(until: Until) -> None:
    async with machine() as served, connected(served) as driver:
        number = await served.add("number", 1.0)
        got: list[Reading] = []
        await driver.subscribe([Watch(number, 0.05)], got.extend)
        await until(lambda: bool(got))
        await served.show(number, 2.0, DOUBLE, status=0x480)  # info bits: data value, overflow
        await until(lambda: len(got) == 2)
        assert lost_samples(got[1].quality)
        assert got[1].value == 2.0
        assert driver.traffic().overflows == 1


async def test_a_list_is_watched_once_for_all_its_elements(until: Until) -> None:
    async with machine() as served, connected(served) as driver:
        listed = await served.add("list", [1.0, 2.0, 3.0], DOUBLE)
        named = await served.add("real[0]", 7.0)  # as controllers name the nodes of single elements
        got: list[Reading] = []
        first, last, behind = (f"{listed}[{i}]" for i in (0, 2, 3))
        addresses = [listed, first, last, behind, named]
        granted = {
            g.address: g.fault
            for g in await driver.subscribe([Watch(a, 0.05) for a in addresses], got.extend)
        }
        assert isinstance(granted.pop(behind), BadAddress)
        assert set(granted.values()) == {None}
        await until(lambda: len(got) == 5)
        assert {r.address: r.value for r in got} == {
            listed: "1.0, 2.0, 3.0", first: 1.0, last: 3.0, behind: None, named: 7.0
        }  # fmt: skip
        (subscription,) = served.subscriptions.values()
        assert len(subscription.monitored_item_srv._monitored_items) == 2
        await served.show(listed, [1.0, 2.0, 4.0], DOUBLE)
        await until(lambda: values(got, last) == [3.0, 4.0])
        assert values(got, first) == [1.0]


async def test_a_structure_is_given_up_with_a_reason_and_the_others_flow(until: Until) -> None:
    async with machine() as served, connected(served) as driver:
        number = await served.add("number", 1.0)
        got: list[Reading] = []
        status = "i=2256"  # the server's own status, a structure
        granted = {
            g.address: g.fault
            for g in await driver.subscribe([Watch(a, 0.05) for a in (status, number)], got.extend)
        }
        assert "structure" in str(granted[status])
        await until(lambda: values(got, number) == [1.0])
        assert [r.quality for r in got if r.address == status] == [Quality.BAD_CONFIGURATION_ERROR]


async def test_many_values_are_asked_for_in_portions_as_the_server_wants_them(until: Until) -> None:
    async with machine() as served:
        for number in (11705, 11714):  # nodes in one read, monitored items in one call
            limit = ua.DataValue(ua.Variant(7, ua.VariantType.UInt32))
            await served.server.write_attribute_value(ua.NodeId(ua.Int32(number)), limit)
        addresses = [await served.add(f"v{i}", float(i)) for i in range(30)]
        lengths: list[int] = []

        def note(event: ServerItemCallback, _dispatcher: object) -> None:
            lengths.append(len(event.request_params.NodesToRead))

        served.server.subscribe_server_callback(CallbackType.PreRead, note)
        async with connected(served) as driver:
            got: list[Reading] = []
            granted = await driver.subscribe([Watch(a, 0.1) for a in addresses], got.extend)
            assert [g.address for g in granted] == addresses
            await until(lambda: len({r.address for r in got}) == 30)
            assert max(lengths) == 7


async def test_a_value_that_stands_still_is_asked_for_anew_and_confirmed(until: Until) -> None:
    async with machine() as served, connected(served) as driver:
        number = await served.add("number", 5.0)
        await served.show(number, 5.0, DOUBLE)
        got: list[Reading] = []
        await driver.subscribe([Watch(number, 0.05, freshness=0.3)], got.extend)
        await until(lambda: len(got) >= 3)
        assert {r.value for r in got} == {5.0}
        assert {r.quality for r in got} == {Quality.GOOD}
        assert got[2].source_time > got[0].source_time + timedelta(seconds=0.3)
        assert driver.traffic().refreshed >= 2
        assert len(served.sessions) == 1


async def test_a_value_that_cannot_be_read_any_more_is_told_as_old_once(until: Until) -> None:
    async with machine() as served, connected(served) as driver:
        number, other = await served.add("number", 5.0), await served.add("other", 1.0)
        got: list[Reading] = []
        await driver.subscribe([Watch(number, 0.05, freshness=0.3), Watch(other, 0.05)], got.extend)
        await until(lambda: len(got) == 2)
        space = served.server.iserver.aspace
        unreadable = ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(StatusCodes.BadNotReadable)))
        node = ua.NodeId.from_string(number)
        space.set_attribute_value_callback(node, AttributeIds.Value, lambda *_: unreadable)
        await until(lambda: got[-1].quality == Quality.UNCERTAIN_LAST_USABLE)
        before = driver.traffic().refreshed
        await until(lambda: driver.traffic().refreshed >= before + 2)
        old = [r for r in got if r.quality == Quality.UNCERTAIN_LAST_USABLE]
        assert [r.value for r in old] == [5.0]
        await served.show(number, 6.0, DOUBLE)
        await until(lambda: got[-1].value == 6.0 and got[-1].quality == Quality.GOOD)


@pytest.mark.parametrize("how", ["deleted", "stopped", "ended"])
async def test_a_subscription_that_died_is_made_again_within_the_session(until: Until, how: str) -> None:
    async with machine() as served, connected(served, keep_alive=0.3) as driver:
        number = await served.add("number", 1.0)
        got: list[Reading] = []
        await driver.subscribe([Watch(number, 0.05)], got.extend)
        await until(lambda: bool(got))
        (session,) = served.sessions
        ((old, subscription),) = served.subscriptions.items()
        if how == "deleted":  # as after a restart of the program inside the controller
            await served.server.iserver.subscription_service.delete_subscriptions([old])
        elif how == "stopped":  # it exists, but says nothing any more, not even that it lives
            assert subscription._task is not None
            subscription._task.cancel()
        else:
            # WORKAROUND asyncua 2.1: its server tells a change of state only together with a value
            await subscription.enqueue_statuschange(ua.StatusCode(ua.UInt32(StatusCodes.BadTimeout)))
            await served.show(number, 1.5, DOUBLE)
        await until(lambda: bool(served.subscriptions.keys() - {old}), 20)
        await served.show(number, 2.0, DOUBLE)
        await until(lambda: got[-1].value == 2.0)
        assert served.sessions == [session]
        assert driver.traffic().refreshed >= 1


async def test_an_item_that_the_server_has_forgotten_is_found_by_its_age(until: Until) -> None:
    async with machine() as served, connected(served) as driver:
        number = await served.add("number", 1.0)
        got: list[Reading] = []
        await driver.subscribe([Watch(number, 0.05, freshness=0.3)], got.extend)
        await until(lambda: bool(got))
        (subscription,) = served.subscriptions.values()
        subscription.monitored_item_srv.delete_all_monitored_items()
        await served.show(number, 2.0, DOUBLE)
        await until(lambda: got[-1].value == 2.0)  # by reading
        await served.show(number, 3.0, DOUBLE)
        await until(lambda: subscription not in served.subscriptions.values(), 20)
        await served.show(number, 4.0, DOUBLE)
        await until(lambda: got[-1].value == 4.0)


async def test_a_bug_in_what_receives_the_values_is_not_swallowed(until: Until) -> None:
    async with machine() as served, connected(served) as driver:
        number = await served.add("number", 1.0)

        def broken(_readings: object) -> None:
            raise ZeroDivisionError

        await driver.subscribe([Watch(number, 0.05)], broken)
        async with asyncio.timeout(10):
            with pytest.raises(ZeroDivisionError):
                await driver.lost()
