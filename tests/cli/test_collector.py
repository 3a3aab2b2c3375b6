"""The running collector asked from the command line, a value sent to a real machine, passwords, the service."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.plant import Connection, Equipment, Plant, Writing
from app.domain.plant_file import dump_plant
from app.live.stream import FILE_NAME
from app.store.machine_secrets import FILE_NAME as SECRETS
from app.upkeep.service_unit import Service
from tests.cli.conftest import Lineside
from tests.stories.machines import ModbusMachines, modbus_machines
from ui.cli.machines import _password_for
from ui.cli.session import SESSION

ROOT = Path(__file__).parents[2]
FEED = "WELD-1/wire_feed"


@pytest.fixture(scope="module")
def machines() -> Iterator[ModbusMachines]:
    with modbus_machines() as running:
        yield running


@contextmanager
def collecting(folder: Path) -> Iterator[None]:
    """A collector beside this program, as the window has one."""
    process = subprocess.Popen([sys.executable, "-m", "app", "--data-dir", str(folder)], cwd=ROOT)
    try:
        deadline = time.monotonic() + 30
        while not (folder / FILE_NAME).exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        assert process.wait(20) == 0


@pytest.fixture
def welder(shop: Path, machines: ModbusMachines, done: Lineside, tmp_path: Path) -> Path:
    """One welder whose wire feed may be set from 0 to 20 m/min."""
    whole = machines.plant
    plant = Plant(
        tuple(e for e in whole.equipment if e.code == "WELD-1"),
        tuple(c for c in whole.connections if c.name == "weld-1-modbus"),
        tuple(
            replace(t, writing=Writing(0, 20)) if t.name == FEED else t
            for t in whole.tags
            if t.equipment == "WELD-1"
        ),
    )
    file = tmp_path / "plant.yaml"
    file.write_text(dump_plant(plant), encoding="utf-8")
    done("plant", "apply", file)
    return shop


def test_a_value_is_sent_to_a_machine_and_its_answer_is_said(
    welder: Path, done: Lineside, refused: Callable[..., str]
) -> None:
    assert "not running" in refused("collector", "status")
    with collecting(welder):
        deadline = time.monotonic() + 30
        status = done("collector", "status", "--json").json
        while status["connections"][0]["state"] != "online" or not status["connections"][0]["last_good"]:
            assert time.monotonic() < deadline
            status = done("collector", "status", "--json").json
        (connection,) = status["connections"]
        assert connection["connection"] == "weld-1-modbus"
        assert (connection["failures"], connection["reconnects"], status["given_up"]) == (0, 0, 0)
        assert connection["last_good"]
        assert "weld-1-modbus" in done("collector", "status").out
        answer = done(
            "tag", "write", FEED, "7.5", "--as", "technician", "--reason", "new wire", "--json"
        ).json
        assert (answer["ok"], answer["read_back"], answer["tag"]) == (True, 7.5, FEED)
        assert f"{FEED} is now 8 m/min" in done("tag", "write", FEED, "8", "--as", "technician").out
        assert "outside what may be sent" in refused("tag", "write", FEED, "21", "--as", "technician")
        assert "may not be written" in refused("tag", "write", "WELD-1/voltage", "1", "--as", "admin")
        assert "may not send values" in refused("tag", "write", FEED, "1", "--as", "operator")
        assert "no tag called" in refused("tag", "write", "WELD-1/none", "1")
        done("do", "write_to_machine", f"tag={FEED}", "value=9", "--as", "supervisor")
    assert "not running" in refused("tag", "write", FEED, "3", "--as", "technician")
    audit = done("list", "audit", "--limit", "20", "--json").json
    assert [row for row in audit if "Sent 7.5 m/min to MIG/MAG Welding Source #1, wire feed" in str(row)]


def test_a_password_is_kept_outside_the_store_and_the_logs(
    shop: Path,
    done: Lineside,
    refused: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant = Plant(
        (Equipment("OVEN", "Oven"),), (Connection("oven", "opcua", "opc.tcp://127.0.0.1:4840", user="plc"),)
    )
    file = tmp_path / "plant.yaml"
    file.write_text(dump_plant(plant), encoding="utf-8")
    done("plant", "apply", file)
    secret = "correct horse battery"
    monkeypatch.setattr(sys, "stdin", io.StringIO(secret + "\n"))
    said = done("connection", "password", "oven", "--stdin", "--as", "technician").out
    assert "secrets.toml, which only your account can read" in said
    assert secret in (shop / SECRETS).read_text("utf-8")
    for path in shop.rglob("*"):
        if path.is_file() and path.name != SECRETS:
            assert secret.encode() not in path.read_bytes(), path
    SESSION.folder = shop
    there = plant.connections[0]
    assert _password_for(there) == secret
    assert _password_for(replace(there, user="somebody")) == ""
    assert _password_for(replace(there, url="opc.tcp://127.0.0.1:4841")) == ""
    monkeypatch.setattr(sys, "stdin", io.StringIO("other\n"))
    assert "no connection called" in refused("connection", "password", "press", "--stdin")
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    assert "--forget" in refused("connection", "password", "oven", "--stdin")
    assert "may not change machines" in refused(
        "connection", "password", "oven", "--forget", "--as", "operator"
    )
    assert done("connection", "password", "oven", "--forget").out.startswith("Forgot the password of oven.")
    assert done("connection", "password", "oven", "--forget").out.startswith("oven had no password here.")
    assert secret not in (shop / SECRETS).read_text("utf-8")
    assert [r for r in done("list", "audit", "--json").json if "Set the password of oven" in str(r)]


def test_the_service_is_written_for_this_folder_and_account(shop: Path, done: Lineside) -> None:
    own = done("service", "print").out
    assert f"LINESIDE_DATA_DIR={shop}" in own
    assert "WantedBy=default.target" in own
    assert "User=" not in own
    computer = done("service", "print", "--system", "--user", "press-shop", "--json").json
    assert computer["path"] == "/etc/systemd/system/lineside-collector.service"
    for line in ("User=press-shop", "Restart=always", "Type=notify", f"ReadWritePaths={shop}"):
        assert line in computer["unit"].splitlines()


def test_the_unit_in_the_package_is_the_one_that_is_written() -> None:
    shipped = (ROOT / "packaging/service/lineside-collector.service").read_text("utf-8")
    service = Service(["/opt/lineside/lineside", "collect"], Path("/var/lib/lineside"), "lineside")
    assert shipped.endswith(service.unit())


def test_odd_folder_names_stand_in_a_unit_as_systemd_reads_them() -> None:
    unit = Service(["/opt/My Programs/50%/lineside", "collect"], Path('/srv/a "b"'), "x").unit()
    assert 'ExecStart="/opt/My Programs/50%%/lineside" collect' in unit
    assert 'Environment="LINESIDE_DATA_DIR=/srv/a \\"b\\""' in unit


def test_without_systemd_that_is_said(
    shop: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for words in (["install"], ["status"]):
        assert "no systemd" in refused("service", *words)
    fake = tmp_path / "systemctl"
    fake.write_text(
        "#!/bin/sh\necho 'System has not been booted with systemd' >&2\nexit 1\n", encoding="utf-8"
    )
    fake.chmod(0o755)
    if not Path("/run/systemd/system").exists():
        assert "no systemd" in refused("service", "status")
    assert "There is no service" in refused("service", "remove")
