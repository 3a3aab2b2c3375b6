"""Runs the sync service of a data folder as a process of its own, with everything that belongs to it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.crash_report import bugs_reported
from app.domain.errors import Refused, WorldFault
from app.journal_log import start_logging
from app.settings import load_settings
from app.store.processes import vanished
from app.store.sessions import Store
from app.store.sharing import joined_station
from app.sync.leaving import forget_joining
from app.sync.membership import files_key_of, server_url, split_password, station_address
from app.sync.service import SyncService
from app.sync.sole import sole_engine

if TYPE_CHECKING:
    from app.settings import Settings
    from app.sync.attachments.worker import BlobWorker
    from app.sync.server.patience import PatientConnection
    from app.sync.wire import ServerConnection

_PROGRAM = "lineside sync"


def run_service(folder: Path, *, parent: int = 0) -> int:
    """Sync `folder` until a signal ends it, or the process `parent` (0: none) is no more; 0 after a clean end.

    Raises `Refused` where nothing is shared or another process does it already, `WorldFault` for an unusable folder.
    """
    settings = load_settings(folder)
    start_logging(folder / "logs", process="sync", level=settings.log_level, megabytes=settings.log_megabytes)
    with bugs_reported(folder, process="sync"), sole_engine(folder):
        store = Store(folder)
        try:
            _require_joined(folder, store)
            _run(folder, store, settings, vanished(parent) if parent else lambda: False)
        finally:
            store.close()
    return 0


def _require_joined(folder: Path, store: Store) -> None:
    with store.reader() as session:
        joined = joined_station(session) is not None
    if not joined:
        forget_joining(folder)  # its address is why this process was started
        raise Refused("No server is joined, so there is nobody to sync with.")


def _run(folder: Path, store: Store, settings: Settings, ends_when: Callable[[], bool]) -> None:
    from app.sync.attachments.transfers import Transfers
    from app.sync.attachments.worker import BlobLimits, BlobWorker

    services: list[SyncService] = []
    moving = Transfers()
    files = BlobWorker(
        folder,
        lambda: _connect_files(folder, services[0]),
        store,
        lambda step: services[0].show_transfers(moving.after(step)),
        limits=BlobLimits(int(settings.photos_max_gb * 1e9), settings.photos_send_kb * 1024),
        files_key=lambda: files_key_of(folder, station_address(folder)),
    )
    service = SyncService(
        folder,
        store,
        partial(_connect, folder),
        server=split_password(station_address(folder).url)[0],
        wake_files=files.wake,
        fetch_file=files.fetch,
        ends_when=ends_when,
    )
    services.append(service)
    _run_until_told(service, files)


def _run_until_told(service: SyncService, files: BlobWorker) -> None:
    if threading.current_thread() is threading.main_thread():
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: service.stop())
    files.start()
    try:
        service.run()
    finally:
        files.stop()


def _url(folder: Path) -> str:
    """Read anew for each connection: a station that joins again gets other secrets."""
    return server_url(folder, station_address(folder))


def _connect(folder: Path) -> ServerConnection:
    from app.sync.wire import ServerConnection

    return ServerConnection.open(_url(folder), program=_PROGRAM)


def _connect_files(folder: Path, service: SyncService) -> PatientConnection:
    from app.sync.server.address import connect

    if service.works_offline:
        raise WorldFault("Photos and files wait: this station works offline at the moment.")
    return connect(_url(folder), program=f"{_PROGRAM} files")
