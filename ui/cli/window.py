"""`lineside desktop`, `demo` and `simulate`: the window, a workshop to look around in, its machines alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import typer

from app.domain.errors import Refused, WorldFault
from ui.cli.session import SESSION, folder, say

_SIMULATOR_SECONDS = 30


def desktop() -> None:
    """Open the window."""
    from ui.window.desktop import run_desktop

    raise typer.Exit(run_desktop(folder()))


def simulate(
    opcua_port: int = typer.Option(0, "--opcua-port", help="A free one when 0."),
    modbus_port: int = typer.Option(0, "--modbus-port", help="A free one when 0."),
    seed: int = typer.Option(1, "--seed"),
    speed: float = typer.Option(1.0, "--speed", help="Simulated seconds in a real one."),
    elapsed: float = typer.Option(0.0, "--elapsed", help="Simulated seconds that are over already."),
    certificates: Path | None = typer.Option(
        None, "--certificates", help="Folder for its certificate: OPC UA is then offered encrypted too."
    ),
    keep_running: bool = typer.Option(False, "--keep-running", help="Do not end when standard input closes."),
) -> None:
    """Serve the demo plant on loopback: OPC UA and Modbus TCP, ports printed as JSON."""
    from app.drivers.simulator.__main__ import main

    words = [
        f"--opcua-port={opcua_port}",
        f"--modbus-port={modbus_port}",
        f"--seed={seed}",
        f"--speed={speed}",
        f"--elapsed={elapsed}",
        *([] if certificates is None else [f"--certificates={certificates}"]),
    ]
    raise typer.Exit(main([*words, *(["--keep-running"] if keep_running else [])]))


def demo(
    seconds: float | None = typer.Option(None, "--seconds", help="Close by itself after this time."),
    screenshots: Path | None = typer.Option(
        None, "--screenshots", help="Tour every screen, leave pictures here."
    ),
) -> None:
    """Open a furnished workshop with a simulated plant, in a folder of its own."""
    with ExitStack() as stack:
        if SESSION.folder is None:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lineside-demo-")))
        else:
            place = folder()
        opcua_port, modbus_port = stack.enter_context(_simulator(place, speed=4.0 if screenshots else 1.0))
        _furnish(place, opcua_port, modbus_port)
        _open(place, seconds, screenshots)


@contextmanager
def _simulator(place: Path, speed: float) -> Iterator[tuple[int, int]]:
    """The simulated plant as a process of its own, ended by closing its standard input."""
    from app.demo.past_signals import ELAPSED

    command = (
        [sys.executable, "simulate"]
        if getattr(sys, "frozen", False)
        else [sys.executable, "-m", "ui", "simulate"]
    )
    process = subprocess.Popen(
        [*command, f"--speed={speed}", f"--elapsed={ELAPSED}", f"--certificates={place / 'simulated'}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise WorldFault("The simulated plant could not start; no loopback port seems to be free.")
        ports = json.loads(line)
        yield ports["opcua_port"], ports["modbus_port"]
    finally:
        process.stdin.close()
        try:
            process.wait(_SIMULATOR_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _furnish(place: Path, opcua_port: int, modbus_port: int) -> None:
    from app.demo.traces import leave_traces, remember
    from app.demo.workshop import furnish, refuse_used_folder
    from app.drivers.simulator import simulated_plant
    from app.plant import opened_house

    with opened_house(place) as opened:
        refuse_used_folder(opened)
        plant = simulated_plant(opcua_port, modbus_port)
        facts = furnish(opened, plant)
        remember(place, plant, opened.door.clock())
        leave_traces(opened, facts)


def _open(place: Path, seconds: float | None, screenshots: Path | None) -> None:
    from app.demo.workshop import DEMO_PASSWORD, SUPERVISOR
    from ui.window.demo_visit import DemoVisit
    from ui.window.desktop import run_desktop

    if screenshots is None:
        say(None, f"Log in as {SUPERVISOR} (or as admin) with the password: {DEMO_PASSWORD}")
        code = run_desktop(place, demo=DemoVisit(SUPERVISOR, DEMO_PASSWORD, seconds))
        raise typer.Exit(code)
    try:
        screenshots.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{screenshots} cannot be made ({error.strerror}).") from error
    from ui.window.tour import run_tour

    os.environ["LINESIDE_ALARM_SOUND"] = "false"  # nobody listens to a tour
    summary = run_tour(place, SUPERVISOR, DEMO_PASSWORD, screenshots, seconds or 20.0)
    say(summary, summary.text)
    if summary.failures:
        raise Refused("The tour found faults: " + "; ".join(summary.failures))
