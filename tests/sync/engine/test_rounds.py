"""Stations that work together: what one does is shown by the others, also after days apart."""

from __future__ import annotations

from app.operations.orders import create_work_order
from tests.sync.harness import World


def test_what_one_station_does_is_shown_by_the_others(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = one.do(create_work_order(product="FRAME-M", quantity=60)).result
    assert two.row("work_order", order) is None
    one.sync()
    two.sync()
    assert two.row("work_order", order) == one.row("work_order", order)
    world.settle()
    world.check()
