"""An S3 server (moto, over real HTTP), and one bucket of it as whoever looks after it sees it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from app.sync.files_key import FilesKey

REGION = "us-east-1"


@contextmanager
def running_s3() -> Iterator[str]:
    """The address of an S3 of its own; every key is good there until a bucket says otherwise."""
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


class Bucket:
    """`url` is what the server of Lineside is told; every key is good until `strict`."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.endpoint, self.name = endpoint, name
        self.key = FilesKey("anybody", "anything")
        self._s3 = self._client("s3")
        self._s3.create_bucket(Bucket=name)

    def _client(self, service: str) -> Any:
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.key.id,
            aws_secret_access_key=self.key.secret,
        )

    @property
    def port(self) -> int:
        port = urlsplit(self.endpoint).port
        assert port is not None
        return port

    def url(self, port: int = 0) -> str:
        """`port` of loopback in the place of the server's, for a proxy between."""
        return f"s3://{self.name}/works?region={REGION}&endpoint=http://127.0.0.1:{port or self.port}"

    @property
    def owner_environment(self) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": self.key.id, "AWS_SECRET_ACCESS_KEY": self.key.secret}

    def names(self) -> list[str]:
        """The objects there, without the folder of the works."""
        found = self._s3.list_objects_v2(Bucket=self.name).get("Contents", [])
        return sorted(each["Key"].removeprefix("works/") for each in found)

    def put(self, name: str, data: bytes) -> None:
        self._s3.put_object(Bucket=self.name, Key=f"works/{name}", Body=data)

    def get(self, name: str) -> bytes:
        return bytes(self._s3.get_object(Bucket=self.name, Key=f"works/{name}")["Body"].read())

    def remove(self, name: str) -> None:
        self._s3.delete_object(Bucket=self.name, Key=f"works/{name}")

    def keep_versions(self) -> None:
        self._s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

    def versions(self) -> list[str]:
        """The name of each object as often as it was written, since `keep_versions`."""
        found = self._s3.list_object_versions(Bucket=self.name).get("Versions", [])
        return sorted(each["Key"].removeprefix("works/") for each in found)

    def key_for(self, policy: dict[str, Any]) -> FilesKey:
        """A key of a new user of the S3 who may do what `policy` says."""
        iam, user = self._client("iam"), f"user-{uuid4().hex}"
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName=user)["AccessKey"]
        return FilesKey(made["AccessKeyId"], made["SecretAccessKey"])

    @contextmanager
    def strict(self) -> Iterator[None]:
        """Signatures are checked and rights count."""
        self._free_actions("0")
        try:
            yield
        finally:
            self._free_actions("inf")

    def _free_actions(self, count: str) -> None:
        request = urllib.request.Request(
            f"{self.endpoint}/moto-api/reset-auth",
            data=count.encode(),
            headers={"Content-Type": "text/plain"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=20):
            pass
