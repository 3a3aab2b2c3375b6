"""Trying machines, configuring them as a file, collecting from them and reading back, over real connections."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.domain.plant import Plant
from app.domain.plant_file import dump_plant
from app.drivers.simulator import simulated_plant
from tests.cli.conftest import Lineside

Ports = dict[str, int]


def plant_of(ports: Ports) -> Plant:
    return simulated_plant(ports["opcua_port"], ports["modbus_port"])


@pytest.fixture(scope="module")
def ports() -> Iterator[Ports]:
    """The demo plant as a process of its own, eight times as fast as life."""
    command = [sys.executable, "-m", "app.drivers.simulator", "--speed=8"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(20) == 0


@pytest.fixture
def opcua(ports: Ports) -> str:
    return next(c.url for c in plant_of(ports).connections if c.driver == "opcua")


@pytest.fixture
def modbus(ports: Ports) -> str:
    return next(c.url for c in plant_of(ports).connections if c.driver == "modbus-tcp")


@pytest.fixture
def plant_file(ports: Ports, tmp_path: Path) -> Path:
    file = tmp_path / "plant.yaml"
    file.write_text(dump_plant(plant_of(ports)), encoding="utf-8")
    return file


def described(file: Path) -> dict[str, list[Any]]:
    """What a plant file says, whatever its order."""
    return {part: sorted(things, key=str) for part, things in yaml.safe_load(file.read_text("utf-8")).items()}


def test_a_plant_file_is_checked_applied_and_comes_out_the_same(
    shop: Path, done: Lineside, plant_file: Path, tmp_path: Path
) -> None:
    would = done("plant", "apply", plant_file, "--dry-run", "--json").json
    assert would["added"] > 10
    assert done("list", "equipment", "--json").json == []
    assert done("plant", "apply", plant_file, "--as", "technician", "--json").json == would
    assert done("plant", "apply", plant_file, "--json").json == {"added": 0, "changed": 0, "removed": 0}
    copy = tmp_path / "copy.yaml"
    done("plant", "export", copy)
    assert described(copy) == described(plant_file)
    assert done("plant", "export").out == copy.read_text("utf-8")
    assert len(done("list", "equipment", "--json").json) == 7
    done("do", "set_maintenance", "--as", "technician", "equipment=CONV-1", "in_maintenance=yes")
    done("do", "apply_plant", "--as", "technician", f"plant=@{copy}")


@pytest.mark.parametrize(
    "text",
    [
        "equipment: {",
        "equipment: [{code: 7, name: [], area: x}]",
        "tags: [{name: A/b, equipment: NO, connection: none, address: 'hr:1'}]",
        "cows: 3",
        "- a\n- b",
        "\x00",
    ],
)
def test_a_wrong_plant_file_is_refused_in_one_sentence_and_changes_nothing(
    shop: Path, done: Lineside, refused: Callable[..., str], tmp_path: Path, text: str
) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(text, encoding="utf-8")
    assert refused("plant", "apply", file).endswith(".")
    assert done("plant", "export").out == "equipment: []\nconnections: []\ntags: []\n"


def test_a_plant_file_that_cannot_be_read_or_written_or_is_not_allowed_is_said(
    shop: Path, refused: Callable[..., str], plant_file: Path, tmp_path: Path
) -> None:
    assert "cannot be read" in refused("plant", "apply", tmp_path / "none.yaml")
    assert "cannot be read" in refused("plant", "apply", tmp_path)
    assert "cannot be written" in refused("plant", "export", tmp_path)
    assert "may not change machines" in refused("plant", "apply", plant_file, "--as", "operator")
    plant_file.write_bytes(b"\xff\xfe\x00x")
    assert "UTF-8" in refused("plant", "apply", plant_file)


def test_real_servers_answer_are_browsed_and_read(
    done: Lineside, refused: Callable[..., str], ports: Ports, opcua: str, modbus: str
) -> None:
    assert done("connection", "test", opcua, "--json").json == {"url": opcua, "answers": True}
    assert done("connection", "test", modbus).out == f"{modbus} answers.\n"
    assert "unit 77" in refused("connection", "test", modbus, "--unit", "77")
    top = done("connection", "browse", opcua, "--json").json
    assert top
    assert all({"address", "name", "children"} <= set(node) for node in top)
    assert any(done("connection", "browse", opcua, node["address"], "--json").json for node in top)
    tags = plant_of(ports)
    url_of = {c.name: c for c in tags.connections}
    for driver in ("opcua", "modbus-tcp"):
        tag = next(t for t in tags.tags if url_of[t.connection].driver == driver)
        connection = url_of[tag.connection]
        words = ("tag", "read", connection.url, tag.address, "--unit", connection.unit, "--json")
        reading = done(*words).json[0]
        assert isinstance(reading["value"], int | float | bool | str)
        assert "good" in reading["quality"].casefold()
    assert "hr:0" in done("connection", "browse", modbus, "hr:0", "--json").out


def test_an_address_that_is_not_there_is_said_beside_those_that_are(
    lineside: Lineside, ports: Ports, opcua: str
) -> None:
    good = next(t.address for t in plant_of(ports).tags if t.address.startswith("ns="))
    answer = lineside("tag", "read", opcua, good, "ns=2;s=Nothing.Here", "--json")
    assert answer.code == 0
    bad = answer.json[1]
    assert bad["value"] is None
    assert "good" not in bad["quality"].casefold()


def test_a_machine_that_cannot_be_reached_costs_one_sentence(
    refused: Callable[..., str], misused: Callable[..., str], free_port: int, opcua: str
) -> None:
    for scheme in ("tcp", "opc.tcp"):
        sentence = refused("connection", "test", f"{scheme}://127.0.0.1:{free_port}")
        assert f"127.0.0.1:{free_port}" in sentence
        assert "refuses the connection" in sentence
    refused("tag", "read", f"tcp://127.0.0.1:{free_port}", "hr:0")
    refused("connection", "browse", f"opc.tcp://127.0.0.1:{free_port}")
    broker = f"mqtts://127.0.0.1:{free_port}"
    for words in (["test", broker], ["browse", broker]):
        assert "is not there" in refused("connection", *words, "--ca-file", "/no/ca.pem")
    assert "refuses" in refused(
        "connection", "test", f"mqtt://127.0.0.1:{free_port}", "--driver", "sparkplug"
    )
    assert "no driver called" in refused("tag", "read", broker, "a", "--driver", "cow")
    assert "not a machine address" in refused("connection", "test", "http://127.0.0.1")
    assert "no host name" in refused("connection", "test", "tcp://")
    refused("connection", "test", "tcp://no-such-host.invalid:502")
    refused("connection", "test", "tcp://127.0.0.1:99999")
    assert refused("connection", "test", opcua.replace("opc.tcp", "tcp")), "another kind of server"
    assert "--unit" in misused("connection", "test", "tcp://127.0.0.1", "--unit", "256")


def test_a_wrong_address_is_refused_in_words(refused: Callable[..., str], opcua: str, modbus: str) -> None:
    assert refused("tag", "read", modbus, "cow:7")
    assert refused("tag", "read", opcua, "cow")


def test_samples_and_alarms_of_a_collection_are_read_acknowledged_and_shelved(
    shop: Path, done: Lineside, refused: Callable[..., str], plant_file: Path
) -> None:
    plant = yaml.safe_load(plant_file.read_text("utf-8"))
    hot = next(tag for tag in plant["tags"] if tag["name"] == "CNC-2/temperature")
    hot["limits"], hot["alarm"] = {"hi": 1}, {"priority": 2, "on_delay": "0s", "off_delay": "0s"}
    plant_file.write_text(yaml.safe_dump(plant, allow_unicode=True), encoding="utf-8")
    done("plant", "apply", plant_file)
    for _ in range(6):  # on a busy machine some seconds are not enough
        done("collect", "--seconds", "5")
        stats = done("history", "stats", "--json").json
        if stats["samples"] > 50:
            break
    assert stats["samples"] > 50
    assert stats["bytes_per_sample"] > 0
    samples = done("history", "read", "CNC-2/temperature", "--from", "-10m", "--json").json
    assert len(samples) > 3
    assert any(isinstance(sample["value"], float) for sample in samples)
    buckets = done("history", "read", "CNC-2/temperature", "--from", "-10m", "--pixels", "60", "--json").json
    assert sum(bucket["count"] for bucket in buckets) == len(samples)
    assert "bytes a sample" in done("history", "stats").out
    assert "ends after it begins" in refused(
        "history", "read", "CNC-2/temperature", "--from", "-1m", "--to", "-2m", "--pixels", "5"
    )
    alarms: list[dict[str, Any]] = done("alarms", "--json").json
    assert "CNC-2/temperature" in {alarm["tag"] for alarm in alarms}
    assert alarms == done("list", "alarms", "--json").json
    assert {a["id"] for a in done("alarms", "--active", "--json").json} <= {a["id"] for a in alarms}
    alarm = next(a["id"] for a in alarms if a["tag"] == "CNC-2/temperature")
    done("alarms", "ack", alarm, "--as", "operator", "--comment", "seen")
    done("alarms", "shelve", alarm, "--minutes", "5", "--reason", "being repaired")
    assert "1 to 480 minutes" in refused("alarms", "shelve", alarm, "--minutes", "481", "--reason", "x")
    assert "reason" in refused("alarms", "shelve", alarm, "--minutes", "5", "--reason", " ")
    assert "may not shelve" in refused(
        "alarms", "shelve", alarm, "--minutes", "5", "--reason", "x", "--as", "operator"
    )
    assert "no alarm cow" in refused("alarms", "ack", "cow")
    done("collect", "--seconds", "2")
    known = {a["id"]: a for a in done("alarms", "--json").json}
    assert known[alarm]["acknowledged_by"] == "operator"


def test_nothing_collected_is_said_and_no_store_is_refused(
    done: Lineside, refused: Callable[..., str], data_dir: Path
) -> None:
    assert "no Lineside data" in refused("collect", "--seconds", "1")
    assert done("history", "read", "CNC-2/temperature").out.startswith("No samples")
    assert done("alarms").out == "No alarms yet.\n"
    assert "No active alarms are known of, but no collector is running" in done("alarms", "--active").out
