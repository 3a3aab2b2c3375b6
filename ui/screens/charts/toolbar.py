"""The tools above the charts and the menu of each chart: every action by mouse too."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from ui.widgets.buttons import IconButton, MenuButton

if TYPE_CHECKING:
    from ui.screens.charts.screen import ChartsScreen

_LONGEST = 16
_MORE = (
    "charts.table", "charts.multiples", "charts.note", "",
    "charts.cursor-a", "charts.cursor-b", "charts.no-cursors", "charts.correct", "",
    "charts.back", "charts.fit", "charts.home", "charts.end", "charts.range", "",
    "charts.event-before", "charts.event-after", "charts.open-event", "",
    "charts.data", "charts.picture", "charts.copy", "",
    "charts.clear",
)  # fmt: skip
_OF_A_CHART = (
    "charts.note", "charts.cursor-a", "charts.cursor-b", "charts.no-cursors", "charts.correct", "",
    "charts.back", "charts.fit", "charts.values", "",
    "charts.up", "charts.down", "charts.multiples", "charts.table", "",
    "charts.copy", "charts.picture", "charts.data",
)  # fmt: skip


def fill_tools(screen: ChartsScreen) -> QWidget:
    """Put the tools into the title line; returns the widget under which menus open."""
    tools = QWidget()
    layout = QHBoxLayout(tools)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    views = MenuButton("Views", screen.views.menu, "Saved views")
    views.setObjectName("views-button")
    screen.views.renamed.connect(partial(_rename, views))
    actions = screen.actions_set
    longer = IconButton("minus", "Longer time", shortcut="−")
    shorter = IconButton("plus", "Shorter time", shortcut="+")
    longer.clicked.connect(actions.action("charts.zoom-out").trigger)
    shorter.clicked.connect(actions.action("charts.zoom-in").trigger)
    more = MenuButton("More", _menu(screen, "More", _MORE), "More to do with the charts")
    for part in (
        views,
        MenuButton("Compare", screen.compare.menu, "Compare with another time"),
        MenuButton("Events", screen.events.menu, "Which events are shown"),
        more,
        longer,
        screen.range,
        shorter,
        actions.button("charts.freeze"),
        actions.button("charts.live"),
    ):
        layout.addWidget(part)
    screen.add_tool(tools)
    return tools


def chart_menu(screen: ChartsScreen) -> QMenu:
    """The menu of one chart, at the right button of the mouse."""
    return _menu(screen, "Chart", _OF_A_CHART)


def _menu(screen: ChartsScreen, title: str, keys: tuple[str, ...]) -> QMenu:
    menu = QMenu(title, screen)
    for key in keys:
        if key:
            menu.addAction(screen.actions_set.action(key))
        else:
            menu.addSeparator()
    return menu


def _rename(button: MenuButton, name: str) -> None:
    """The name of the open view, shortened to what the line of tools has room for."""
    button.setText("Views" if not name else name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")
    button.setToolTip(f"View: {name}" if name else "")
