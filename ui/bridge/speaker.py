"""The sounds of the alarm priorities, made as they are played; a PC without a sound output says so once."""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miniaudio import Backend

RATE = 22_050
_FADE = 0.008  # s; an abrupt end clicks
# (pitch in Hz or 0 for silence, seconds): the more urgent, the higher and the more beats.
PATTERNS: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((988, 0.12), (0, 0.05), (988, 0.12), (0, 0.05), (1319, 0.3)),
    2: ((784, 0.18), (0, 0.08), (784, 0.18)),
    3: ((587, 0.25),),
    4: ((440, 0.15),),
}


def waveform(priority: int, volume: float = 0.5) -> array[int]:
    """The pattern of a priority as signed 16-bit mono samples at `RATE`; `volume` from 0 to 1."""
    samples = array("h")
    for pitch, seconds in PATTERNS[priority]:
        count = round(seconds * RATE)
        fade = max(1, round(_FADE * RATE))
        for i in range(count):
            edge = min(1.0, i / fade, (count - 1 - i) / fade)
            samples.append(round(32_000 * volume * edge * math.sin(2 * math.pi * pitch * i / RATE)))
    return samples


class NoSound(OSError):
    """This PC cannot make a sound now; the sentence says what to check."""


class Silence:
    """Makes no sound, for a station that is not to be heard."""

    def play(self, priority: int) -> Future[None]:
        """Over at once."""
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def close(self) -> None:
        """There is nothing to end."""


class Speaker:
    """Plays one pattern at a time on a thread of its own; the device is held only while it sounds.

    Held longer, a headset that is pulled out would leave the alarms silent until the next start.
    """

    def __init__(self, backends: list[Backend] | None = None) -> None:
        self._backends = backends
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sound")
        self._waveforms: dict[int, array[int]] = {}

    def play(self, priority: int) -> Future[None]:
        """Begin to play; the future ends with the sound, or with NoSound."""
        return self._pool.submit(self._play, priority)

    def close(self) -> None:
        """Wait for the running sound, drop the others."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _play(self, priority: int) -> None:
        import miniaudio

        wave = self._waveforms.setdefault(priority, waveform(priority))
        over = threading.Event()
        try:
            device = miniaudio.PlaybackDevice(
                nchannels=1,
                sample_rate=RATE,
                buffersize_msec=60,
                backends=self._backends,
                app_name="Lineside",
            )
        except miniaudio.MiniaudioError as error:
            raise NoSound(
                "Alarms make no sound on this PC: connect a loudspeaker or switch its sound on."
            ) from error
        try:
            device.start(_frames(wave, over))
            over.wait(len(wave) / RATE + 1.0)
        finally:
            device.close()


def _frames(wave: array[int], over: threading.Event) -> Generator[array[int], int, None]:
    """What the sound device asks for, then silence; primed, as the device wants it."""

    def give() -> Generator[array[int], int, None]:
        wanted, at = (yield array("h")), 0
        while True:
            piece = wave[at : at + wanted]
            at += wanted
            if len(piece) < wanted:
                over.set()
                piece = piece + array("h", bytes(2 * (wanted - len(piece))))
            wanted = yield piece

    frames = give()
    next(frames)
    return frames
