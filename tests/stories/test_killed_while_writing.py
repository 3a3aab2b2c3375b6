"""The program is killed in the middle of its work; what it had confirmed is there, and half a change is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sqlalchemy import func, select

from app.domain.people import THE_PLANT
from app.operations.orders import create_work_order
from app.plant import open_house, opened_house
from app.store.journal import first_broken_line, waiting_changes
from app.store.tables import Audit, Stage, WorkOrder
from tests.operations.shop import open_shop

ROOT = Path(__file__).parents[2]
CONFIRMED = 40


def confirmed_until_killed(folder: Path, enough: int) -> list[str]:
    """The ids that the program confirmed before the hardest of all ends."""
    command = [sys.executable, "-m", "tests.stories.writing_window", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        told = [program.stdout.readline().strip() for _ in range(enough)]
        program.kill()
        told += program.stdout.read().splitlines()
        program.wait(20)
    return [line for line in told if len(line) == 36]


def test_a_program_killed_while_it_writes_loses_nothing_that_it_confirmed(data_dir: Path) -> None:
    with open_shop(data_dir):
        pass
    told = confirmed_until_killed(data_dir, CONFIRMED)
    told += confirmed_until_killed(data_dir, 5)
    assert len(set(told)) >= CONFIRMED + 5
    with opened_house(data_dir) as house, house.store.reader() as session:
        stored = {str(row_id) for row_id in session.execute(select(WorkOrder.id)).scalars()}
        assert set(told) <= stored
        assert first_broken_line(session) is None
        assert waiting_changes(session) == len(stored)
        assert session.execute(select(func.count()).select_from(Audit)).scalar_one() == len(stored)
        stages = select(func.count()).select_from(Stage).group_by(Stage.work_order_id)
        assert set(session.execute(stages).scalars()) == {5}, "no order without its stages"
        numbers = session.execute(select(WorkOrder.number)).scalars().all()
        assert len(set(numbers)) == len(numbers)
    house = open_house(data_dir)
    try:
        house.door.perform(create_work_order(product="AFTER", quantity=1), THE_PLANT)
    finally:
        house.close()
