"""What the palette offers: places, actions of the window and of the screen, and records found by their text."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from PySide6.QtCore import QObject, Signal

from app.store.queries.search import Found, find_records
from ui.actions import SPECS, ActionSet
from ui.bridge.desk import Desk
from ui.widgets.palette import CommandPalette, PaletteItem
from ui.widgets.pane import Pane
from ui.window.navigation import Navigation

PLACE, ACTION, RECORD = "place", "action", "record"


def screen_actions(pane: Pane | None) -> ActionSet | None:
    """The actions of a screen, if it has any."""
    found = getattr(pane, "actions_set", None)
    return found if isinstance(found, ActionSet) else None


class PaletteWiring(QObject):
    """Fills the palette when it opens and does what was chosen."""

    place_chosen = Signal(str, object)

    def __init__(
        self,
        palette: CommandPalette,
        desk: Desk,
        navigation: Navigation,
        actions: ActionSet,
        current: Callable[[], Pane | None],
    ) -> None:
        super().__init__(palette)
        self._palette, self._desk, self._navigation = palette, desk, navigation
        self._actions, self._current = actions, current
        self._found: dict[str, Found] = {}
        palette.query_changed.connect(self._search)
        palette.chosen.connect(self._do)

    def open_palette(self, text: str = "") -> None:
        self._palette.set_items(self.items())
        self._palette.open_palette(text)

    def items(self) -> list[PaletteItem]:
        """Everything that is always there, what belongs to the open screen first."""
        own = screen_actions(self._current())
        pane = self._current()
        items = self._of(own, pane.title if pane else "") if own else []
        items += [
            PaletteItem(f"{PLACE}:{place.key}", f"Go to {place.title}", "Place", f"G {place.letter}")
            for place in self._navigation.allowed_places()
        ]
        return items + self._of(self._actions, "Everywhere")

    def _of(self, actions: ActionSet, hint: str) -> list[PaletteItem]:
        items = []
        keys = actions.keys()
        for key in keys:
            spec, reason = SPECS[key], actions.reason(key)
            if key == "palette":
                continue
            title = actions.action(key).text()  # worded by what it would do now
            items.append(
                PaletteItem(f"{ACTION}:{key}", title, hint, spec.shortcut, reason is None, reason or "")
            )
        return items

    def _search(self, typed: str) -> None:
        self._desk.read(
            lambda session: find_records(session, typed),
            partial(self._take_found, typed),
            owner=self,
            key="search",
        )

    def _take_found(self, typed: str, found: list[Found]) -> None:
        self._found = {f"{RECORD}:{record.place}:{record.id}": record for record in found}
        self._palette.set_found(
            typed, [PaletteItem(key, record.title, record.hint) for key, record in self._found.items()]
        )

    def _do(self, chosen: str) -> None:
        kind, _, rest = chosen.partition(":")
        if kind == PLACE:
            self.place_chosen.emit(rest, None)
        elif kind == RECORD:
            record = self._found.get(chosen)
            if record is not None:
                argument: str | UUID = record.name if record.place == "equipment" else record.id
                self.place_chosen.emit(record.place, argument)
        else:
            own = screen_actions(self._current())
            owns = own.keys() if own is not None else []
            (own if own is not None and rest in owns else self._actions).trigger(rest)
