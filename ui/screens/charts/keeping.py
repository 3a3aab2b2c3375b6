"""What a person looked at last, and what a saved view holds: taken from the parts of the screen, given back to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from ui.bridge.desk import Desk
from ui.models.preferences import remember, remembered
from ui.models.tag_list import TagList
from ui.screens.charts.arrangement import Arrangement, arrangement_of
from ui.screens.charts.events import EventLayer
from ui.screens.charts.range_control import RangeControl
from ui.screens.charts.stack import ChartStack

_LAST = "charts/last"


class ChartMemory(QObject):
    """`compared` carries the comparison that a view was saved with (None: none)."""

    compared = Signal(object)

    def __init__(
        self,
        desk: Desk,
        tags: TagList,
        stack: ChartStack,
        events: EventLayer,
        ranges: RangeControl,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._desk, self._tags, self._stack = desk, tags, stack
        self._events, self._ranges = events, ranges

    def content(self) -> Mapping[str, Any]:
        """The present arrangement as JSON values."""
        window = self._stack.window_of_time
        start, end = window.range()
        return Arrangement(
            tags=tuple(self._tags.ticked()),
            span=window.span if window.anchor is None else end - start,
            since=self._ranges.since,
            standing=None if window.following else (start, end),
            multiples=self._stack.multiples,
            order=tuple(self._stack.order),
            values=dict(self._stack.value_ranges),
            comparison=self._stack.comparison,
            events=tuple(kind.name for kind in self._events.kinds),
        ).content()

    @Slot(object)
    def open(self, content: Mapping[str, Any]) -> None:
        """Show what a view says; signals that the plant does not have any more are left out."""
        wanted = arrangement_of(content)
        self._stack.multiples, self._stack.order = wanted.multiples, list(wanted.order)
        self._tags.set_ticked(wanted.tags)
        self._stack.show_tags(self._stack.tags)
        for key in {*self._stack.value_ranges, *wanted.values}:
            self._stack.set_value_range(key, wanted.values.get(key))
        if wanted.events:
            self._events.show_kinds(list(wanted.events))
        if wanted.standing is not None:
            self._stack.window_of_time.show(*wanted.standing)
        elif wanted.since:
            self._ranges.show_since(wanted.since)
        else:
            self._ranges.show_span(wanted.span)
        self.compared.emit(wanted.comparison)

    def keep(self) -> None:
        """Remember the present arrangement as what this person looked at last."""
        remember(self._person(), _LAST, json.dumps(self.content()))

    def restore(self) -> None:
        """Show what this person looked at last."""
        kept = remembered(self._person(), _LAST)
        self.open(json.loads(kept) if kept else {})

    def _person(self) -> str:
        return self._desk.actor.name if self._desk.actor is not None else ""
