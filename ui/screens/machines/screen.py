"""Connections: every machine that is read, how the talk with it goes, and the way to bring in a new one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, Slot
from PySide6.QtWidgets import QFileDialog, QMenu, QStackedWidget, QWidget

from app.domain.errors import LinesideError
from app.domain.plant import Connection, Plant, Tag
from app.domain.plant_file import dump_plant
from app.operations.machine_passwords import set_machine_password
from app.operations.machines import take_over_machine
from app.operations.plant import delete_connection, enable_connection
from app.store.queries.secrets_place import secrets_place
from app.store.queries.station import station_name
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.write_card import WriteCard
from ui.screens.machines.connection_list import ConnectionList, facts_of, takeover_form
from ui.screens.machines.tags_editor import TagsEditor
from ui.screens.machines.wizard import TRY, Wizard
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane
from ui.widgets.states import EmptyState
from ui.widgets.themed import RoleLabel

_NONE_CHOSEN = "Choose a connection first."
_EMPTY = (
    "No machine is connected yet. Five minutes are enough: you need its address – the IP address of the controller, "
    "or the serial port – and perhaps a user and a password."
)
_ON_ONE = ("edit", "test", "browse", "tags", "password", "enable", "takeover", "delete")


class MachinesScreen(Pane):
    """The list of connections; the wizard and the tags take its place while they are open."""

    def __init__(self, desk: Desk, live: LiveDesk, parent: QWidget | None = None) -> None:
        super().__init__("machines", "Connections", parent)
        self._desk, self._live = desk, live
        self.model = ConnectionList(live)
        self.list = ListView()
        self.empty = EmptyState(_EMPTY, "New connection…")
        self.wizard: Wizard | None = None
        self.editor: TagsEditor | None = None
        self._fresh: list[str] = []
        self.station: str | None = None
        self.facts = RoleLabel("", "body", "text2")
        self.facts.setObjectName("connection-facts")
        handlers = {f"machines.{key}": getattr(self, key) for key in (*_ON_ONE, "new", "export")}
        self.actions_set = ActionSet(self, desk, handlers)
        self._build()
        live.ticked.connect(self._on_ticked)
        live.plant_changed.connect(self.refresh)
        live.collector_changed.connect(self._on_collector)
        live.plant_changed.connect(self._ask_station)
        self._ask_station()
        self.refresh()

    def _build(self) -> None:
        self.list.setObjectName("connection-list")
        self.list.setAccessibleName("Connections")
        self.list.setModel(self.model)
        self.list.set_empty("No connection fits the filter.")
        self.list.activated_row.connect(self._activated)
        self.list.selectionModel().currentRowChanged.connect(self._show_actions)
        self.empty.action_requested.connect(self._empty_clicked)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.list)
        self._pages.addWidget(self.empty)
        self.setFocusProxy(self.list)
        self._tool_buttons = [
            self.actions_set.button(f"machines.{key}") for key in ("tags", "browse", "edit", "new")
        ]
        for button in self._tool_buttons:
            self.add_tool(button)
        self.add_filter("name, protocol or address", ("connection", "connections")).filter_changed.connect(
            self._filtered
        )
        self.body.addWidget(self._pages, 1)
        self.facts.setWordWrap(True)
        self.body.addWidget(self.facts)
        self.banner.action_requested.connect(self._show_fresh)
        self.list.context_requested.connect(self._show_menu)

    # -- what is shown ---------------------------------------------------------------------------------

    @Slot()
    def refresh(self) -> None:
        """Look at the connections again."""
        words = self.filter.text() if self.filter is not None else ""
        self.model.refresh(words)
        if self.filter is not None:
            shown, all_of_them = len(self.model.rows), len(self._live.plant.connections)
            self.filter.set_count(shown, shown < all_of_them)
        if self._pages.currentWidget() in (self.list, self.empty):
            self._pages.setCurrentWidget(self.list if self._live.plant.connections else self.empty)
        if self.model.rows and not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(self.model.index(0, 0))
        self._show_actions()

    @Slot(frozenset)
    def _on_ticked(self, tags: frozenset[str]) -> None:
        if not tags and self.isVisible():  # once a second
            self.refresh()

    @Slot()
    def _ask_station(self) -> None:
        """Which station of a shared server this is: only there people are asked which of them reads a machine."""
        self._desk.read(station_name, self._take_station, owner=self, key="station")

    def _take_station(self, station: str | None) -> None:
        self.station = station

    @Slot(object)
    def _on_collector(self, _state: object) -> None:
        self.refresh()

    @Slot(str)
    def _filtered(self, _text: str) -> None:
        self.refresh()

    def current(self) -> Connection | None:
        """The connection that has the focus."""
        row = self.list.currentIndex().row()
        return self.model.rows[row].connection if 0 <= row < len(self.model.rows) else None

    def _show_actions(self) -> None:
        connection = self.current()
        busy = "Finish or cancel this first." if self.wizard or self.editor else None
        for key in _ON_ONE:
            self.actions_set.set_unavailable(
                f"machines.{key}", busy or (None if connection else _NONE_CHOSEN)
            )
        self.actions_set.set_unavailable("machines.new", busy)
        for part in (*self._tool_buttons, *([self.filter] if self.filter else [])):
            part.setVisible(busy is None and bool(self._live.plant.connections))
        if busy is None and connection is not None:
            self.actions_set.set_unavailable("machines.takeover", self._why_not_take(connection))
        row = next((r for r in self.model.rows if connection and r.connection.name == connection.name), None)
        self.facts.setText(facts_of(row, self._live) if row is not None and busy is None else "")
        self.facts.setVisible(bool(self.facts.text()))
        on = connection is None or connection.enabled
        self.actions_set.rename("machines.enable", "Switch off" if on else "Switch on")

    # -- the wizard ------------------------------------------------------------------------------------

    def new(self) -> None:
        """Begin with an address."""
        self._open_wizard(None)

    def edit(self) -> None:
        """Change the address or the login of a connection."""
        self._open_wizard(self.current())

    def test(self) -> None:
        """Call the machine and say what comes back."""
        self._open_wizard(self.current())
        if self.wizard is not None:
            self.wizard.go_to(TRY)

    def browse(self) -> None:
        """Add tags of a connection that is there."""
        self.test()

    def _open_wizard(self, connection: Connection | None) -> None:
        wizard = self.wizard = Wizard(
            self._desk, self._live.plant, connection, shared=self.station is not None
        )
        wizard.saved.connect(self._saved)
        wizard.left.connect(self._back_to_list)
        self._show_instead(wizard)

    def _show_instead(self, page: QWidget) -> None:
        self._pages.addWidget(page)
        self._pages.setCurrentWidget(page)
        self._show_actions()

    @Slot(list)
    def _saved(self, tags: list[str]) -> None:
        self._back_to_list()
        if tags:
            self.banner.show_text(
                f"{len(tags)} tags are saved and will be read from now on."
                if len(tags) > 1
                else "1 tag is saved.",
                "Show on a chart",
            )
            self._fresh = tags[:8]

    @Slot()
    def _back_to_list(self) -> None:
        for page in (self.wizard, self.editor):
            if page is not None:
                self._pages.removeWidget(page)
                page.deleteLater()
        self.wizard = self.editor = None
        self._pages.setCurrentWidget(self.list)
        self.refresh()
        self.list.setFocus()

    @Slot()
    def _show_fresh(self) -> None:
        """Curves of what was just saved."""
        self.banner.show_text("")
        self.open_requested.emit("charts", self._fresh)

    def tags(self) -> None:
        """Names, limits and alarms of the tags of a connection."""
        connection = self.current()
        if connection is None:
            return
        editor = self.editor = TagsEditor(self._desk, self._live, connection)
        editor.left.connect(self._back_to_list)
        editor.write_requested.connect(self.write)
        editor.more_requested.connect(self._more_tags)
        self._show_instead(editor)

    @Slot()
    def _more_tags(self) -> None:
        self._back_to_list()
        self.browse()

    @Slot(object)
    def write(self, tag: Tag) -> None:
        """Send a value to the machine, in two steps."""
        WriteCard(self._desk, self._live, tag, self).show_card()

    # -- single acts -----------------------------------------------------------------------------------

    def enable(self) -> None:
        """Read a machine again, or leave it alone."""
        connection = self.current()
        if connection is not None:
            intent = enable_connection(connection=connection.name, enabled=not connection.enabled)
            self._desk.perform(intent, owner=self)

    def delete(self) -> None:
        """Take a connection and its tags away; the undo bar brings both back."""
        connection = self.current()
        if connection is not None:
            self._desk.perform(delete_connection(connection=connection.name), owner=self)

    def password(self) -> None:
        """Ask for the password of the connection's user; it goes to the keyring."""
        connection = self.current()
        if connection is None:
            return
        form = Form("Keep it")
        form.add_text("password", "Password", secret=True, hint="empty: forget it")
        card = DialogCard(f"Password of {connection.name}", form, self)
        card.setObjectName("card-machine-password")
        form.submitted.connect(partial(self._keep_password, connection.name, form, card))
        form.cancelled.connect(card.close)
        card.show_card()
        form.focus_first()

    def _keep_password(self, name: str, form: Form, card: DialogCard) -> None:
        house, actor, typed = self._desk.house, self._desk.actor, str(form.values()["password"])
        if actor is None:
            return
        who = actor

        def keep() -> str:
            with house.store.reader() as session:
                place = secrets_place(house.folder, session)
            return set_machine_password(house.door, place, who, name, typed)

        def done(sentence: str) -> None:
            card.close()
            self.banner.show_text(sentence)

        def failed(error: BaseException) -> None:
            if not isinstance(error, LinesideError):
                raise error
            form.set_error("password", error.sentence)

        self._desk.tasks.run(keep, done, owner=form, failed=failed)

    def export(self) -> None:
        """Write the whole plant as a plant file."""
        dialog = QFileDialog(self, "Export the plant", "plant.yaml", "Plant files (*.yaml *.yml)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("yaml")
        dialog.fileSelected.connect(self.write_plant_file)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def write_plant_file(self, name: str) -> None:
        """Write the plant that this window knows to a file."""
        plant = replace(self._live.plant)
        self._desk.tasks.run(
            partial(_write, Path(name), plant),
            self._written,
            owner=self,
            failed=self._not_written,
            key="export",
        )

    def _written(self, name: str) -> None:
        self.banner.show_text(f"The plant is in {name}.")

    def _not_written(self, error: BaseException) -> None:
        if not isinstance(error, OSError):
            raise error
        self._desk.refused.emit(f"The file cannot be written: {error.strerror or error}.")

    def _why_not_take(self, connection: Connection) -> str | None:
        link = self._live.links.get(connection.name)
        if connection.takeover == "never":
            return "This machine is set never to change its station."
        return None if link is not None and link.station else "No other station talks to this machine."

    def takeover(self) -> None:
        """Have this station talk to a machine that another one holds."""
        connection = self.current()
        link = None if connection is None else self._live.links.get(connection.name)
        if connection is None or link is None:
            return
        form = takeover_form(link.station)
        card = DialogCard(f"Take over {connection.name}", form, self)
        card.setObjectName("card-takeover")
        form.submitted.connect(partial(self._take_over, connection.name, form, card))
        form.cancelled.connect(card.close)
        card.show_card()
        form.focus_first()

    def _take_over(self, name: str, form: Form, card: DialogCard) -> None:
        intent = take_over_machine(connection=name, reason=str(form.values()["reason"] or ""))
        self._desk.perform(intent, owner=self)
        card.close()

    # -- small things ----------------------------------------------------------------------------------

    @Slot()
    def _empty_clicked(self) -> None:
        self.actions_set.trigger("machines.new")

    @Slot(int)
    def _activated(self, _row: int) -> None:
        self.actions_set.trigger("machines.tags")

    @Slot(int, QPoint)
    def _show_menu(self, _row: int, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setObjectName("connection-menu")
        for key in (*_ON_ONE, "export"):
            menu.addAction(self.actions_set.action(f"machines.{key}"))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def close_layer(self) -> bool:
        if self.wizard is not None:
            self.wizard.leave()
            return True
        return False


def _write(path: Path, plant: Plant) -> str:
    path.write_text(dump_plant(plant), encoding="utf-8")
    return str(path)
