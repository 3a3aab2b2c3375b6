"""The import screen: from a dropped file to rows on the list, with the keys alone, and back again."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot
from sqlalchemy import func, select

from app.domain.people import Actor, Role
from app.store.tables import MaintenanceOrder, WorkOrder
from app.store.workbooks import write_workbook
from ui.bridge.desk import Desk
from ui.screens.imports import ImportScreen

HEADERS = ("Auftragsnummer", "Artikelnummer", "Menge", "Priorität", "Liefertermin")
ROWS = [
    ("F-001", "RAHMEN-A", 10, "hoch", "12.03.2026"),
    ("F-002", "RAHMEN-B", 20, "normal", "13.03.2026"),
    ("F-003", "RAHMEN-C", 30, "niedrig", "14.03.2026"),
]


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk) -> Iterator[ImportScreen]:
    made = ImportScreen(desk)
    qtbot.addWidget(made)
    made.resize(1280, 760)
    made.show()
    yield made
    made.work.close()
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)


def workbook(folder: Path, rows: Sequence[tuple[object, ...]], name: str = "Auftraege.xlsx") -> Path:
    path = folder / name
    write_workbook(path, [("Plan", HEADERS, rows)])
    return path


def count(desk: Desk, table: type[WorkOrder] | type[MaintenanceOrder] = WorkOrder) -> int:
    with desk.house.store.reader() as session:
        return session.execute(select(func.count()).select_from(table).where(~table.deleted)).scalar_one()


def opened(qtbot: QtBot, screen: ImportScreen, path: Path) -> None:
    screen.open_with(path)
    qtbot.waitUntil(lambda: screen.work.draft is not None, timeout=15_000)


def imported(qtbot: QtBot, screen: ImportScreen) -> None:
    with qtbot.waitSignal(screen.work.applied, timeout=10_000):
        screen.actions_set.trigger("import.apply")


def test_a_clean_file_goes_from_drop_to_the_list_and_one_undo_takes_it_back(
    qtbot: QtBot, desk: Desk, screen: ImportScreen, tmp_path: Path
) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(workbook(tmp_path, ROWS)))])
    screen.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            mime,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    qtbot.waitUntil(lambda: screen.stack.currentWidget() is screen.apply_page, timeout=15_000)
    imported(qtbot, screen)
    assert count(desk) == 3
    with qtbot.waitSignal(screen.open_requested, timeout=2000) as opened_list:
        screen.apply_page.show_list.click()
    assert opened_list.args == ["orders", ""]
    screen.apply_page.undo.click()
    qtbot.waitUntil(lambda: count(desk) == 0, timeout=5000)
    qtbot.waitUntil(
        lambda: bool(screen.start.model.rows()) and screen.start.model.rows()[0][8] == "undone", timeout=5000
    )


def test_an_error_is_named_by_its_cell_mended_in_place_and_the_rest_is_not_asked_again(
    qtbot: QtBot, desk: Desk, screen: ImportScreen, tmp_path: Path
) -> None:
    opened(qtbot, screen, workbook(tmp_path, [*ROWS, ("F-004", "RAHMEN-D", "4O", "hoch", "15.03.2026")]))
    qtbot.waitUntil(lambda: screen.stack.currentWidget() is screen.fix, timeout=5000)
    assert screen.actions_set.reason("import.apply") is not None
    error = screen.fix.current()
    assert error is not None
    assert error.cell == "C5"
    with qtbot.waitSignal(screen.work.drafted, timeout=5000):
        screen.fix.model.setData(screen.fix.model.index(0, 2), "40")
    assert screen.fix.model.rowCount() == 0
    screen.next()
    imported(qtbot, screen)
    assert count(desk) == 4


def test_a_row_can_be_left_out(qtbot: QtBot, desk: Desk, screen: ImportScreen, tmp_path: Path) -> None:
    opened(qtbot, screen, workbook(tmp_path, [*ROWS, ("F-004", "RAHMEN-D", "many", "hoch", "15.03.2026")]))
    with qtbot.waitSignal(screen.work.drafted, timeout=5000):
        screen.fix.skip_all.click()
    screen.next()
    imported(qtbot, screen)
    assert count(desk) == 3


def test_an_open_question_is_asked_once_and_remembered_for_the_next_file_with_these_headers(
    qtbot: QtBot, desk: Desk, screen: ImportScreen, tmp_path: Path
) -> None:
    rows: list[tuple[object, ...]] = [
        ("F-001", "R", 10, 1, "12.03.2026"),
        ("F-002", "R", 10, 5, "13.03.2026"),
    ]
    opened(qtbot, screen, workbook(tmp_path, rows))
    assert screen.stack.currentWidget() is screen.map
    box = screen.map.questions["levels:priority"]
    with qtbot.waitSignal(screen.work.drafted, timeout=5000):
        screen.work.answer("levels:priority", "last")
    box = screen.map.questions["levels:priority"]
    assert box.currentData() == "last"
    screen.next()
    imported(qtbot, screen)
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)
    screen.leave()
    opened(qtbot, screen, workbook(tmp_path, [("F-003", "R", 10, 5, "12.03.2026")], "naechste.xlsx"))
    assert screen.stack.currentWidget() is screen.apply_page
    assert screen.work.draft is not None
    assert screen.work.draft.plan.rows[0].values["priority"] == 1


def test_mapping_a_column_by_hand_and_going_back_loses_nothing(
    qtbot: QtBot, screen: ImportScreen, tmp_path: Path
) -> None:
    opened(qtbot, screen, workbook(tmp_path, ROWS))
    with qtbot.waitSignal(screen.work.drafted, timeout=5000):
        screen.work.map_column("Liefertermin", "planned_start")
    for _ in range(2):
        screen.back()
    screen.next()
    assert screen.stack.currentWidget() is screen.map
    assert screen.map.fields["Liefertermin"].currentData() == "planned_start"


def test_a_broken_file_gets_one_sentence(qtbot: QtBot, screen: ImportScreen, tmp_path: Path) -> None:
    path = tmp_path / "broken.xlsx"
    path.write_bytes(b"PK\x03\x04 this is no workbook")
    with qtbot.waitSignal(screen.work.failed, timeout=15_000):
        screen.open_with(path)
    assert "broken.xlsx" in screen.banner.text()
    assert screen.stack.currentWidget() is screen.start


def test_a_csv_of_maintenance_comes_in_without_a_question(
    qtbot: QtBot, desk: Desk, screen: ImportScreen, tmp_path: Path
) -> None:
    path = tmp_path / "maintenance.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Title", "Description", "Priority", "Due Date", "Asset", "Assigned To", "Status"])
        writer.writerow(
            ["Grease bearing", "left, then right", "HIGH", "25/03/2026", "PRESS-4", "K. Osei", "Open"]
        )
    opened(qtbot, screen, path)
    screen._show_step(4)
    imported(qtbot, screen)
    assert count(desk, MaintenanceOrder) == 1


def test_whoever_may_not_import_is_told_so(
    qtbot: QtBot, desk: Desk, screen: ImportScreen, as_role: Callable[[Role], Actor], tmp_path: Path
) -> None:
    as_role(Role.OPERATOR)
    with qtbot.waitSignal(desk.refused, timeout=2000) as refused:
        screen.open_with(workbook(tmp_path, ROWS))
    assert "operator" in refused.args[0].lower()
