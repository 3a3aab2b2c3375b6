"""Trying an encrypted machine from the command line: its certificate is shown, accepted by hand, and then believed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Lineside

SECURE = ("--security", "Basic256Sha256/SignAndEncrypt")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The demo plant with an encrypted OPC UA server, as a process of its own."""
    command = [sys.executable, "-m", "app.drivers.simulator", "--certificates", str(tmp_path / "machine")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"opc.tcp://127.0.0.1:{json.loads(process.stdout.readline())['opcua_port']}/lineside"
        process.stdin.close()
        assert process.wait(20) == 0


def test_a_certificate_is_shown_accepted_and_then_believed(
    lineside: Lineside, url: str, tmp_path: Path
) -> None:
    data = ("--data-dir", tmp_path / "data")
    unknown = lineside("connection", "test", url, *SECURE, *data)
    assert unknown.code == 1
    assert "compare it with the one on the machine" in unknown.err
    trust = re.search(r"--trust ([0-9a-f]{64})", unknown.err)
    assert trust is not None
    other = lineside("connection", "test", url, *SECURE, *data, "--trust", "00" * 32)
    assert (other.code, "shows another certificate" in other.err) == (1, True)
    accepted = lineside("connection", "test", url, *SECURE, *data, "--trust", trust[1])
    assert (accepted.code, accepted.out, accepted.err) == (0, f"{url} answers.\n", "")
    words = ("tag", "read", url, "ns=2;s=Recipe.zones[1]", *SECURE, "--trust", trust[1], *data, "--json")
    assert lineside(*words).json[0]["value"] == 180.0
    assert (tmp_path / "data" / "certificates" / "lineside.der").exists()
