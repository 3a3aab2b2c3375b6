"""A planner drops a workbook with twenty bad cells: each is named, mended in place, and all of it is one undo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from sqlalchemy import func, select

from app.domain.people import THE_PLANT, Actor, Role
from app.operations.people import create_first_admin
from app.plant import House, opened_house
from app.store.journal import first_broken_line
from app.store.tables import Stage, WorkOrder
from app.store.workbooks import read_workbook, write_workbook
from ui.bridge.desk import Desk
from ui.screens.imports import ImportScreen
from ui.tasks import Tasks
from ui.theme import Theme, install_theme

HEADERS = ("Order no", "Product", "Qty", "Priority", "Start", "Due date", "Status")
# Where the bad cell is, what stands in it, and what the planner types instead.
PLANTED: dict[str, tuple[object, str]] = {
    "C4": ("4O", "40"),
    "C6": ("4O", "40"),
    "C8": ("-5", "5"),
    "C10": ("0", "10"),
    "C12": ("a few", "3"),
    "C14": ("2.5", "2"),
    "B5": ("", "FRAME-X"),
    "B7": ("", "FRAME-Y"),
    "D9": ("hihg", "high"),
    "D11": ("whenever", "low"),
    "D13": ("soonish", "normal"),
    "E15": ("31.02.2026", "28.02.2026"),
    "E17": ("never", "01.05.2026"),
    "F16": ("32.05.2026", "31.05.2026"),
    "F18": ("next week", "20.05.2026"),
    "F20": ("01.04.2026", "28.05.2026"),
    "G19": ("dnoe it", "done"),
    "G21": ("perhaps", "planned"),
    "A23": ("WO-022", "WO-122"),
    "A25": ("WO-022", "WO-124"),
}
ROWS = 60


@pytest.fixture
def house(data_dir: Path) -> Iterator[House]:
    with opened_house(data_dir) as opened:
        yield opened


@pytest.fixture
def desk(qtbot: QtBot, qapp: object, house: House) -> Iterator[Desk]:
    if Theme.installed is None:
        install_theme(qapp, "light")  # type: ignore[arg-type]  # pytest-qt types the application as object here
    user_id = house.door.perform(create_first_admin(name="Ada", password="a quiet winter"), THE_PLANT).result
    tasks = Tasks()
    made = Desk(house, tasks)
    made.set_actor(Actor(user_id, "Ada", Role.ADMIN))
    yield made
    qtbot.waitUntil(lambda: tasks.idle, timeout=10_000)
    made.close()
    tasks.close()
    made.deleteLater()
    tasks.deleteLater()


def planted_workbook(folder: Path) -> Path:
    rows: list[list[object]] = []
    for number in range(2, ROWS + 2):
        row: list[object] = [
            f"WO-{number:03d}",
            f"FRAME-{number % 4}",
            number,
            "normal",
            "04.05.2026",
            f"{number % 15 + 13}.05.2026",
            "planned",
        ]
        for cell, (bad, _) in PLANTED.items():
            if int(cell[1:]) == number:
                row["ABCDEFG".index(cell[0])] = bad
        rows.append(row)
    path = folder / "Plan of May.xlsx"
    write_workbook(path, [("Plan", HEADERS, rows)])
    return path


def counted(house: House) -> tuple[int, int]:
    with house.store.reader() as session:
        orders, stages = (
            session.execute(select(func.count()).select_from(table).where(~table.deleted)).scalar_one()
            for table in (WorkOrder, Stage)
        )
    return orders, stages


def test_twenty_bad_cells_are_named_mended_imported_at_once_and_taken_back_at_once(
    qtbot: QtBot, desk: Desk, house: House, tmp_path: Path
) -> None:
    screen = ImportScreen(desk)
    qtbot.addWidget(screen)
    screen.resize(1280, 760)
    screen.show()
    screen.open_with(planted_workbook(tmp_path))
    qtbot.waitUntil(lambda: screen.work.draft is not None, timeout=15_000)
    assert screen.work.draft is not None

    errors = screen.work.draft.plan.errors
    assert {error.cell for error in errors} == set(PLANTED)
    assert len(errors) == len(PLANTED) == 20
    assert all(
        error.sheet == "Plan" and error.column and error.expected and error.sentence for error in errors
    )

    screen.write_errors(str(tmp_path / "errors.xlsx"))
    qtbot.waitUntil(lambda: "written" in screen.banner.text(), timeout=5000)
    assert len(read_workbook(tmp_path / "errors.xlsx").sheets[0].rows) == 21

    screen.actions_set.trigger("import.apply")
    assert counted(house) == (0, 0)

    alike = next(place for place, error in enumerate(errors) if error.cell == "C4")
    screen.fix.table.selectRow(alike)
    with qtbot.waitSignal(screen.work.drafted, timeout=5000):
        screen.fix.alike.click()
    assert screen.fix.model.rowCount() == 18

    while (error := screen.fix.current()) is not None:
        row = screen.fix.table.currentIndex().row()
        with qtbot.waitSignal(screen.work.drafted, timeout=5000):
            screen.fix.model.setData(screen.fix.model.index(row, 2), PLANTED[error.cell][1])

    with qtbot.waitSignal(screen.work.applied, timeout=10_000):
        screen.actions_set.trigger("import.apply")
    assert counted(house) == (ROWS, ROWS * 5)

    screen.apply_page.undo.click()
    qtbot.waitUntil(lambda: counted(house) == (0, 0), timeout=10_000)
    with house.store.reader() as session:
        assert first_broken_line(session) is None
    screen.work.close()
