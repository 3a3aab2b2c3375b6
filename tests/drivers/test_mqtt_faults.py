"""What goes wrong on the way to an MQTT broker: passwords, certificates, cables, power, and a second client."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiomqtt import Client

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.domain.samples import Quality
from app.drivers import open_driver
from app.drivers.faults import MachineFault, RefusedConnection, TooManySessions, Unreachable, WrongCredentials
from app.drivers.mqtt_faults import ClientNameTaken, UntrustedBroker, answer_fault
from app.drivers.protocol import Credentials, Driver, Reading, Watch
from app.drivers.simulator.mqtt_machine import MqttMachine
from tests.drivers.broker import Broker, Certificates, certificates
from tests.proxy import FaultyProxy

Until = Callable[..., Awaitable[None]]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, papers: Certificates) -> Iterator[Broker]:
    """A broker with encryption and passwords."""
    folder = tmp_path_factory.mktemp("guarded")
    with Broker(folder, users={"anna": "secret"}, certificates=papers) as running:
        yield running


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


async def attempt(connection: Connection, password: str = "secret") -> MachineFault | None:
    """Connect once; the fault, if any."""
    driver = open_driver(connection, Credentials(password))
    try:
        await driver.connect()
    except MachineFault as fault:
        return fault
    finally:
        await driver.close()
    return None


async def gone(driver: Driver, seconds: float = 20.0) -> MachineFault:
    async with asyncio.timeout(seconds):
        return await driver.lost()


async def test_the_right_password_over_the_plants_own_authority_opens(
    guarded: Broker, papers: Certificates, until: Until
) -> None:
    told: list[Reading] = []
    wanted = Connection("x", "mqtt", guarded.url, user="anna", ca_file=str(papers.authority))
    driver = open_driver(wanted, Credentials("secret"))
    try:
        await driver.connect()
        await driver.subscribe([Watch("t", 1.0)], told.extend)
        await driver.write("t", 5)
        await until(lambda: [(r.value, r.quality) for r in told] == [(5, Quality.GOOD)])
    finally:
        await driver.close()


async def test_a_wrong_password_is_told_as_such(guarded: Broker, papers: Certificates) -> None:
    wanted = Connection("x", "mqtt", guarded.url, user="anna", ca_file=str(papers.authority))
    fault = await attempt(wanted, "guess")
    assert isinstance(fault, WrongCredentials)
    assert "enter them again" in fault.sentence


async def test_a_certificate_that_proves_nothing_is_never_accepted(
    guarded: Broker, papers: Certificates, tmp_path: Path
) -> None:
    stranger = certificates(tmp_path / "stranger")
    for ca_file in ("", str(stranger.authority)):
        fault = await attempt(Connection("x", "mqtt", guarded.url, user="anna", ca_file=ca_file))
        assert isinstance(fault, UntrustedBroker)
        assert "choose the CA file" in fault.sentence
    elsewhere = guarded.url.replace("127.0.0.1", "localhost")
    fault = await attempt(Connection("x", "mqtt", elsewhere, user="anna", ca_file=str(papers.authority)))
    assert fault is not None
    assert "another name than “localhost”" in fault.sentence


async def test_a_certificate_that_has_expired_is_told_as_such(tmp_path: Path) -> None:
    old = certificates(tmp_path / "old", expired=True)
    with Broker(tmp_path, certificates=old) as running:
        fault = await attempt(Connection("x", "mqtt", running.url, ca_file=str(old.authority)))
    assert fault is not None
    assert "has expired" in fault.sentence


async def test_a_ca_file_that_is_missing_or_something_else_is_for_a_person_to_correct(
    guarded: Broker, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="is not there"):
        await attempt(Connection("x", "mqtt", guarded.url, ca_file=str(tmp_path / "none.pem")))
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")
    with pytest.raises(Refused, match="is not a CA file"):
        await attempt(Connection("x", "mqtt", guarded.url, ca_file=str(rubbish)))


async def test_encryption_on_a_port_without_it_is_told_as_such(broker: Broker) -> None:
    fault = await attempt(Connection("x", "mqtt", broker.url.replace("mqtt:", "mqtts:"), timeout=0.5))
    assert isinstance(fault, (RefusedConnection, Unreachable))


async def test_a_closed_port_and_a_silent_machine_get_their_own_sentences(free_port: int) -> None:
    fault = await attempt(Connection("x", "mqtt", f"mqtt://127.0.0.1:{free_port}"))
    assert isinstance(fault, RefusedConnection)
    assert "no MQTT broker on that port" in fault.sentence
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"mqtt://127.0.0.1:{silent.getsockname()[1]}"
        fault = await attempt(Connection("x", "mqtt", address, timeout=0.3))
        assert isinstance(fault, Unreachable)
        assert "check the machine's power" in fault.sentence


async def test_a_cable_pulled_in_the_middle_of_a_message_is_noticed_and_the_next_attempt_works(
    broker: Broker, until: Until
) -> None:
    told: list[Reading] = []
    async with FaultyProxy("127.0.0.1", broker.port) as proxy, MqttMachine(broker.url, "cut/oven") as oven:
        wanted = Connection("cut", "mqtt", f"mqtt://{proxy.host}:{proxy.port}", timeout=3.0)
        for number in (1, 2):
            driver = open_driver(wanted)
            try:
                await driver.connect()
                await driver.subscribe([Watch("cut/oven#a", 1.0)], told.extend)
                await oven.say("cut/oven", f'{{"a": {number}}}')
                await until(lambda number=number: told and told[-1].value == number)
                if number == 1:
                    proxy.cut_after(20)
                    await oven.say("cut/oven", '{"a": 99, "filler": "' + "x" * 200 + '"}')
                    assert isinstance(await gone(driver), Unreachable)
                    await proxy.heal()
            finally:
                await driver.close()
    assert [r.value for r in told] == [1, 2]


async def test_a_connection_that_is_open_on_our_side_only_is_noticed_by_the_keep_alive(
    broker: Broker,
) -> None:
    async with FaultyProxy("127.0.0.1", broker.port) as proxy:
        driver = open_driver(Connection("half", "mqtt", f"mqtt://{proxy.host}:{proxy.port}", timeout=1.0))
        try:
            await driver.connect()
            await driver.subscribe([Watch("half/t", 1.0)], lambda _: None)
            proxy.half_open()
            fault = await gone(driver)
            assert isinstance(fault, Unreachable)
            assert "fell silent" in fault.sentence
        finally:
            await driver.close()
        again = await attempt(Connection("half", "mqtt", f"mqtt://{proxy.host}:{proxy.port}", timeout=0.5))
        assert isinstance(again, Unreachable)


async def test_pings_show_that_a_quiet_broker_lives(broker: Broker, until: Until) -> None:
    driver = open_driver(Connection("quiet", "mqtt", broker.url, timeout=1.0))
    try:
        await driver.connect()
        await until(lambda: driver.silence() > 0.6)
        await until(lambda: driver.silence() < 0.4)
    finally:
        await driver.close()


async def test_a_killed_broker_is_noticed_and_found_again(tmp_path: Path, until: Until) -> None:
    told: list[Reading] = []
    broker = Broker(tmp_path)
    with broker:
        wanted = Connection("kill", "mqtt", broker.url, timeout=2.0)
        driver = open_driver(wanted)
        try:
            await driver.connect()
            broker.kill()
            fault = await gone(driver)
            assert "the broker is gone" in fault.sentence
            with pytest.raises(MachineFault):
                await driver.write("t", 1)
        finally:
            await driver.close()
        assert isinstance(await attempt(wanted), RefusedConnection)
        broker.start()
        driver = open_driver(wanted)
        try:
            await driver.connect()
            await driver.subscribe([Watch("t", 1.0)], told.extend)
            await driver.write("t", 1)
            await until(lambda: bool(told) and told[-1].value == 1)
        finally:
            await driver.close()


async def test_a_second_client_of_the_same_name_is_told_instead_of_fought(broker: Broker) -> None:
    wanted = Connection("twin", "mqtt", broker.url, timeout=2.0, client_id="twin")
    faults: list[MachineFault] = []
    for _ in range(2):
        driver = open_driver(wanted)
        try:
            await driver.connect()
            async with Client("127.0.0.1", broker.port, identifier="twin", clean_session=False):
                faults.append(await gone(driver))
        finally:
            await driver.close()
    assert isinstance(faults[0], Unreachable)
    assert isinstance(faults[1], ClientNameTaken)
    assert isinstance(faults[1], TooManySessions)  # which is answered with patience
    assert "“twin”" in faults[1].sentence


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (0x86, WrongCredentials, "enter them again"),
        (0x87, WrongCredentials, "enter them again"),
        (0x8E, ClientNameTaken, "another program uses the client name “me”"),
        (0x85, RefusedConnection, "client name “me”"),
        (0x88, RefusedConnection, "too busy"),
        (0x8A, RefusedConnection, "banned"),
        (0x8D, Unreachable, "silent"),
        (0x97, MachineFault, "0x97"),
        (7, Unreachable, "broke"),
    ],
)
def test_every_answer_of_a_broker_becomes_a_sentence(code: int, kind: type[MachineFault], words: str) -> None:
    fault = answer_fault("broker:1883", code, "me")
    assert type(fault) is kind or kind is MachineFault
    assert words in fault.sentence


def test_certificates_of_the_tests_are_real_ones(papers: Certificates) -> None:
    assert ssl.create_default_context(cafile=str(papers.authority)).get_ca_certs()


async def test_a_value_that_the_broker_does_not_confirm_ends_the_session_lest_it_arrive_late(
    tmp_path: Path,
) -> None:
    with Broker(tmp_path) as broker:
        port = int(broker.url.rsplit(":", 1)[1])
        async with FaultyProxy("127.0.0.1", port) as proxy:
            wanted = Connection("late", "mqtt", f"mqtt://127.0.0.1:{proxy.port}", timeout=1.0)
            driver = open_driver(wanted)
            try:
                await driver.connect()
                proxy.half_open()
                with pytest.raises(Unreachable):
                    await driver.write("t", 1)
                await gone(driver)
            finally:
                await driver.close()
