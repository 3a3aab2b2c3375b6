"""Shapes tell priorities and states apart without any colour."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot

from tests.ui.widgets.pictures import columns_with, grey, has_colour, painted
from ui.theme import DARK, LIGHT, Theme, Tokens
from ui.widgets.analog_bar import AnalogBar, Limits, paint_analog_bar
from ui.widgets.glyphs import STATES, PriorityGlyph, StateGlyph, paint_priority, paint_state
from ui.widgets.sparkline import paint_sparkline

BOTH = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])


def _silhouette(picture: NDArray[np.float64], background: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(picture - background) > 40)


@BOTH
def test_priorities_and_states_differ_in_greyscale_at_the_smallest_size(theme: Theme, tokens: Tokens) -> None:
    pictures = {}
    for priority in (1, 2, 3, 4):
        for acked in (False, True):
            paint = partial(paint_priority, priority=priority, acked=acked, tokens=tokens)
            pictures[f"P{priority} {acked}"] = grey(painted(paint, 20, tokens.panel))
    for state in STATES:
        pictures[state] = grey(painted(partial(paint_state, state=state, tokens=tokens), 20, tokens.panel))
    same_severity = {("P1 False", "critical"), ("P2 False", "warning")}
    for (one, a), (other, b) in combinations(pictures.items(), 2):
        if (one, other) in same_severity:
            continue
        different = int((np.abs(a - b) > 32).sum())
        assert different >= 20, f"{one} and {other} differ in {different} of 400 pixels"


@BOTH
def test_the_four_priorities_have_four_outlines(theme: Theme, tokens: Tokens) -> None:
    shapes = [
        _silhouette(grey(painted(partial(paint_priority, priority=p, acked=False, tokens=tokens), 40, tokens.panel)),
                    float(grey(painted(lambda *_: None, 1, tokens.panel))[0, 0]))
        for p in (1, 2, 3, 4)
    ]  # fmt: skip
    for one, other in combinations(shapes, 2):
        assert int((one ^ other).sum()) > 100


def test_an_acknowledged_alarm_keeps_its_colour_but_not_its_filling(theme: Theme) -> None:
    solid = painted(partial(paint_priority, priority=1, acked=False), 40, LIGHT.panel)
    outline = painted(partial(paint_priority, priority=1, acked=True), 40, LIGHT.panel)
    red = LIGHT.alarm(1).fill
    assert has_colour(outline, red).any()
    assert has_colour(solid, red).sum() > 3 * has_colour(outline, red).sum()


def test_states_of_a_machine_at_rest_have_no_colour(theme: Theme) -> None:
    for state in ("running", "stopped", "idle", "maintenance", "unknown", "stale"):
        picture = painted(partial(paint_state, state=state), 24, LIGHT.panel).astype(int)
        assert (picture.max(axis=2) - picture.min(axis=2)).max() <= 24, state


def test_an_unknown_state_name_is_an_error(theme: Theme) -> None:
    with pytest.raises(ValueError, match="no glyph"):
        painted(partial(paint_state, state="fine"), 24, LIGHT.panel)


def test_glyph_widgets_say_in_words_what_they_show(theme: Theme, qtbot: QtBot) -> None:
    alarm, state = PriorityGlyph(2, False), StateGlyph("stopped")
    qtbot.addWidget(alarm)
    qtbot.addWidget(state)
    assert alarm.accessibleName() == "high alarm, not acknowledged"
    assert state.accessibleName() == "stopped"
    alarm.set_priority(2, True)
    assert alarm.accessibleName() == "high alarm, acknowledged"


LIMITS = Limits(lolo=10, lo=20, hi=80, hihi=90)


@pytest.mark.parametrize(
    ("value", "priority"),
    [(50, None), (80, 2), (85, 2), (90, 1), (200, 1), (20, 2), (15, 2), (10, 1), (-5, 1)],
)
def test_a_bar_has_colour_only_in_the_segment_that_is_violated(
    theme: Theme, value: float, priority: int | None
) -> None:
    bar = partial(paint_analog_bar, value=value, lo=0, hi=100, limits=LIMITS)
    picture = painted(bar, 200, LIGHT.base)
    for p in (1, 2):
        assert has_colour(picture, LIGHT.alarm(p).fill).any() == (p == priority)


def test_a_stale_or_missing_value_shows_no_alarm_colour(theme: Theme) -> None:
    for value, stale in ((95.0, True), (None, False)):
        bar = partial(paint_analog_bar, value=value, lo=0, hi=100, limits=LIMITS, stale=stale)
        picture = painted(bar, 200, LIGHT.base)
        assert not has_colour(picture, LIGHT.alarm(1).fill).any()


def test_a_bar_without_value_says_so(theme: Theme, qtbot: QtBot) -> None:
    bar = AnalogBar()
    qtbot.addWidget(bar)
    assert bar.accessibleDescription() == "no value"
    bar.set_value(3.5, stale=True)
    assert bar.accessibleDescription() == "3.5, stale"


def test_a_gap_in_the_data_is_a_gap_in_a_sparkline(theme: Theme) -> None:
    t = np.arange(1000, dtype=np.float64)
    y = np.full(1000, 5.0)
    y[400:600] = np.nan
    picture = painted(partial(paint_sparkline, t=t, y=y), 100, LIGHT.base)
    columns = columns_with(picture, LIGHT.series[0])
    assert columns[5:38].all()
    assert not columns[42:58].any()
    assert columns[62:95].all()


def test_a_single_spike_among_many_points_is_seen_in_a_sparkline(theme: Theme) -> None:
    t = np.arange(100_000, dtype=np.float64)
    y = np.zeros(100_000)
    y[50_321] = 10.0
    picture = painted(partial(paint_sparkline, t=t, y=y), 100, LIGHT.base)
    assert has_colour(picture[:8], LIGHT.series[0]).any()


def test_a_sparkline_without_data_paints_words_instead_of_a_line(theme: Theme) -> None:
    nothing = np.empty(0, dtype=np.float64)
    picture = painted(partial(paint_sparkline, t=nothing, y=nothing), 100, LIGHT.base)
    assert (grey(picture) < 200).any()
