"""Where a tour stands: the window it drives, the pictures it takes, how it waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtWidgets import QWidget

from ui.window.tour_summary import TourSummary

if TYPE_CHECKING:
    from ui.bridge.live import LiveDesk
    from ui.widgets.pane import Pane
    from ui.window.desktop import Desktop
    from ui.window.main_window import MainWindow

PaneT = TypeVar("PaneT", bound="Pane")
WidgetT = TypeVar("WidgetT", bound=QWidget)

LAPTOP, CONTROL_ROOM, NARROW = (1366, 768), (1920, 1080), (1024, 768)
_PATIENCE = 20.0
_A_MOMENT = 0.15


class Stand:
    """One desktop on a tour; `pictures` are numbered in the order in which they are taken."""

    def __init__(self, desktop: Desktop, summary: TourSummary) -> None:
        self.desktop, self.summary = desktop, summary

    @property
    def window(self) -> MainWindow:
        """The first window; only after somebody has entered."""
        return self.desktop.windows[0]

    @property
    def live(self) -> LiveDesk:
        return self.desktop.inside.live

    async def enter(self, name: str, password: str) -> None:
        """Log somebody in; whoever was at the desk leaves it."""
        check = partial(self.desktop.desk.house.log_in, name, password)
        login = await asyncio.get_running_loop().run_in_executor(None, check)
        self.desktop.enter(login.actor)
        await self.until(lambda: bool(self.desktop.windows), "the window")

    def open(self, place: str, kind: type[PaneT], argument: object = None) -> PaneT:
        """Bring a place to the front."""
        pane = self.window.open_place(place, argument)
        if not isinstance(pane, kind):
            raise TypeError(f"{place} could not be opened")
        return pane

    async def see(self, place: str, name: str, argument: object = None) -> None:
        """Open a place and take its picture."""
        self.window.open_place(place, argument)
        await self.seen(name)

    async def seen(self, name: str, widget: QWidget | None = None) -> None:
        """A picture of the window, or of one widget, when everything has come."""
        await self.settled()
        self.picture(widget or self.window, name)

    def picture(self, widget: QWidget, name: str) -> None:
        """Write a numbered picture; raises OSError when that fails."""
        file = self.summary.pictures / f"{len(self.summary.screens) + 1:02d}-{name}.png"
        if not widget.grab().save(str(file)):
            raise OSError(f"the picture {file} could not be written")
        self.summary.screens.append(file.name)

    async def settled(self) -> None:
        """Until nothing is being read any more and what came was painted."""
        await asyncio.sleep(_A_MOMENT)
        await self.until(lambda: self.window.desk.tasks.idle, "an idle window")
        await asyncio.sleep(_A_MOMENT)

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = _PATIENCE) -> None:
        """Wait for a condition; raises TimeoutError that names `what`."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
            await asyncio.sleep(0.05)

    async def child(self, kind: type[WidgetT], of: QWidget) -> WidgetT:
        """The first widget of that kind inside `of`, as soon as it is there."""
        await self.until(lambda: of.findChild(kind) is not None, kind.__name__)
        found = of.findChild(kind)
        assert found is not None
        return found
