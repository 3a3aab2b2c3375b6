"""What a connection did, in figures that do not depend on who asks for them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.drivers.protocol import Reading
from app.live.figures import LinkMeter

T0 = datetime(2026, 3, 4, tzinfo=UTC)


def test_values_a_second_are_the_same_for_everybody_who_asks() -> None:
    meter, told = LinkMeter("plc"), []
    for step in range(
        300
    ):  # ten values each half second; one asks each two seconds, others whenever they like
        at = step / 2
        meter.took([Reading("hr:0", 1.0, 0, T0, T0)] * 10)
        if step % 4 == 0:
            meter.figures(at, None)
        if step > 40 and step % 7 == 0:
            told += [meter.figures(at + late, None).values_per_second for late in (0.0, 0.01, 0.02)]
    assert told == [pytest.approx(20, rel=0.06)] * len(told)


def test_a_link_that_falls_silent_comes_down_to_nothing() -> None:
    meter = LinkMeter("plc")
    meter.figures(0.0, None)
    meter.took([Reading("hr:0", 1.0, 0, T0, T0)] * 40)
    assert meter.figures(4.0, None).values_per_second == 10
    assert meter.figures(15.0, None).values_per_second < 4
    assert meter.figures(30.0, None).values_per_second == 0
