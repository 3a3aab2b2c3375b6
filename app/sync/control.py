"""What the running sync process of a data folder can be asked by windows and the command line of the same user."""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import structlog

from app.domain.errors import LinesideError, Refused, WorldFault
from app.sync.status import read_status

log = structlog.get_logger(__name__)

Handlers: TypeAlias = Mapping[str, Callable[..., None]]
"""Request → what it does; called on the control's thread with the request's values by name."""
_LONGEST = 4096
_CLIENT_SECONDS = 2.0
_ANSWER_SECONDS = 5.0


class ControlServer:
    """Answers on loopback whoever knows the token of `sync.json`: one line of JSON asks, one answers."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self.token = secrets.token_urlsafe(32)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="sync-control", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port, as they stand in the status."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def stop(self) -> None:
        self._ends.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._ends.is_set():
            try:
                client, _ = self._socket.accept()
            except TimeoutError:
                continue
            with client:
                client.settimeout(_CLIENT_SECONDS)
                try:
                    client.sendall(json.dumps(self._answer(_line(client))).encode() + b"\n")
                except (OSError, ValueError, TypeError) as error:
                    log.info("a request to the sync process made no sense", reason=str(error))

    def _answer(self, line: bytes) -> dict[str, Any]:
        request = json.loads(line)
        if not hmac.compare_digest(str(request.pop("token", "")).encode(), self.token.encode()):
            return {"refused": "This is not the key of the running sync process."}
        try:
            self._handlers[request.pop("ask")](**request)
        except LinesideError as error:
            return {"refused" if isinstance(error, Refused) else "fault": error.sentence}
        except KeyError:
            return {"refused": "The running sync process is of another version; start Lineside again."}
        return {"done": True}


def _line(client: socket.socket) -> bytes:
    told = b""
    while not told.endswith(b"\n"):
        piece = client.recv(_LONGEST)
        if not piece or len(told) > _LONGEST:
            raise ValueError("no whole line came")
        told += piece
    return told


class SyncControl:
    """Asks the sync process of `folder`; each call may take some seconds and raises `WorldFault` where none runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sync_now(self) -> None:
        """Do not wait any longer with the next round or the next try to connect."""
        self._ask("sync_now")

    def work_offline(self, offline: bool) -> None:
        """Leave the server alone until this is taken back."""
        self._ask("work_offline", offline=offline)

    def look_at(self, entity: str, row_id: UUID | None, actor: str = "", editing: bool = False) -> None:
        """Have others see that `actor` has this row open here or edits it, for a minute; None: at none any more."""
        row = None if row_id is None else str(row_id)
        self._ask("look_at", entity=entity, row_id=row, actor=actor, editing=editing)

    def fetch_file(self, sha256: str) -> None:
        """Fetch the bytes of a photo or file before anything else of their kind."""
        self._ask("fetch_file", sha256=sha256)

    def _ask(self, what: str, **values: Any) -> None:
        status = read_status(self._folder)
        if status is None or not status.address:
            raise WorldFault("The sync process does not run on this computer at the moment.")
        host, _, port = status.address.rpartition(":")
        request = json.dumps({"token": status.token, "ask": what, **values}).encode() + b"\n"
        try:
            with socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS) as line:
                line.sendall(request)
                answer = json.loads(_line(line))
        except (OSError, ValueError) as error:
            raise WorldFault("The sync process does not answer; it is started again by itself.") from error
        if "refused" in answer:
            raise Refused(answer["refused"])
        if "fault" in answer:
            raise WorldFault(answer["fault"])
