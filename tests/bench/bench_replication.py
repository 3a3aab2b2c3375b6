"""The same work beside PouchDB with CouchDB's replication: a thousand offline changes, then edits while online.

PouchDB is installed by npm into a folder that is thrown away. Without node and npm, or without a registry, only our own
figures are printed. `LINESIDE_POUCH` may name a folder where `npm install pouchdb express-pouchdb express` was done.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from app.operations.orders import create_work_order
from app.sync.control import SyncControl
from app.sync.status import PAUSED, read_status
from tests.bench.figures import Figure
from tests.bench.processes import Child, commanded
from tests.bench.shared_server import Spread, Watch, shared_world, sync_process
from tests.sync.harness import SyncedStation

OFFLINE, EDITS = 1000, 60
PACKAGES = ("pouchdb@9", "express-pouchdb@4", "express@4")
SCRIPT = Path(__file__).with_name("pouch_peer.js")
_PEER = "PouchDB, replicating through a server"
_INSTALL_SECONDS = 300.0


@dataclass(frozen=True)
class Measured:
    """Seconds for the offline changes to be made, and to be at the other station; milliseconds of single edits."""

    made: float
    replicated: float
    alone: Spread


def bench_replication() -> Iterator[Figure]:
    """Two stations and a server on this computer: ours with orders and their stages, theirs with one document each."""
    peer = _theirs()
    ours = _ours()
    if peer is None:
        print("  PouchDB is not to be had here (it takes node, npm and its registry): our own figures only.")

    def figure(what: str, unit: str, read: Callable[[Measured], float]) -> Figure:
        beside = None if peer is None else read(peer)
        return Figure(what, read(ours), unit, against=beside, against_what=_PEER if peer else "")

    yield figure(f"{OFFLINE:,} offline changes → at the other station", "s", lambda m: m.replicated)
    yield figure("  to make them, each forced to the disk (PouchDB's are not)", "s", lambda m: m.made)
    yield figure("edit → visible at the other station, p50", "ms", lambda m: m.alone.p50)
    yield figure("  the same, p95", "ms", lambda m: m.alone.p95)


def _pauses() -> Iterator[float]:
    chance = random.Random(1)
    return (chance.uniform(0.05, 0.45) for _ in range(EDITS))


# ── ours ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _ours() -> Measured:
    with shared_world() as world:
        a, b = world.station("A"), world.station("B")
        with sync_process(a), sync_process(b), Watch(b.folder) as watch:
            watch.until([_edit(a)])
            controls = [SyncControl(station.folder) for station in (a, b)]
            for control in controls:
                control.work_offline(True)
            _until_paused(a, b)
            began = time.monotonic()
            offline = [_edit(a) for _ in range(OFFLINE)]
            made = time.monotonic() - began
            began = time.monotonic()
            for control in controls:
                control.work_offline(False)
            watch.until(offline)
            replicated = max(watch.seen[change] for change in offline) - began
            done = {}
            for pause in _pauses():
                time.sleep(pause)
                done[_edit(a)] = time.monotonic()
            watch.until(list(done))
    return Measured(made, replicated, Spread.of([(watch.seen[c] - at) * 1000 for c, at in done.items()]))


def _edit(station: SyncedStation) -> UUID:
    return station.do(create_work_order(product="FRAME-M", quantity=60, customer="Customer 7")).change_id


def _until_paused(*stations: SyncedStation) -> None:
    deadline = time.monotonic() + 30
    while not all(status and status.state == PAUSED for status in (read_status(s.folder) for s in stations)):
        if time.monotonic() > deadline:
            raise RuntimeError("a station does not go offline")
        time.sleep(0.02)


# ── theirs ───────────────────────────────────────────────────────────────────────────────────────────────────


def _theirs() -> Measured | None:
    with TemporaryDirectory() as name, ExitStack() as stack:
        modules = _modules(Path(name))
        if modules is None:
            return None
        environment = {"NODE_PATH": str(modules)}
        folders = [Path(name) / role for role in ("server", "A", "B")]
        for folder in folders:
            folder.mkdir()
        server = stack.enter_context(_node(environment, "server", str(folders[0])))
        url = f"http://127.0.0.1:{server.hear()['port']}/shop"
        a, b = (
            stack.enter_context(_node(environment, "station", str(folder), url)) for folder in folders[1:]
        )
        for station in (a, b):
            station.hear_until("ready")
        return _work(a, b)


@contextmanager
def _node(environment: dict[str, str], *words: str) -> Iterator[Child]:
    with commanded(["node", str(SCRIPT), *words], environment, patience=1.0) as child:
        yield child


def _work(a: Child, b: Child) -> Measured:
    began = time.time()
    _tell(a, edit=OFFLINE)
    a.hear_until("edited")
    made = time.time() - began
    _tell(b, expect=OFFLINE)
    began = time.time()
    for station in (a, b):
        _tell(station, replicate=1)
    replicated = max(at for _, at in b.hear_until("arrived")["arrived"]) / 1000 - began
    _tell(b, expect=EDITS)
    done: dict[str, float] = {}
    for pause in _pauses():
        time.sleep(pause)
        _tell(a, edit=1)
        done |= dict(a.hear_until("edited")["edited"])
    arrived = dict(b.hear_until("arrived")["arrived"])
    return Measured(made, replicated, Spread.of([arrived[one] - at for one, at in done.items()]))


def _tell(child: Child, **what: int) -> None:
    child.say(json.dumps(what))


def _modules(folder: Path) -> Path | None:
    """The folder of PouchDB's modules, installed if need be; None where that cannot be done."""
    if "LINESIDE_POUCH" in os.environ:
        return Path(os.environ["LINESIDE_POUCH"]) / "node_modules"
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None
    command = [npm, "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder), *PACKAGES]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_SECONDS, cwd=folder)
    except (subprocess.SubprocessError, OSError):
        return None
    return folder / "node_modules"
