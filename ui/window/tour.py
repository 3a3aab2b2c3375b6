"""The demo's tour: drives the real window through every screen, does real work there, leaves pictures and a summary."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from PySide6.QtWidgets import QWidget
from sqlalchemy import select

from app.demo.plan_workbook import write_plan_workbook
from app.domain.stages import StageStatus
from app.operations.login import log_in
from app.plant import utc_now
from app.store.tables import ImportRun, Stage
from ui.actions import PLACES
from ui.theme import Density, current_theme
from ui.window.desktop import run_desktop
from ui.window.tour_summary import TourSummary

if TYPE_CHECKING:
    from ui.widgets.pane import Pane
    from ui.window.crash import CrashReport
    from ui.window.desktop import Desktop
    from ui.window.main_window import MainWindow

PaneT = TypeVar("PaneT", bound="Pane")

_LAPTOP, _CONTROL_ROOM = (1366, 768), (1920, 1080)
_STEP_SECONDS = 20.0
_MOVES = 3
_CHARTED_MACHINE = "CNC-2"


def run_tour(folder: Path, name: str, password: str, pictures: Path, seconds: float) -> TourSummary:
    """Open the window on the furnished `folder`, stay at least `seconds`, and say what happened."""
    began = utc_now()
    tour = Tour(folder, name, password, pictures, seconds)
    run_desktop(folder, demo=tour)
    tour.summary.count(folder, name, began)
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
        try:
            self._picture(desktop.login, "login")
            await self._enter(desktop)
            for step in self._steps(desktop, desktop.windows[0]):
                await self._attempt(step)
            await asyncio.sleep(max(0.0, self._until_at - time.monotonic()))
        except Exception as error:  # noqa: BLE001 - the summary says so, and the window must close in any case
            self.summary.failures.append(f"{type(error).__name__}: {error}")
        finally:
            desktop.quit()

    def _note_crash(self, report: CrashReport) -> None:
        self.summary.failures.append(f"{type(report.error).__name__}: {report.error}")

    async def _attempt(self, step: Callable[[], Awaitable[None]]) -> None:
        try:
            await step()
        except Exception as error:  # noqa: BLE001 - noted; the other steps are still worth doing
            self.summary.failures.append(str(error) or type(error).__name__)

    async def _enter(self, desktop: Desktop) -> None:
        check = partial(log_in, desktop.inside.desk.house.door, self._name, self._password)
        login = await asyncio.get_running_loop().run_in_executor(None, check)
        desktop.enter(login.actor)
        await self._until(lambda: bool(desktop.windows), "the window")

    def _steps(self, desktop: Desktop, window: MainWindow) -> list[Callable[[], Awaitable[None]]]:
        return [
            partial(self._move_orders, window),
            partial(self._import_plan, window),
            partial(self._open_inspection, window),
            partial(self._acknowledge, desktop, window),
            partial(self._see_all, window, "light"),
            partial(self._see_all, window, "dark"),
            partial(self._see_large, window),
            partial(self._see_touch, window),
            partial(self._lock, window),
        ]

    # -- work

    async def _move_orders(self, window: MainWindow) -> None:
        from ui.screens.board import BoardScreen

        window.resize(*_LAPTOP)
        board = self._open(window, "board", BoardScreen)
        await self._until(lambda: any(column.cards for column in board.view.columns()), "cards on the board")
        performed: list[object] = []
        window.desk.performed.connect(performed.append)
        cards = [
            card.key for column in board.view.columns() for card in column.cards if not card.blocked_reason
        ]
        for card in cards[:_MOVES]:
            already = len(performed)
            board.view.set_current_card(card)
            board.advance()
            await self._until(partial(_is_longer, performed, already), "a moved order")

    async def _import_plan(self, window: MainWindow) -> None:
        from ui.screens.imports import ImportScreen

        file = self._folder / "Produktionsplan.xlsx"
        write_plan_workbook(file, window.desk.house.door.clock())
        screen = self._open(window, "import", ImportScreen)
        screen.open_file(file)
        await self._until(lambda: screen.work.draft is not None, "the checked workbook")
        await self._settled(window)
        self._picture(window, "import-checked")
        screen.apply()
        await self._until(partial(self._has_import, window), "the import")
        await self._settled(window)
        self._picture(window, "import-done")

    def _has_import(self, window: MainWindow) -> bool:
        with window.desk.house.store.reader() as session:
            return session.execute(select(ImportRun.id)).first() is not None

    async def _open_inspection(self, window: MainWindow) -> None:
        running = select(Stage.id).where(Stage.status == StageStatus.IN_PROGRESS, ~Stage.deleted).limit(1)
        with window.desk.house.store.reader() as session:
            stage_id: UUID = session.execute(running).scalar_one()
        window.open_place("inspections", stage_id)
        await self._settled(window)
        self._picture(window, "inspection-form")

    async def _acknowledge(self, desktop: Desktop, window: MainWindow) -> None:
        """The simulated machines overheat within seconds; wait for the first alarm and acknowledge it."""
        from ui.screens.alarms import AlarmsScreen

        live = desktop.inside.live
        await self._until(lambda: any(count.unacked for count in live.alarm_counts.values()), "an alarm")
        screen = self._open(window, "alarms", AlarmsScreen)
        await self._settled(window)
        self._picture(window, "alarm-active")
        screen.select_next_unacked()
        screen.acknowledge()
        await self._settled(window)

    # -- pictures

    async def _see_all(self, window: MainWindow, scheme: str) -> None:
        current_theme().set_scheme("dark" if scheme == "dark" else "light")
        window.resize(*_LAPTOP)
        for place in PLACES:
            if window.navigation.allowed(place.key):
                argument = _CHARTED_MACHINE if place.key == "charts" else None
                await self._see(window, place.key, f"{place.key}-{scheme}", argument)

    async def _see_large(self, window: MainWindow) -> None:
        current_theme().set_scheme("light")
        window.resize(*_CONTROL_ROOM)
        for place in ("dashboard", "board", "equipment"):
            await self._see(window, place, f"{place}-large")
        await self._see(
            window, "charts", "charts-large", ["CNC-2/vibration", "CNC-2/temperature", "CONV-1/speed"]
        )

    async def _see_touch(self, window: MainWindow) -> None:
        window.resize(*_LAPTOP)
        current_theme().set_density(Density.TOUCH)
        await self._see(window, "inspections", "inspections-touch")
        current_theme().set_density(Density.DESK)

    async def _lock(self, window: MainWindow) -> None:
        window.sessions.lock()
        await self._settled(window)
        self._picture(window, "locked")

    async def _see(self, window: MainWindow, place: str, name: str, argument: object = None) -> None:
        window.open_place(place, argument)
        await self._settled(window)
        self._picture(window, name)

    def _picture(self, widget: QWidget, name: str) -> None:
        file = self.summary.pictures / f"{len(self.summary.screens) + 1:02d}-{name}.png"
        if not widget.grab().save(str(file)):
            raise OSError(f"the picture {file} could not be written")
        self.summary.screens.append(file.name)

    # -- waiting

    def _open(self, window: MainWindow, place: str, kind: type[PaneT]) -> PaneT:
        pane = window.open_place(place)
        if not isinstance(pane, kind):
            raise TypeError(f"{place} could not be opened")
        return pane

    async def _settled(self, window: MainWindow) -> None:
        """Until nothing is being read any more and what came was painted."""
        await asyncio.sleep(0.3)
        await self._until(lambda: window.desk.tasks.idle, "an idle window")
        await asyncio.sleep(0.2)

    async def _until(self, condition: Callable[[], bool], what: str, seconds: float = _STEP_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
            await asyncio.sleep(0.05)


def _is_longer(things: list[object], than: int) -> bool:
    return len(things) > than
