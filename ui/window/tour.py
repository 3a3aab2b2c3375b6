"""The demo's tour: drives the real window through every screen, does real work there, leaves pictures and a summary."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select

from app.operations.login import log_in
from app.store.history import FILE_NAME, HistoryReader
from app.store.queries.plant import read_plant
from app.store.tables import ImportRun, Stage
from ui.actions import PLACES
from ui.theme import Density, current_theme
from ui.window.desktop import run_desktop

if TYPE_CHECKING:
    from ui.bridge.desk import Desk
    from ui.widgets.pane import Pane
    from ui.window.desktop import Desktop
    from ui.window.main_window import MainWindow

T = TypeVar("T")

_STEP_SECONDS = 15.0
_SMALL, _LARGE = (1366, 768), (1920, 1080)
"""What a laptop and a control-room screen show."""
_MOVES = 3


@dataclass
class TourSummary:
    """What the tour did, counted in the store and in the history, not by the tour itself."""

    pictures: Path
    values_by_connection: dict[str, int] = field(default_factory=dict)
    alarms_raised: int = 0
    rows_imported: int = 0
    orders_moved: int = 0
    inspections_logged: int = 0
    screens: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        values = ", ".join(
            f"{count:,} from {name}" for name, count in sorted(self.values_by_connection.items())
        )
        return "\n".join(
            (
                f"Values read: {values or 'none'}",
                f"Alarms raised: {self.alarms_raised}",
                f"Rows imported: {self.rows_imported}",
                f"Orders moved: {self.orders_moved}",
                f"Inspections logged: {self.inspections_logged}",
                f"Pictures: {len(self.screens)} in {self.pictures}",
            )
        )


def run_tour(folder: Path, name: str, password: str, pictures: Path, seconds: float) -> TourSummary:
    """Open the window on the furnished `folder`, stay at least `seconds`, and say what happened."""
    tour = Tour(folder, name, password, pictures, seconds)
    run_desktop(folder, demo=tour)
    tour.count()
    return tour.summary


class Tour:
    """One visit. Every step waits for what it needs; a step that fails is noted and the tour goes on."""

    def __init__(self, folder: Path, name: str, password: str, pictures: Path, seconds: float) -> None:
        self.summary = TourSummary(pictures)
        self._folder = folder
        self._name, self._password = name, password
        self._seconds = seconds
        self._started = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def begin(self, desktop: Desktop) -> None:
        """The data of `desktop` is open."""
        self._task = asyncio.get_event_loop().create_task(self._visit(desktop), name="tour")

    async def _visit(self, desktop: Desktop) -> None:
        try:
            await self._picture_of(desktop.login, "00-login")
            await self._enter(desktop)
            await self._see_everything(desktop)
            rest = self._seconds - (time.monotonic() - self._started)
            await asyncio.sleep(max(0.0, rest))
        except Exception as error:  # noqa: BLE001 - the summary says so, and the window must close in any case
            self.summary.failures.append(f"{type(error).__name__}: {error}")
        finally:
            self.summary.failures += desktop.reports.sentences()
            desktop.quit()

    async def _enter(self, desktop: Desktop) -> None:
        assert desktop.desk is not None
        check = partial(log_in, desktop.desk.house.door, self._name, self._password)
        login = await asyncio.get_running_loop().run_in_executor(None, check)
        desktop.enter(login.actor)
        await self._until(lambda: bool(desktop.windows), "the window")

    async def _see_everything(self, desktop: Desktop) -> None:
        window = desktop.windows[0]
        assert desktop.live is not None
        live = desktop.live
        window.resize(*_SMALL)
        steps: list[Callable[[], Any]] = [
            partial(self._move_orders, window),
            partial(self._import_plan, window),
            partial(self._inspect, window),
            partial(self._until, lambda: live.data_age is not None, "live values", 30.0),
            partial(self._tour, window, "light"),
            partial(self._tour_large, window),
            partial(self._tour, window, "dark"),
            partial(self._lock, window),
        ]
        for step in steps:
            try:
                await step()
            except Exception as error:  # noqa: BLE001 - noted; the other steps are still worth doing
                self.summary.failures.append(str(error) or type(error).__name__)

    # -- steps

    async def _move_orders(self, window: MainWindow) -> None:
        pane = self._open(window, "board")
        board: Any = pane
        await self._until(lambda: any(column.cards for column in board.view.columns()), "cards on the board")
        moved = 0
        for column in board.view.columns():
            for card in column.cards:
                if moved == _MOVES:
                    return
                before = self._finished_moves(window.desk)
                board.view.set_current_card(card.key)
                board.actions_set.trigger("board.advance")
                if await self._within(2.0, partial(self._moved_since, window.desk, before)):
                    moved += 1

    def _moved_since(self, desk: Desk, before: int) -> bool:
        return self._finished_moves(desk) > before

    def _finished_moves(self, desk: Desk) -> int:
        return len([outcome for outcome in self._outcomes(desk) if outcome.startswith("Moved")])

    def _outcomes(self, desk: Desk) -> list[str]:
        with desk.house.store.reader() as session:
            from app.store.tables import Audit

            found = select(Audit.sentence).where(Audit.actor == self._name, Audit.outcome == "done")
            return list(session.execute(found).scalars())

    async def _import_plan(self, window: MainWindow) -> None:
        file = self._folder / "Produktionsplan.xlsx"
        await asyncio.get_running_loop().run_in_executor(None, write_plan_workbook, file)
        pane: Any = self._open(window, "import", file)
        await self._until(lambda: pane.plan is not None, "the checked workbook", 30.0)
        await self._picture_of(window, "import-mapped")
        pane.apply()
        await self._until(partial(self._imported, window.desk), "the import", 30.0)
        await self._picture_of(window, "import-done")

    def _imported(self, desk: Desk) -> bool:
        return self._one(desk, select(func.count()).select_from(ImportRun)) > 0

    async def _inspect(self, window: MainWindow) -> None:
        stage_id: UUID | None = self._one(
            window.desk, select(Stage.id).where(Stage.status == "in_progress", ~Stage.deleted).limit(1)
        )
        if stage_id is None:
            return
        self._open(window, "inspections", stage_id)
        await self._settle(window)
        await self._picture_of(window, "inspection-form")

    async def _tour(self, window: MainWindow, scheme: str) -> None:
        current_theme().set_scheme("light" if scheme == "light" else "dark")
        for number, place in enumerate(PLACES, start=1):
            if not window.navigation.allowed(place.key):
                continue
            self._open(window, place.key)
            await self._settle(window)
            await self._picture_of(window, f"{number:02d}-{place.key}-{scheme}")

    async def _tour_large(self, window: MainWindow) -> None:
        window.resize(*_LARGE)
        for place in ("dashboard", "board", "equipment", "charts"):
            self._open(window, place)
            await self._settle(window)
            await self._picture_of(window, f"{place}-light-large")
        current_theme().set_density(Density.TOUCH)
        self._open(window, "inspections")
        await self._settle(window)
        await self._picture_of(window, "inspections-touch")
        current_theme().set_density(Density.DESK)
        window.resize(*_SMALL)

    async def _lock(self, window: MainWindow) -> None:
        window.sessions.lock()
        await self._settle(window)
        await self._picture_of(window, "locked-dark")

    # -- waiting and looking

    def _open(self, window: MainWindow, place: str, argument: object = None) -> Pane:
        pane = window.open_place(place, argument)
        if pane is None:
            raise RuntimeError(f"{place} could not be opened")
        return pane

    async def _settle(self, window: MainWindow) -> None:
        """Until nothing is being read any more and the last paint is done."""
        await asyncio.sleep(0.3)
        await self._within(5.0, lambda: window.desk.tasks.idle)
        await asyncio.sleep(0.2)

    async def _until(self, condition: Callable[[], bool], what: str, seconds: float = _STEP_SECONDS) -> None:
        if not await self._within(seconds, condition):
            raise TimeoutError(f"{what} did not come within {seconds:.0f} s")

    async def _within(self, seconds: float, condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def _picture_of(self, widget: Any, name: str) -> None:
        await asyncio.sleep(0)
        if not widget.grab().save(str(self.summary.pictures / f"{name}.png")):
            raise OSError(f"the picture {name} could not be written")
        self.summary.screens.append(name)

    def _one(self, desk: Desk, statement: Any) -> Any:
        with desk.house.store.reader() as session:
            return session.execute(statement).scalar()

    # -- what it came to

    def count(self) -> None:
        """Count in the store and in the history what the visit left there."""
        from app.plant import opened_house

        with opened_house(self._folder) as house, house.store.reader() as session:
            connections = {tag.name: tag.connection for tag in read_plant(session).tags}
            self._count_rows(session)
        with HistoryReader(self._folder / FILE_NAME) as history:
            self.summary.alarms_raised = history.stats().alarms
            self.summary.values_by_connection = _count_values(history, connections)
        for name in sorted(set(connections.values())):
            if not self.summary.values_by_connection.get(name):
                self.summary.failures.append(f"no value came from {name}")
