"""`lineside connection`, `tag` and `history`: machines and what they said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from app.domain.errors import Refused, WorldFault
from ui.cli.session import folder, house, plain, say, say_rows

if TYPE_CHECKING:
    from app.domain.plant import Connection
    from app.drivers.protocol import Driver

T = TypeVar("T")

connections = typer.Typer(no_args_is_help=True)
tags = typer.Typer(no_args_is_help=True)

_UNIT = typer.Option(1, "--unit", min=0, max=255, help="Modbus unit id.")
_ADDRESSING = typer.Option(
    "raw", "--addressing", help="Modbus: raw counts from 0, one-based as the manual does."
)
_LINE = typer.Option(
    "19200,8E1", "--line", help="Serial line: baud rate, data bits, parity N, E or O, stop bits."
)
_USER = typer.Option(
    "",
    "--user",
    help="User of OPC UA or MQTT; the password comes from LINESIDE_MACHINE_PASSWORD, "
    "or is the one kept for a connection with this address and user.",
)
_SECURITY = typer.Option(
    "None", "--security", help="OPC UA: None, or Basic256Sha256/Sign or …/SignAndEncrypt."
)
_TRUST = typer.Option("", "--trust", help="OPC UA: fingerprint of the server's certificate that you accept.")
_DRIVER = typer.Option(
    "", "--driver", help="The protocol, where the address does not say it: sparkplug for Sparkplug B."
)
_CA_FILE = typer.Option("", "--ca-file", help="MQTT: PEM file of the authority that you believe.")


def _password_for(connection: Connection) -> str:
    """From the environment, else what is kept for a configured connection to the same address as the same user."""
    import os

    from app.store.sessions import STORE_NAME

    given = os.environ.get("LINESIDE_MACHINE_PASSWORD", "")
    if given or not connection.user or not (folder() / STORE_NAME).exists():
        return given
    from app.store.queries.plant import read_plant
    from app.store.queries.secrets_place import secrets_place

    with house() as opened, opened.store.reader() as session:
        place = secrets_place(opened.folder, session)
        plant = read_plant(session)
    wanted = (connection.url, connection.user)
    names = [known.name for known in plant.connections if (known.url, known.user) == wanted]
    return next((kept for name in names if (kept := place.password(name))), "")


def _with_driver(connection: Connection, work: Callable[[Driver], Awaitable[T]]) -> T:
    from app.drivers import for_trial, open_driver
    from app.drivers.certificates import FOLDER
    from app.drivers.faults import UnknownServer
    from app.drivers.protocol import Credentials

    password = _password_for(connection)

    async def talk() -> T:
        driver = open_driver(for_trial(connection), Credentials(password, folder() / FOLDER))
        try:
            await driver.connect()
            return await work(driver)
        finally:
            await driver.close()

    try:
        # aiomqtt and pyserial watch file descriptors, which the default loop of Windows cannot.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            return runner.run(talk())
    except UnknownServer as unknown:
        shown = unknown.certificate
        raise WorldFault(
            f"{unknown.sentence}\nIts fingerprint is {shown.fingerprint}, it is valid until "
            f"{shown.valid_until:%Y-%m-%d}. To accept it here, add --trust {shown.fingerprint}"
        ) from unknown


def _connection(
    url: str,
    unit: int,
    user: str,
    security: str,
    trust: str,
    addressing: str,
    line: str,
    driver: str,
    ca_file: str,
) -> Connection:
    from app.domain.plant import ADDRESSING, Connection
    from app.drivers import driver_for_url
    from app.drivers.serial_ports import parse_line

    if addressing not in ADDRESSING:
        raise Refused(f"Addresses are counted {' or '.join(ADDRESSING)}, not “{addressing}”.")
    return Connection(
        "command-line",
        driver or driver_for_url(url),
        url,
        ca_file=ca_file,
        security=security,
        trusted=trust,
        unit=unit,
        user=user,
        addressing=addressing,
        line=parse_line(line),
    )


@connections.command("test")
def try_connection(
    url: str,
    unit: int = _UNIT,
    user: str = _USER,
    security: str = _SECURITY,
    trust: str = _TRUST,
    addressing: str = _ADDRESSING,
    line: str = _LINE,
    driver: str = _DRIVER,
    ca_file: str = _CA_FILE,
) -> None:
    """Connect to a machine and say whether it answers."""
    connection = _connection(url, unit, user, security, trust, addressing, line, driver, ca_file)

    async def ask(talking: Driver) -> bool:
        if connection.driver.startswith("modbus"):
            from app.drivers.modbus import ModbusDriver

            assert isinstance(talking, ModbusDriver)
            await talking.prove()
        return bool(getattr(talking, "password_in_clear", False))

    in_clear = _with_driver(connection, ask)
    found: dict[str, Any] = {"url": url, "answers": True}
    if in_clear:
        found["password_in_clear"] = True
    warning = (
        " The password went over the network in clear: this server offers no better way." if in_clear else ""
    )
    say(found, f"{url} answers.{warning}")


@connections.command()
def browse(
    url: str,
    node: str | None = typer.Argument(None, help="Where to look; the top otherwise."),
    unit: int = _UNIT,
    user: str = _USER,
    security: str = _SECURITY,
    trust: str = _TRUST,
    addressing: str = _ADDRESSING,
    line: str = _LINE,
    driver: str = _DRIVER,
    ca_file: str = _CA_FILE,
) -> None:
    """Show what a machine offers under a node or topic (OPC UA, MQTT), or how an address decodes (Modbus)."""

    async def look(talking: Driver) -> Sequence[Any]:
        return await talking.browse(node)

    nodes = _with_driver(
        _connection(url, unit, user, security, trust, addressing, line, driver, ca_file), look
    )
    rows = [
        {"address": n.address, "name": n.name, "children": n.has_children, "detail": n.detail} for n in nodes
    ]
    say_rows(
        rows,
        {"address": "Address", "name": "Name", "children": "More below", "detail": "Detail"},
        "Nothing there.",
    )


def _show_decodings(connection: Connection, addresses: Sequence[str]) -> None:
    """Every way to read registers, the likely ones first."""
    from app.drivers.modbus import ModbusDriver

    async def look(driver: Driver) -> Sequence[Any]:
        if not isinstance(driver, ModbusDriver):
            raise Refused(
                "Only Modbus registers can be read in several ways; other machines say what they send."
            )
        return [row for address in addresses for row in await driver.decodings(address)]

    likely = {1: "likely", 2: "possible", 3: ""}
    rows = [{**plain(row), "likely": likely[row.rank]} for row in _with_driver(connection, look)]
    titles = {"address": "Address", "type": "Type", "order": "Order", "value": "Value", "likely": "Likely"}
    say_rows(rows, titles, "Nothing read.")


@tags.command()
def read(
    url: str,
    addresses: list[str],
    unit: int = _UNIT,
    user: str = _USER,
    security: str = _SECURITY,
    trust: str = _TRUST,
    addressing: str = _ADDRESSING,
    line: str = _LINE,
    driver: str = _DRIVER,
    ca_file: str = _CA_FILE,
    decodings: bool = typer.Option(
        False, "--all-decodings", help="Modbus: show the registers in every type and byte order."
    ),
) -> None:
    """Read values once, with time and quality."""
    from app.domain.samples import describe_quality

    connection = _connection(url, unit, user, security, trust, addressing, line, driver, ca_file)
    if decodings:
        _show_decodings(connection, addresses)
        return

    async def look(talking: Driver) -> Sequence[Any]:
        return await talking.read(addresses)

    readings = _with_driver(connection, look)
    rows = [
        {
            "address": r.address,
            "value": r.value,
            "quality": describe_quality(r.quality),
            "time": r.source_time,
        }
        for r in readings
    ]
    say_rows(
        rows, {"address": "Address", "value": "Value", "quality": "Quality", "time": "Time"}, "Nothing read."
    )
