"""Passwords that change while collecting, short conversations with the collector, and what a service manager hears."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.errors import WorldFault
from app.domain.plant import Connection
from app.drivers import open_driver
from app.drivers.protocol import Credentials, Driver
from app.drivers.simulator import SimulatedPlant
from app.live.asking import collector_report, poke
from app.live.attaching import end_orphan, running_collector
from app.live.source import MemoryPlantSource
from app.live.stream import FILE_NAME
from app.live.surroundings import ServiceManager
from tests.live.conftest import collecting, until


async def test_a_new_password_is_taken_over_at_once_and_only_its_connection_is_made_anew(
    modbus_machines: SimulatedPlant, data_dir: Path
) -> None:
    seen: list[tuple[str, Credentials]] = []

    def opener(connection: Connection, credentials: Credentials) -> Driver:
        seen.append((connection.name, credentials))
        return open_driver(connection, credentials)

    whole = modbus_machines.plant
    connections = tuple(replace(c, user="plc") for c in whole.connections if c.driver == "modbus-tcp")
    names = {c.name for c in connections}
    plant = replace(
        whole, connections=connections, tags=tuple(t for t in whole.tags if t.connection in names)
    )
    source = MemoryPlantSource(plant, passwords={"weld-1-modbus": "old"})
    async with collecting(source, data_dir, opener=opener) as collector:
        await until(lambda: len(seen) == len(connections))
        source.passwords["weld-1-modbus"] = "brand-new secret"
        assert await asyncio.to_thread(poke, data_dir)
        await until(lambda: len(seen) > len(connections))
        assert [(n, c.password, c.certificates) for n, c in seen[len(connections) :]] == [
            ("weld-1-modbus", "brand-new secret", data_dir / "certificates")
        ]
        report = await asyncio.to_thread(collector_report, data_dir)
        assert report.links.keys() == names
        assert "brand-new" not in repr(seen)
        assert len(collector.links) == len(connections)


async def test_no_machine_is_tried_with_an_empty_password_while_the_keyring_is_locked(
    modbus_machines: SimulatedPlant, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.live.collector._ASK_AGAIN", 0.2)
    tried: list[str] = []

    def opener(connection: Connection, credentials: Credentials) -> Driver:
        tried.append(credentials.password)
        return open_driver(connection, credentials)

    class LockedAtFirst(MemoryPlantSource):
        locked = True

        def password(self, connection: str) -> str:
            if self.locked:
                raise WorldFault("The keyring is locked.")
            return "secret"

    whole = modbus_machines.plant
    connection = replace(whole.connections[-1], user="plc")
    source = LockedAtFirst(replace(whole, connections=(connection,), tags=whole.tags_of(connection.name)))
    async with collecting(source, data_dir, opener=opener) as collector:
        await until(lambda: [s for s in collector.links.statuses() if s.attempts > 1])
        assert "unlock the keyring" in collector.links.statuses()[0].sentence
        assert not tried
        source.locked = False  # nothing else happens: it is asked for again
        await until(lambda: tried)
        assert set(tried) == {"secret"}


def test_nobody_there_is_said(data_dir: Path) -> None:
    assert not poke(data_dir)
    with pytest.raises(WorldFault, match="not running"):
        collector_report(data_dir)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_only_the_collector_of_a_lost_window_is_asked_to_end(data_dir: Path) -> None:
    window = subprocess.Popen([sys.executable, "-c", ""])
    window.wait()
    collector = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

    def written(parent: int) -> None:
        (data_dir / FILE_NAME).write_text(json.dumps({"pid": collector.pid, "parent": parent}))

    try:
        assert running_collector(data_dir) is None
        assert not end_orphan(data_dir)
        for parent in (0, os.getpid()):
            written(parent)
            assert not end_orphan(data_dir)
        written(window.pid)
        assert end_orphan(data_dir)
        assert collector.wait(20) != 0
        assert not end_orphan(data_dir)
    finally:
        collector.kill()
        collector.wait()


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there is no systemd")
async def test_a_service_manager_hears_when_the_collector_is_ready_lives_and_stops(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(15)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "1000000")
        from app.domain.plant import Plant

        async with collecting(MemoryPlantSource(Plant()), data_dir):
            assert await asyncio.to_thread(manager.recv, 100) == b"READY=1"
            assert await asyncio.to_thread(manager.recv, 100) == b"WATCHDOG=1"
        words = b"WATCHDOG=1"
        while words == b"WATCHDOG=1":
            words = await asyncio.to_thread(manager.recv, 100)
        assert words == b"STOPPING=1"
    ServiceManager().ready()  # a manager that is gone is no reason to fail
