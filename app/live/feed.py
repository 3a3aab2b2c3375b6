"""Listens to the collector's live stream for desktops and the command line; comes back by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.live.messages import Auth, BrokenStream, Denied, Hello, Message, Poke, Welcome, frame, receive
from app.live.stream import FILE_NAME

_CONNECT_SECONDS = 3.0
_SILENCE_SECONDS = 10.0  # the collector pings each second
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 3.0


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """Whether live values arrive, and if not, why, in one sentence."""

    connected: bool
    sentence: str


class Feed:
    """One listener. Callbacks run on the event loop of `run` and must not block."""

    def __init__(
        self,
        data_dir: Path,
        on_message: Callable[[Message], None],
        on_status: Callable[[FeedStatus], None] | None = None,
    ) -> None:
        self._path = data_dir / FILE_NAME
        self._on_message = on_message
        self._on_status = on_status
        self._writer: asyncio.StreamWriter | None = None
        self._poked = False
        self.status = FeedStatus(False, "The collector is not running.")

    async def run(self) -> None:
        """Listen until cancelled; whenever the stream ends, try again, sooner at first."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._listen()
            except (OSError, EOFError, BrokenStream, TimeoutError):
                sentence = "The connection to the collector is lost."
            except _NotNow as reason:
                sentence = str(reason)
            if self.status.connected:
                pause = _FIRST_PAUSE
            self._tell(FeedStatus(False, sentence))
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    async def _listen(self) -> None:
        port, token = self._where()
        async with asyncio.timeout(_CONNECT_SECONDS):
            incoming, outgoing = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                if not isinstance(await receive(incoming), Hello):
                    raise BrokenStream("no greeting")
                outgoing.write(frame(Auth(token)))
                answer = await receive(incoming)
            if isinstance(answer, Denied):
                raise _NotNow(answer.sentence)
            self._on_message(answer)
            self._writer = outgoing
            if isinstance(answer, Welcome):
                self._tell(FeedStatus(True, "Live."))
            self._send_poke()
            while True:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    self._on_message(await receive(incoming))
        finally:
            self._writer = None
            outgoing.close()
            with suppress(OSError, asyncio.CancelledError):
                await outgoing.wait_closed()

    def _where(self) -> tuple[int, str]:
        """Port and token of the running collector."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return int(found["port"]), str(found["token"])
        except FileNotFoundError:
            raise _NotNow("The collector is not running.") from None
        except (OSError, ValueError, KeyError, TypeError):
            raise _NotNow(
                f"{self._path.name} cannot be read; is the collector running as another user?"
            ) from None

    def poke(self) -> None:
        """Ask the collector to look for changes now; kept until there is a connection."""
        self._poked = True
        self._send_poke()

    def _send_poke(self) -> None:
        if self._poked and self._writer is not None:
            self._poked = False
            self._writer.write(frame(Poke()))

    def _tell(self, status: FeedStatus) -> None:
        if status != self.status:
            self.status = status
            if self._on_status is not None:
                self._on_status(status)


class _NotNow(Exception):
    """There is nobody to listen to, for a reason that can be told."""
