"""The charts screen: pick signals, see them live, zoom while they stream, go back in time, measure and compare."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.domain.plant import Tag
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.bridge.live import CollectorState, LiveDesk
from ui.models import wording
from ui.models.compared import Comparison
from ui.models.curves import CurveSource
from ui.models.tag_list import TagList
from ui.screens.charts.comparing import CompareMenu
from ui.screens.charts.cursor_panel import CursorPanel
from ui.screens.charts.events import EventLayer
from ui.screens.charts.exporting import JOB, ChartExport
from ui.screens.charts.figures import CursorFigures
from ui.screens.charts.handling import ChartHandling
from ui.screens.charts.keeping import ChartMemory
from ui.screens.charts.picker import TagPicker
from ui.screens.charts.range_control import RangeControl
from ui.screens.charts.range_picker import RangePicker
from ui.screens.charts.stack import ChartStack
from ui.screens.charts.toolbar import chart_menu, fill_tools
from ui.screens.charts.twin import TableTwin
from ui.screens.charts.views import SavedViews
from ui.widgets.pane import Pane
from ui.widgets.states import Banner, EmptyState
from ui.widgets.themed import RoleLabel

_NOTHING_TICKED = "Tick signals on the left to see their curves, or open a machine and press C."
_NO_TAGS = "No signals yet. Connect a machine under Connections, or run the demo."
_LOAD_MS = 120


class ChartsScreen(Pane):
    """Curves of the ticked signals; what a person looked at last is kept for each person."""

    def __init__(self, desk: Desk, live: LiveDesk, parent: QWidget | None = None) -> None:
        super().__init__("charts", "Charts", parent)
        self._desk, self._live = desk, live
        self._curves = CurveSource(live, self)
        self.tags = TagList(self)
        self.picker = TagPicker(self.tags)
        self.range = RangePicker()
        self.stack = ChartStack(live, self._curves)
        self.window_of_time = self.stack.window_of_time
        self.empty = EmptyState(_NOTHING_TICKED, "Connections")
        self.state = RoleLabel("", "meta", "text2")
        self.hint = Banner()
        self.panel = CursorPanel()
        self.twin = TableTwin(self.stack)
        self.events = EventLayer(desk, live, self)
        self.ranges = RangeControl(self.window_of_time, self.range, live.now, self)
        self.memory = ChartMemory(desk, self.tags, self.stack, self.events, self.ranges, self)
        self.views = SavedViews(desk, self.memory.content, self)
        self.compare = CompareMenu(desk, self.window_of_time.range, self)
        self.export = ChartExport(desk, live, self.stack, self)
        self.figures = CursorFigures(desk, live, self.stack, self.panel, self)
        self.handling = ChartHandling(desk, live, self.stack, self.events, self)
        self._frozen_at: datetime | None = None
        self._taken: dict[str, int] = {}
        self._asked_for: list[str] = []
        self._restored = False
        self.actions_set = ActionSet(self, desk, self._handlers())
        self._load_soon = QTimer(self, singleShot=True, interval=_LOAD_MS)
        self._load_soon.timeout.connect(self.stack.load)
        self._build()
        self._connect()
        self._on_plant()

    def _handlers(self) -> dict[str, Any]:
        window, handling = self.window_of_time, self.handling
        return {
            "charts.freeze": self.toggle_freeze,
            "charts.live": self.go_live,
            "charts.zoom-in": partial(self._zoom, 1 / 1.6),
            "charts.zoom-out": partial(self._zoom, 1.6),
            "charts.back": window.back,
            "charts.fit": self.fit,
            "charts.home": handling.to_oldest,
            "charts.end": handling.to_newest,
            "charts.range": handling.ask_range,
            "charts.cursor-a": partial(handling.place_cursor, "A"),
            "charts.cursor-b": partial(handling.place_cursor, "B"),
            "charts.no-cursors": window.clear_cursors,
            "charts.compare": partial(self._pop_up, self.compare.menu),
            "charts.events": partial(self._pop_up, self.events.menu),
            "charts.views": partial(self._pop_up, self.views.menu),
            "charts.save-view": self.views.ask_name,
            "charts.event-before": partial(handling.step_event, -1),
            "charts.event-after": partial(handling.step_event, 1),
            "charts.open-event": handling.open_chosen_event,
            "charts.note": handling.ask_note,
            "charts.correct": handling.ask_correction,
            "charts.table": self.toggle_table,
            "charts.multiples": self.toggle_multiples,
            "charts.values": handling.ask_values,
            "charts.up": partial(handling.move_chart, -1),
            "charts.down": partial(handling.move_chart, 1),
            "charts.data": self.export.choose_data_file,
            "charts.picture": self.export.choose_picture_file,
            "charts.copy": self.copy,
            "charts.clear": self.clear,
        }

    def _build(self) -> None:
        self.tools = fill_tools(self)
        self._pages = QStackedWidget()
        for page in (self.stack, self.empty, self.twin):
            self._pages.addWidget(page)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(self.state)
        self.hint.hide()
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addLayout(line)
        column.addWidget(self.hint)
        column.addWidget(self._pages, 1)
        column.addWidget(self.panel)
        side_by_side = QHBoxLayout()
        side_by_side.setSpacing(12)
        side_by_side.addWidget(self.picker)
        side_by_side.addLayout(column, 1)
        self.body.addLayout(side_by_side, 1)
        self.filter = self.picker.filter

    def _connect(self) -> None:
        window = self.window_of_time
        self.tags.ticks_changed.connect(self._on_ticks)
        self.range.custom_wanted.connect(self.handling.ask_range)
        self.empty.action_requested.connect(self._to_machines)
        self.hint.action_requested.connect(self.toggle_multiples)
        self.stack.range_changed.connect(self._on_range)
        self.stack.tags_dropped.connect(self.tags.add)
        self.stack.pins_opened.connect(self.handling.open_pins)
        self.stack.menu_wanted.connect(self._chart_menu)
        window.follow_changed.connect(self._on_follow)
        self.events.changed.connect(self._show_events)
        self.views.opened.connect(self.memory.open)
        self.memory.compared.connect(self.show_comparison)
        self.compare.chosen.connect(self.show_comparison)
        self.export.progressed.connect(partial(self.job_changed.emit, JOB))
        self.export.told.connect(self.banner.show_text)
        self.handling.open_requested.connect(self.open_requested)
        self.handling.told.connect(self.state.setText)
        self._curves.busy.connect(self._on_busy)
        self._curves.failed.connect(self.banner.show_text)
        self._live.ticked.connect(self._on_live_tick)
        self._live.plant_changed.connect(self._on_plant)
        self._live.collector_changed.connect(self._on_collector)
        self._desk.actor_changed.connect(self._on_actor)
        self._desk.changed.connect(self._on_changed)

    # -- what is shown -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the stored curves anew."""
        self._curves.forget_all()
        self.stack.load()

    @Slot(frozenset)
    def _on_changed(self, entities: frozenset[str]) -> None:
        """A correction changes curves that were read before; of a foreign commit nobody says what it touched."""
        if "correction" in entities:
            self.refresh()

    @Slot()
    def _on_plant(self) -> None:
        self.tags.set_plant(self._live.plant)
        if self._live.plant.tags:
            self._restore()
        self._show_page()

    def _to_machines(self) -> None:
        self.open_requested.emit("machines", None)

    def _show_page(self) -> None:
        shown = bool(self.tags.ticked())
        if not shown:
            self._pages.setCurrentWidget(self.empty)
        elif self._pages.currentWidget() is self.empty:
            self._pages.setCurrentWidget(self.stack)
        self.empty.set_text(_NOTHING_TICKED if self._live.plant.tags else _NO_TAGS, "Connections")
        crowded = self.stack.crowded
        self.hint.setVisible(crowded is not None and shown)
        if crowded is not None:
            words = f"More curves of {crowded} than one chart can hold apart. One chart for each is easier to read."
            self.hint.show_text(words, "One chart for each")
        self._tell_actions()

    def _tell_actions(self) -> None:
        reason = None if self.tags.ticked() else "Tick a signal first."
        for key in [*self.actions_set.keys()]:
            if key not in ("charts.views", "charts.events", "charts.live"):
                self.actions_set.set_unavailable(key, reason)
        running = "The charts are live already." if self.window_of_time.following else None
        self.actions_set.set_unavailable("charts.live", reason or running)

    @Slot()
    def _on_ticks(self) -> None:
        self.stack.show_tags(self._chosen())
        self.events.want(self.stack.tags, *self.window_of_time.range())
        self._show_events()
        self.figures.refresh()
        self.twin.show_soon()
        self._show_page()
        self._keep()

    def _chosen(self) -> list[Tag]:
        plant = self._live.plant
        return [tag for name in self.tags.ticked() if (tag := plant.tag(name)) is not None]

    @Slot(frozenset)
    def _on_live_tick(self, touched: frozenset[str]) -> None:
        """Ten times a second the curves with news, at most 30 drawn frames; once a second all of them."""
        if not self.isVisible():
            return
        everything = not touched
        shown = self.tags.ticked()
        if everything or self.window_of_time.following:
            self.stack.mark_dirty(shown if everything else [n for n in shown if n in touched])
        self.stack.tick(self._live.now().timestamp())
        if everything:
            self.stack.load()
        self._say_state()

    def _say_state(self) -> None:
        words = []
        if self._frozen_at is not None:
            span = int((self._live.now() - self._frozen_at).total_seconds())
            points = self.stack.points_since(self._taken)
            words.append(f"frozen {span // 60:02d}:{span % 60:02d} · live +{points:,} points")
        if self.stack.comparison is not None:
            words.append(f"lighter: {self.stack.comparison.words}")
        self.state.setText(" · ".join(words))

    def _show_events(self) -> None:
        self.stack.set_events(self.events.pins())

    @Slot(object)
    def _on_collector(self, state: CollectorState) -> None:
        if state.live:
            self.refresh()
            self.banner.show_text("")
        elif self._live.plant.tags:
            heard = self._live.heard_at
            since = f" Curves end {wording.moment(heard)}." if heard else ""
            self.banner.show_text(f"{state.sentence} Stored curves can still be looked at.{since}")

    @Slot(bool)
    def _on_busy(self, busy: bool) -> None:
        if busy:
            self.loading.start()
        else:
            self.loading.finish()

    # -- range and freezing --------------------------------------------------------------------------

    @Slot(bool)
    def _on_range(self, by_user: bool) -> None:
        self.events.want(self.stack.tags, *self.window_of_time.range())
        if by_user or not self.window_of_time.following:
            self._load_soon.start()
            self.twin.show_soon()

    @Slot(bool)
    def _on_follow(self, follow: bool) -> None:
        if follow:
            self._frozen_at, self._taken = None, {}
        elif self._frozen_at is None:
            self._frozen_at, self._taken = self._live.now(), self.stack.taken()
        self.actions_set.rename("charts.freeze", "Freeze" if follow else "Run on")
        self._tell_actions()
        self._say_state()

    def toggle_freeze(self) -> None:
        """Stop the view, or let it run on from now."""
        if self.window_of_time.following:
            self.window_of_time.freeze()
        else:
            self.go_live()

    def go_live(self) -> None:
        """Run with the newest data."""
        self.window_of_time.run()

    def fit(self) -> None:
        """The range as it was chosen last, all values in view."""
        for key in list(self.stack.value_ranges):
            self.stack.set_value_range(key, None)
        self.go_live()

    def _zoom(self, factor: float) -> None:
        self.window_of_time.zoom(factor)
        self.window_of_time.end_gesture()

    # -- what people do ------------------------------------------------------------------------------

    def open_with(self, argument: object) -> None:
        """A tag, several tags, a machine (its key signals), a saved view's name, or words to filter by."""
        plant = self._live.plant
        names = (
            [argument] if isinstance(argument, str) else list(argument) if isinstance(argument, list) else []
        )
        tags = [name for name in names if plant.tag(name) is not None]
        if not tags and names:
            tags = [t.name for t in plant.tags if t.equipment in names and t.limits]
        if tags:
            self._restored = True
            self.tags.set_ticked(tags)
            self.go_live()
        elif names and not plant.tags:
            self._asked_for = names
        elif isinstance(argument, str) and not self.views.open_named(argument):
            super().open_with(argument)

    def clear(self) -> None:
        """Untick everything."""
        self.tags.set_ticked([])

    def toggle_table(self) -> None:
        """The curves as a table, or as curves again."""
        showing = self._pages.currentWidget() is self.twin
        self._pages.setCurrentWidget(self.stack if showing else self.twin)
        self.actions_set.rename("charts.table", "Curves as a table" if showing else "Table as curves")
        if not showing:
            self.twin.show_now()

    def copy(self) -> None:
        """A picture of the charts to the clipboard; of the table the chosen rows."""
        if self._pages.currentWidget() is self.twin:
            self.twin.list.copy_selection()
        else:
            self.export.copy_picture()

    @Slot()
    def toggle_multiples(self) -> None:
        """One chart for each signal, or one for each unit again."""
        self.stack.multiples = not self.stack.multiples
        self.stack.order = []
        words = "One chart for each unit" if self.stack.multiples else "One chart for each signal"
        self.actions_set.rename("charts.multiples", words)
        self._on_ticks()

    @Slot(object)
    def show_comparison(self, comparison: Comparison | None) -> None:
        """Lay another range under the present one; None takes it away."""
        self.stack.compare(comparison)
        self._say_state()
        self._keep()

    def cancel_job(self, key: str) -> None:
        """Stop the export."""
        if key == JOB:
            self.export.cancel()

    def _pop_up(self, menu: Any) -> None:
        menu.popup(self.tools.mapToGlobal(QPoint(0, self.tools.height())))

    @Slot(str, QPoint)
    def _chart_menu(self, _key: str, where: QPoint) -> None:
        menu = chart_menu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(where)

    # -- kept for each person ------------------------------------------------------------------------

    def _keep(self) -> None:
        if self._restored:
            self.memory.keep()

    def _restore(self) -> None:
        if self._asked_for:
            asked, self._asked_for = self._asked_for, []
            self.open_with(asked)
        if not self._restored:
            self.memory.restore()
            self._restored = True

    @Slot(object)
    def _on_actor(self, actor: object) -> None:
        if actor is not None:
            self.events.restore()
            if self._live.plant.tags:
                self._restored = False
                self._restore()
