"""The demo's tour: drives the real window through every screen, does real work there, leaves pictures and a summary."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from app.demo.plan_workbook import write_plan_workbook
from app.domain.stages import StageStatus
from app.plant import utc_now
from app.store.tables import ImportRun, Stage
from ui.actions import PLACES
from ui.theme import Density, current_theme
from ui.window import tour_machines
from ui.window.desktop import run_desktop
from ui.window.tour_stand import CONTROL_ROOM, LAPTOP, NARROW, Stand
from ui.window.tour_summary import TourSummary, stored_values

if TYPE_CHECKING:
    from app.crash_report import CrashReport
    from ui.window.desktop import Desktop

_MOVES = 3
_CHARTED_MACHINE = "CNC-2"
_THREE_CURVES = ["CNC-2/vibration", "CNC-2/temperature", "CONV-1/speed"]
Step = Callable[[Stand], Awaitable[None]]


def run_tour(folder: Path, name: str, password: str, pictures: Path, seconds: float) -> TourSummary:
    """Open the window on the furnished `folder`, stay at least `seconds`, and say what happened."""
    began = utc_now()
    before = stored_values(folder)
    tour = Tour(folder, name, password, pictures, seconds)
    run_desktop(folder, demo=tour)
    tour.summary.count(folder, name, began, before)
    return tour.summary


class Tour:
    """One visit. Each step waits for what it needs; a step that fails is noted and the tour goes on."""

    def __init__(self, folder: Path, name: str, password: str, pictures: Path, seconds: float) -> None:
        self.summary = TourSummary(pictures)
        self._folder = folder
        self._name, self._password = name, password
        self._until_at = time.monotonic() + seconds
        self._task: asyncio.Task[None] | None = None

    def begin(self, desktop: Desktop) -> None:
        """The data of `desktop` is open."""
        self._task = asyncio.get_event_loop().create_task(self._visit(desktop), name="tour")

    async def _visit(self, desktop: Desktop) -> None:
        desktop.reports.happened.connect(self._note_crash)
        stand = Stand(desktop, self.summary)
        try:
            stand.picture(desktop.login, "login")
            await stand.enter(self._name, self._password)
            for step in self._steps():
                await self._attempt(step, stand)
            await asyncio.sleep(max(0.0, self._until_at - time.monotonic()))
        except Exception as error:  # noqa: BLE001 - the summary says so, and the window must close in any case
            self.summary.failures.append(f"{type(error).__name__}: {error}")
        finally:
            desktop.quit()

    def _note_crash(self, report: CrashReport) -> None:
        self.summary.failures.append(f"{type(report.error).__name__}: {report.error}")

    async def _attempt(self, step: Step, stand: Stand) -> None:
        try:
            await step(stand)
        except Exception as error:  # noqa: BLE001 - noted; the other steps are still worth doing
            self.summary.failures.append(str(error) or type(error).__name__)

    def _steps(self) -> list[Step]:
        return [
            move_orders,
            partial(import_plan, self._folder / "Produktionsplan.xlsx"),
            open_inspection,
            tour_machines.see_alarms,
            tour_machines.bring_in_a_machine,
            tour_machines.send_a_value,
            tour_machines.measure_curves,
            partial(see_all, "light"),
            partial(see_all, "dark"),
            see_large,
            see_narrow,
            see_touch,
            see_keys,
            lock,
        ]


# -- work in the office


async def move_orders(stand: Stand) -> None:
    """Move a few cards of the board one stage on."""
    from ui.screens.board import BoardScreen

    stand.window.resize(*LAPTOP)
    board = stand.open("board", BoardScreen)
    await stand.until(lambda: any(column.cards for column in board.view.columns()), "cards on the board")
    performed: list[object] = []
    stand.window.desk.performed.connect(performed.append)
    cards = [card.key for column in board.view.columns() for card in column.cards if not card.blocked_reason]
    for card in cards[:_MOVES]:
        already = len(performed)
        board.view.set_current_card(card)
        board.work.advance()
        await stand.until(partial(_is_longer, performed, already), "a moved order")


async def import_plan(file: Path, stand: Stand) -> None:
    """Bring in the planner's workbook."""
    from ui.screens.imports import ImportScreen

    write_plan_workbook(file, stand.window.desk.house.door.clock())
    screen = stand.open("import", ImportScreen)
    screen.open_file(file)
    await stand.until(lambda: screen.work.draft is not None, "the checked workbook")
    await stand.seen("import-checked")
    screen.apply()
    await stand.until(partial(_has_import, stand), "the import")
    await stand.seen("import-done")


def _has_import(stand: Stand) -> bool:
    with stand.window.desk.house.store.reader() as session:
        return session.execute(select(ImportRun.id)).first() is not None


async def open_inspection(stand: Stand) -> None:
    """The form of a stage that is being worked on."""
    running = select(Stage.id).where(Stage.status == StageStatus.IN_PROGRESS, ~Stage.deleted).limit(1)
    with stand.window.desk.house.store.reader() as session:
        stage_id: UUID = session.execute(running).scalar_one()
    await stand.see("inspections", "inspection-form", stage_id)


# -- pictures


async def see_all(scheme: str, stand: Stand) -> None:
    """Every place that this person may go to."""
    current_theme().set_scheme("dark" if scheme == "dark" else "light")
    stand.window.resize(*LAPTOP)
    for place in PLACES:
        if stand.window.navigation.allowed(place.key):
            argument = _CHARTED_MACHINE if place.key == "charts" else None
            await stand.see(place.key, f"{place.key}-{scheme}", argument)


async def see_large(stand: Stand) -> None:
    """What a control room shows."""
    current_theme().set_scheme("light")
    stand.window.resize(*CONTROL_ROOM)
    for place in ("dashboard", "board", "equipment", "alarms", "system"):
        await stand.see(place, f"{place}-large")
    await stand.see("charts", "charts-large", _THREE_CURVES)


async def see_narrow(stand: Stand) -> None:
    """The places with the most buttons, in a window half as wide."""
    stand.window.resize(*NARROW)
    for place in ("equipment", "charts", "alarms", "machines"):
        await stand.see(place, f"{place}-narrow")


async def see_touch(stand: Stand) -> None:
    """What is used with gloves on."""
    stand.window.resize(*LAPTOP)
    current_theme().set_density(Density.TOUCH)
    for place in ("inspections", "equipment", "alarms"):
        await stand.see(place, f"{place}-touch")
    current_theme().set_density(Density.DESK)


async def see_keys(stand: Stand) -> None:
    """The sheet of all keys."""
    from ui.widgets.dialog_card import DialogCard

    stand.window.actions_set.trigger("help")
    card = await stand.child(DialogCard, stand.window)
    await stand.seen("keys", card)
    card.close()


async def lock(stand: Stand) -> None:
    """Nobody is at the desk any more."""
    stand.window.sessions.lock()
    await stand.seen("locked")


def _is_longer(things: list[object], than: int) -> bool:
    return len(things) > than
