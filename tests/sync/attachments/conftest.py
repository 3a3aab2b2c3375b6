"""Stations that only send and fetch photos and files, and an S3 to keep them in: moto, a real HTTP server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from tests.sync.attachments.blobs import Sender, connecting
from tests.sync.attachments.bucket import Bucket, running_s3

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
    with running_s3() as address:
        yield address


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
