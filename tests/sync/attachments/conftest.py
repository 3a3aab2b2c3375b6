"""Stations that only send and fetch photos and files, and an S3 to keep them in: moto, a real HTTP server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from tests.sync.attachments.blobs import Sender, connecting
from tests.sync.attachments.bucket import Bucket

if TYPE_CHECKING:
    from tests.sync.conftest import ServerDatabase


@pytest.fixture
def senders() -> Iterator[list[Sender]]:
    made: list[Sender] = []
    yield made
    for sender in made:
        sender.close()


@pytest.fixture
def station(server: ServerDatabase, tmp_path: Path, senders: list[Sender]) -> Callable[..., Sender]:
    """Makes a station's sender; `through` is a port on loopback in the place of the server's."""

    def make(name: str, through: int = 0, **options: Any) -> Sender:
        server.add_station(name)
        parts = urlsplit(server.station_url(name))
        if through:
            user, _, _ = parts.netloc.rpartition("@")
            parts = parts._replace(netloc=f"{user}@127.0.0.1:{through}")
        sender = Sender(tmp_path / name, connecting(urlunsplit(parts)), **options)
        senders.append(sender)
        return sender

    return make


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of one S3 for all tests of this worker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address)
        yield address
    finally:
        server.kill()
        server.wait()


def _await(address: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{address}/moto-api/", timeout=5):
                return
        except OSError:
            assert time.monotonic() < until, "the S3 did not start"
            time.sleep(0.05)


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket of its own; nothing of an S3 is in the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    return Bucket(s3, f"photos-{uuid4().hex}")


@pytest.fixture
def owner_environment(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns the server has a key in the environment."""
    for name, value in bucket.owner_environment.items():
        monkeypatch.setenv(name, value)
