"""Runs the demo plant as its own process: prints its ports as JSON, ends on SIGTERM or when stdin closes."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from app.drivers.simulator.plant import SimulatedPlant


async def run(options: argparse.Namespace) -> None:
    """Serve until asked to stop."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows ends the process by closing stdin
            loop.add_signal_handler(name, ended.set)
    if not options.keep_running:
        _watch_stdin(loop, ended)
    plant = SimulatedPlant(
        opcua_port=options.opcua_port,
        modbus_port=options.modbus_port,
        seed=options.seed,
        speed=options.speed,
        elapsed=options.elapsed,
        certificates=options.certificates,
    )
    async with plant:
        ports = {"opcua_port": plant.opcua_port, "modbus_port": plant.modbus_port}
        sys.stdout.write(json.dumps(ports) + "\n")
        sys.stdout.flush()
        await ended.wait()


def _watch_stdin(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """A daemon thread, since no portable way waits for a pipe on Windows; it dies with the process."""

    descriptor = sys.stdin.fileno()

    def wait() -> None:
        # Not sys.stdin.read(): its lock, held by a thread that still waits, makes the interpreter crash at its end.
        while os.read(descriptor, 4096):
            pass
        with suppress(RuntimeError):  # the loop may be closed already
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, name="simulator-stdin", daemon=True).start()


def main(arguments: list[str] | None = None) -> int:
    """Entry point; 0 after a clean end, 1 when a port is taken."""
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--opcua-port", type=int, default=0)
    parser.add_argument("--modbus-port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds in a real one")
    parser.add_argument("--elapsed", type=float, default=0.0, help="simulated seconds that are over already")
    parser.add_argument(
        "--certificates", type=Path, help="folder for the certificate of an encrypted OPC UA server"
    )
    parser.add_argument("--keep-running", action="store_true", help="do not end when stdin closes")
    try:
        asyncio.run(run(parser.parse_args(arguments)))
    except (OSError, RuntimeError) as error:
        sys.stderr.write(f"The simulated plant cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
