"""The machines screen: counts by state as filters, tiles by area, and the chosen machine in detail."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPointF, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QStackedWidget, QWidget

from app.domain.equipment import EquipmentState
from app.domain.errors import LinesideError
from app.domain.plant import Plant, Tag
from app.domain.plant_file import parse_plant
from app.operations.plant import apply_plant, set_maintenance
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.bridge.machines import MachineNow
from ui.bridge.rings import Floats
from ui.models import wording
from ui.models.machine_words import STATE_ORDER, key_signals, state_words
from ui.models.write_card import WriteCard
from ui.screens.equipment.chips import StateChips
from ui.screens.equipment.detail import MachineDetail
from ui.screens.equipment.tiles import MachineTiles
from ui.widgets.pane import Pane
from ui.widgets.sparkline import EMPTY
from ui.widgets.states import EmptyState

_NONE_CHOSEN = "Choose a machine first."
_NO_MACHINES = (
    "No machines yet. Connect one: type its address, see its values, give them names and limits. A plant file comes "
    "in with “lineside plant apply FILE.yaml”. To look around first, run “lineside demo”: it brings a simulated plant."
)


class EquipmentScreen(Pane):
    """How every machine is doing, and why."""

    def __init__(self, desk: Desk, live: LiveDesk, parent: QWidget | None = None) -> None:
        super().__init__("equipment", "Machines", parent)
        self._desk, self._live = desk, live
        self.chips = StateChips()
        self.tiles = MachineTiles(self._curve, self.state_of, mark=self._mark)
        self.detail = MachineDetail()
        self.detail.hide()
        self.empty = EmptyState(_NO_MACHINES, "Connect a machine")
        self.actions_set = ActionSet(
            self,
            desk,
            {
                "equipment.chart": self.open_chart,
                "equipment.maintenance": self.toggle_maintenance,
                "equipment.apply": self.choose_plant_file,
                "equipment.write": self.choose_value,
            },
        )
        self._build()
        self.add_filter("machine, area or type", ("machine", "machines")).filter_changed.connect(
            self._filter_changed
        )
        desk.sharing.marks_changed.connect(self.tiles.viewport().update)
        live.ticked.connect(self._on_ticked)
        live.plant_changed.connect(self.refresh)
        live.alarms_changed.connect(self.refresh)
        live.outlook.changed.connect(self.refresh)
        live.collector_changed.connect(self._on_collector)
        self.refresh()

    def _mark(self, code: str) -> str:
        return self._desk.sharing.marks.machine(code)

    def _build(self) -> None:
        self._write_button = self.actions_set.button("equipment.write")
        self._write_button.hide()
        self.add_tool(self._write_button)
        for key in ("equipment.maintenance", "equipment.chart"):
            self.add_tool(self.actions_set.button(key))
        machines = QWidget()
        side_by_side = QHBoxLayout(machines)
        side_by_side.setContentsMargins(0, 0, 0, 0)
        side_by_side.setSpacing(12)
        side_by_side.addWidget(self.tiles, 1)
        side_by_side.addWidget(self.detail)
        self.setFocusProxy(self.tiles)
        self._pages = QStackedWidget()
        self._pages.addWidget(machines)
        self._pages.addWidget(self.empty)
        self.body.addWidget(self.chips)
        self.body.addWidget(self._pages, 1)
        self.chips.changed.connect(self.refresh)
        self.empty.action_requested.connect(self._empty_clicked)
        self.tiles.chosen.connect(self._on_chosen)
        self.tiles.opened.connect(self._on_opened)
        self.tiles.context_requested.connect(self._show_menu)
        self.detail.chart_requested.connect(self._open_tag)

    # -- what is shown -------------------------------------------------------------------------------

    @Slot()
    def refresh(self) -> None:
        """Look at all machines again: after a change of the plant, of a filter, of an alarm."""
        machines = self._live.machines()
        self._pages.setCurrentIndex(0 if self._live.plant.equipment else 1)
        self.chips.setVisible(bool(self._live.plant.equipment))
        self.chips.set_counts(Counter(m.state for m in machines))
        shown = [m for m in machines if self._wanted(m)]
        if [m.equipment.code for m in shown] == self.tiles.codes():
            self.tiles.update_machines(shown)
        else:
            self.tiles.set_machines(shown)
        if self.filter is not None:
            self.filter.set_count(len(shown), len(shown) < len(machines))
        self._show_detail()
        self._show_banner()

    def _wanted(self, machine: MachineNow) -> bool:
        states, words = self.chips.wanted(), self.filter.text().casefold().split() if self.filter else []
        e = machine.equipment
        text = f"{e.code} {e.name} {e.area} {e.type} {machine.state.value}".casefold()
        return (not states or machine.state in states) and all(word in text for word in words)

    @Slot(frozenset)
    def _on_ticked(self, tags: frozenset[str]) -> None:
        """News of some tags: their machines; once a second all of them, for the ages."""
        if not self.isVisible():
            return
        if not tags:
            self.refresh()
            return
        plant = self._live.plant
        codes = {tag.equipment for name in tags if (tag := plant.tag(name)) is not None}
        shown = codes & set(self.tiles.codes())
        self.tiles.update_machines(m for c in shown if (m := self._live.machine(c)) is not None)
        if self.tiles.current in codes:
            self._show_detail()

    def _show_detail(self) -> None:
        machine = self._live.machine(self.tiles.current) if self.tiles.current else None
        self.detail.setVisible(machine is not None)
        for key in ("equipment.chart", "equipment.maintenance"):
            self.actions_set.set_unavailable(key, None if machine else _NONE_CHOSEN)
        self._write_button.setVisible(machine is not None and bool(self._writable()))
        nothing = None if self._writable() else "None of its signals may be written; see Connections, Tags."
        self.actions_set.set_unavailable("equipment.write", nothing if machine else _NONE_CHOSEN)
        if machine is None:
            return
        kept = machine.state is EquipmentState.MAINTENANCE
        self.actions_set.rename(
            "equipment.maintenance", "Back to work" if kept else "Take out for maintenance"
        )
        self.detail.show_machine(
            machine, self.state_of(machine), self._links_of(machine), self._live.outlook.of
        )

    def close_layer(self) -> bool:
        shown = self.detail.isVisible()
        if shown:
            self.tiles.forget_choice()
            self._show_detail()
            self.tiles.setFocus()
        return shown

    def _links_of(self, machine: MachineNow) -> list[str]:
        names = dict.fromkeys(s.tag.connection for s in machine.signals)
        lines = []
        for name in names:
            status = self._live.links.get(name)
            words = "nothing is known of it yet" if status is None else status.sentence
            lines.append(f"{name}: {words}")
        return lines

    def _show_banner(self) -> None:
        state = self._live.collector_state
        if state.live or not self._live.plant.equipment:
            self.banner.show_text("")
            return
        heard = self._live.heard_at
        since = (
            f" Values are those of {wording.moment(heard)}." if heard else " Values are the last stored ones."
        )
        self.banner.show_text(f"{state.sentence}{since}")

    def state_of(self, machine: MachineNow) -> str:
        """The state of a machine and how long it lasts, as far as this window knows."""
        now = self._live.now()
        span = wording.age(machine.since, now)
        return state_words(machine, f"for ≥ {span}" if machine.since_start else f"for {span}", now)

    def _curve(self, tag: str) -> tuple[Floats, Floats]:
        ring = self._live.ring(tag)
        return (EMPTY, EMPTY) if ring is None else ring.view()

    @Slot(object)
    def _on_collector(self, _state: object) -> None:
        self.refresh()

    @Slot(str)
    def _filter_changed(self, _text: str) -> None:
        self.refresh()

    # -- what people do ------------------------------------------------------------------------------

    def open_with(self, argument: object) -> None:
        """A machine's code or name, a state, or words to filter by."""
        words = str(argument)
        state = next((s for s in STATE_ORDER if words in (s.value, f"state:{s.value}")), None)
        known = {e.code for e in self._live.plant.equipment} | {e.name for e in self._live.plant.equipment}
        if state is not None:
            self.chips.want(frozenset({state}))
        elif words in known:
            self.chips.want(frozenset())
            if self.filter is not None:
                self.filter.clear()
            code = next(e.code for e in self._live.plant.equipment if words in (e.code, e.name))
            self.refresh()
            self.tiles.choose(code)
        else:
            super().open_with(argument)

    def open_chart(self) -> None:
        """Charts of the key signals of the chosen machine."""
        machine = self._live.machine(self.tiles.current)
        if machine is not None:
            self.open_requested.emit("charts", [s.tag.name for s in key_signals(machine)])

    @Slot(str)
    def _open_tag(self, tag: str) -> None:
        self.open_requested.emit("charts", tag)

    def toggle_maintenance(self) -> None:
        """Take the chosen machine out for maintenance, or put it back to work."""
        code = self.tiles.current
        if code:
            intent = set_maintenance(equipment=code, in_maintenance=code not in self._live.maintenance)
            self._desk.perform(intent, owner=self)

    @Slot(str)
    def _on_chosen(self, _code: str) -> None:
        self._show_detail()

    @Slot(str)
    def _on_opened(self, _code: str) -> None:
        self.open_chart()

    @Slot(str, QPointF)
    def _show_menu(self, _code: str, at: QPointF) -> None:
        menu = QMenu(self)
        menu.setObjectName("machine-menu")
        for key in ("equipment.chart", "equipment.write", "equipment.maintenance"):
            menu.addAction(self.actions_set.action(key))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at.toPoint())

    def _writable(self) -> list[Tag]:
        """The signals of the chosen machine that may be written."""
        code = self.tiles.current
        return [t for t in self._live.plant.tags if t.equipment == code and t.writing is not None]

    def choose_value(self) -> None:
        """Send a value to the chosen machine, in two steps; of several signals one is chosen first."""
        tags = self._writable()
        if len(tags) == 1:
            self._write(tags[0])
            return
        menu = QMenu(self)
        menu.setObjectName("write-menu")
        for tag in tags:
            menu.addAction(tag.label or tag.name).triggered.connect(partial(self._write, tag))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.mapToGlobal(self.rect().center()))

    def _write(self, tag: Tag, _checked: bool = False) -> None:
        WriteCard(self._desk, self._live, tag, self).show_card()

    # -- a plant file --------------------------------------------------------------------------------

    @Slot()
    def _empty_clicked(self) -> None:
        self.open_requested.emit("machines", None)

    def choose_plant_file(self) -> None:
        """Ask for a plant file and apply it."""
        dialog = QFileDialog(self, "Apply a plant file", "", "Plant files (*.yaml *.yml)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._file_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def _file_chosen(self, name: str) -> None:
        self._desk.tasks.run(
            lambda: _read(Path(name)), self._apply, owner=self, failed=self._not_read, key="plant-file"
        )

    def _apply(self, plant: Plant) -> None:
        self._desk.perform(apply_plant(plant=plant), owner=self)

    def _not_read(self, error: BaseException) -> None:
        if isinstance(error, LinesideError):
            self._desk.refused.emit(error.sentence)
        elif isinstance(error, OSError | UnicodeDecodeError):
            self._desk.refused.emit(f"The file cannot be read: {error}.")
        else:
            self._desk.tasks.unhandled.emit(error)


def _read(path: Path) -> Plant:
    return parse_plant(path.read_text(encoding="utf-8"))
