"""Alarms that nobody acknowledged are heard, the most urgent first, until somebody acts or mutes them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

import miniaudio
import pytest
from pytestqt.qtbot import QtBot

from app.domain.alarms import Limit, Phase, Urgency
from tests.ui.plant import alarm
from ui.bridge.annunciator import Annunciator
from ui.bridge.live import LiveDesk
from ui.bridge.speaker import PATTERNS, RATE, NoSound, Speaker, waveform


class Listener:
    """Hears what would sound."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.fault: OSError | None = None

    def play(self, priority: int) -> Future[None]:
        self.heard.append(priority)
        played: Future[None] = Future()
        if self.fault is None:
            played.set_result(None)
        else:
            played.set_exception(self.fault)
        return played

    def close(self) -> None:
        self.heard.append(0)


@pytest.fixture
def ear() -> Listener:
    return Listener()


@pytest.fixture
def sound(live: LiveDesk, ear: Listener) -> Iterator[Annunciator]:
    made = Annunciator(live, ear, live)
    yield made
    made.stop()


def test_the_most_urgent_unacknowledged_alarm_sounds_until_it_is_acknowledged(
    live: LiveDesk, sound: Annunciator, ear: Listener, qtbot: QtBot
) -> None:
    low, high = alarm("CNC-2/load", priority=3), alarm("CNC-2/vibration", priority=1)
    with qtbot.waitSignal(sound.changed):
        live.take_alarms([low])
    with qtbot.waitSignal(sound.changed):
        live.take_alarms([high])
    assert ear.heard == [3, 1]
    with qtbot.waitSignal(sound.changed):
        live.take_alarms([replace(high, phase=Phase.ACKED)])
    assert sound.sounding == 3
    with qtbot.waitSignal(sound.changed):
        live.take_alarms([replace(low, phase=Phase.SHELVED)])
    assert sound.sounding is None


def test_it_sounds_again_and_again(
    live: LiveDesk, sound: Annunciator, ear: Listener, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("ui.bridge.annunciator", fromlist=["x"]).EVERY_SECONDS, 1, 0.02)
    live.take_alarms([alarm("CNC-2/vibration", priority=1)])
    qtbot.waitUntil(lambda: ear.heard.count(1) >= 3)


def test_a_muted_alarm_that_gets_worse_or_rings_again_is_heard(
    live: LiveDesk, sound: Annunciator, ear: Listener, qtbot: QtBot
) -> None:
    high = alarm("CNC-2/vibration", priority=1, limit=Limit.HI)
    with qtbot.waitSignal(sound.changed):
        live.take_alarms([high])
    sound.mute()
    assert sound.sounding is None
    with qtbot.waitSignal(sound.changed):
        live.take_alarms([replace(high, limit=Limit.HIHI, urgency=Urgency.CRITICAL)])
    assert sound.sounding == 1
    sound.mute()
    with qtbot.waitSignal(live.alarms_changed):
        live.take_alarms([replace(high, phase=Phase.ACKED)])
    with qtbot.waitSignal(sound.changed):
        live.take_alarms([high])
    assert sound.sounding == 1


def test_a_mute_covers_what_sounds_now_and_a_new_alarm_is_heard_all_the_same(
    live: LiveDesk, sound: Annunciator, ear: Listener, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(sound.changed):
        live.take_alarms([alarm("CNC-2/vibration", priority=1)])
    sound.mute()
    assert sound.sounding is None
    assert 110 < sound.muted_seconds <= 120
    with qtbot.waitSignal(sound.changed):
        live.take_alarms([alarm("CNC-2/load", priority=3)])
    assert sound.sounding == 3


def test_a_mute_ends_with_the_alarms_that_it_covered(
    live: LiveDesk, sound: Annunciator, qtbot: QtBot
) -> None:
    raised = alarm("CNC-2/vibration", priority=1)
    with qtbot.waitSignal(sound.changed):
        live.take_alarms([raised])
    sound.mute()
    live.take_alarms([replace(raised, phase=Phase.ACKED)])
    qtbot.waitUntil(lambda: sound.muted_seconds == 0)


def test_diagnostic_alarms_make_no_sound(live: LiveDesk, sound: Annunciator, ear: Listener) -> None:
    live.take_alarms([alarm("CNC-2/load", priority=4)])
    sound.look()
    assert ear.heard == []


def test_a_pc_that_cannot_be_heard_says_so_once_and_takes_it_back(
    live: LiveDesk, sound: Annunciator, ear: Listener, qtbot: QtBot
) -> None:
    told: list[str] = []
    sound.failed.connect(told.append)
    ear.fault = NoSound("no loudspeaker")
    sound.test()
    sound.test()
    qtbot.waitUntil(lambda: told == ["no loudspeaker"])
    ear.fault = None
    sound.test()
    qtbot.waitUntil(lambda: told == ["no loudspeaker", ""])


@pytest.mark.parametrize("priority", PATTERNS)
def test_a_pattern_is_loud_but_never_clipped_and_ends_without_a_click(priority: int) -> None:
    wave = waveform(priority, volume=1.0)
    assert len(wave) == sum(round(seconds * RATE) for _, seconds in PATTERNS[priority])
    assert 30_000 < max(wave) < 32_768
    assert abs(wave[0]) < 100
    assert abs(wave[-1]) < 100


def test_the_speaker_plays_to_the_end_and_lets_go_of_the_device() -> None:
    speaker = Speaker([miniaudio.Backend.NULL])
    try:
        assert speaker.play(3).result(timeout=10) is None
    finally:
        speaker.close()
