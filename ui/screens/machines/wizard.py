"""From an address to curves in five steps: address, test, choose values, look at them, name them and save."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.domain.errors import Refused
from app.domain.plant import Connection, Plant, Tag
from app.domain.samples import is_bad
from app.operations.change import Outcome
from app.operations.machine_passwords import move_machine_password, set_machine_password
from app.operations.plant import save_machine
from app.store.queries.secrets_place import secrets_place
from ui.bridge.desk import Desk
from ui.bridge.machine_talk import MachineTalk
from ui.models.machine_words import value_words
from ui.screens.machines.address_page import AddressPage
from ui.screens.machines.browse_page import BrowsePage
from ui.screens.machines.draft import Draft, new_tags
from ui.screens.machines.preview import Preview
from ui.screens.machines.preview_page import PreviewPage
from ui.screens.machines.register_page import RegisterPage
from ui.screens.machines.tags_page import TagsPage
from ui.screens.machines.try_page import TryPage
from ui.theme import current_theme
from ui.widgets.buttons import ActionButton
from ui.widgets.states import Banner
from ui.widgets.themed import RoleLabel

ADDRESS, TRY, CHOOSE, LOOK, NAME = range(5)
_STEPS = ("1  Address", "2  Test", "3  Choose values", "4  Look at them", "5  Names and limits")
_NEXT = ("Test the connection", "Choose values", "Look at them", "Name them", "Save")


class Wizard(QWidget):
    """`saved` carries the names of the tags that were made (none for a connection alone); `left` ends it."""

    saved = Signal(list)
    left = Signal()

    def __init__(
        self,
        desk: Desk,
        plant: Plant,
        connection: Connection | None = None,
        *,
        shared: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("machine-wizard")
        self._desk, self._plant = desk, plant
        name = connection.name if connection else ""
        self.draft = Draft(connection, name, known=frozenset(t.address for t in plant.tags_of(name)))
        self.talk = MachineTalk(desk, self.draft.subject)
        self.preview = Preview(self.draft, self.talk, self)
        self.address_page = AddressPage(self.draft, shared=shared)
        self.address_page.set_taken(frozenset(c.name for c in plant.connections) - {name})
        self.try_page = TryPage(self.draft, self.talk)
        self.browse_page = BrowsePage(self.draft, self.talk)
        self.register_page = RegisterPage(self.draft, self.talk)
        self.preview_page = PreviewPage(self.draft, self.preview)
        self.tags_page = TagsPage(self._live_words)
        self.pages = QStackedWidget()
        self.back_button = ActionButton("Back", icon="arrow-left")
        self.save_button = ActionButton("Save the connection")
        self.next_button = ActionButton(_NEXT[0], primary=True)
        self.close_button = ActionButton("Cancel")
        self.banner = Banner()
        self.banner.hide()
        self._labels = [RoleLabel(words, "body", "text2") for words in _STEPS]
        self._saving = False
        self.step = ADDRESS
        self.destroyed.connect(self.talk.close)
        self._lay_out()
        self._connect()
        self.go_to(ADDRESS)

    def _lay_out(self) -> None:
        for page in (
            self.address_page,
            self.try_page,
            self.browse_page,
            self.register_page,
            self.preview_page,
            self.tags_page,
        ):
            self.pages.addWidget(page)
        steps = QHBoxLayout()
        steps.setSpacing(20)
        for label in self._labels:
            steps.addWidget(label)
        steps.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.close_button)
        buttons.addStretch(1)
        for key, button in (
            ("back", self.back_button),
            ("save", self.save_button),
            ("next", self.next_button),
        ):
            button.setObjectName(f"wizard-{key}")
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(steps)
        layout.addWidget(self.banner)
        layout.addWidget(self.pages, 1)
        layout.addLayout(buttons)

    def _connect(self) -> None:
        self.back_button.clicked.connect(self.back)
        self.next_button.clicked.connect(self.next)
        self.close_button.clicked.connect(self.leave)
        self.save_button.clicked.connect(self.save_connection)
        self.address_page.submitted.connect(self.next)
        for page in (self.try_page, self.browse_page, self.register_page, self.tags_page):
            page.changed.connect(self._show_buttons)
        self.preview.ticked.connect(self.tags_page.table.tick)

    # -- going through the steps -----------------------------------------------------------------------

    def go_to(self, step: int) -> None:
        """Show a step and let it begin."""
        self.step = step
        self.banner.show_text("")
        for number, label in enumerate(self._labels):
            label.set_colour("text" if number == step else "text2")
            label.setFont(current_theme().font("strong" if number == step else "body"))
            label.setAccessibleDescription("this step" if number == step else "")
        if step not in (LOOK, NAME):
            self.preview.stop()
        self.pages.setCurrentWidget(self._page(step))
        self._begin(step)
        self.next_button.setText(_NEXT[step])
        self._show_buttons()

    def _page(self, step: int) -> QWidget:
        pages: dict[int, QWidget] = {
            ADDRESS: self.address_page,
            TRY: self.try_page,
            CHOOSE: self.register_page if self._is_modbus() else self.browse_page,
            LOOK: self.preview_page,
            NAME: self.tags_page,
        }
        return pages[step]

    def _is_modbus(self) -> bool:
        connection = self.draft.connection
        return connection is not None and connection.driver.startswith("modbus")

    def _begin(self, step: int) -> None:
        beginnings: dict[int, Callable[[], None]] = {
            ADDRESS: self.address_page.focus_first,
            TRY: self._begin_try,
            CHOOSE: self._begin_choose,
            LOOK: self.preview_page.start,
            NAME: self._begin_name,
        }
        beginnings[step]()

    def _begin_try(self) -> None:
        if not self.try_page.answered:
            self.try_page.start()

    def _begin_choose(self) -> None:
        (self.register_page if self._is_modbus() else self.browse_page).start()

    def _begin_name(self) -> None:
        self.preview.start()
        connection = self.draft.connection
        assert connection is not None
        shown = {t.address: t for t in self.tags_page.tags()}
        machine = self._machine()
        fresh = new_tags(
            self.draft.picks.values(), machine, connection.name, (t.name for t in self._plant.tags)
        )
        tags = [shown.get(tag.address, tag) for tag in fresh]
        self.tags_page.show_tags(tags, connection, self._plant, machine)

    def _machine(self) -> str:
        """The machine that most tags of this connection belong to, else one named after the connection."""
        kept = self.tags_page.machine.currentText().strip()
        if kept:
            return kept
        present = [t.equipment for t in self._plant.tags_of(self.draft.was)]
        if present:
            return max(sorted(set(present)), key=present.count)
        assert self.draft.connection is not None
        return self.draft.connection.name.removesuffix("-plc").upper()

    def next(self) -> None:
        """Go on, if this step is done."""
        if self.blocked():
            return
        if self.step == ADDRESS:
            before = self.draft.connection, self.draft.password
            if not self.address_page.take():
                return
            if before != (self.draft.connection, self.draft.password):
                self._another_machine()
        if self.step == NAME:
            self._save(self.tags_page.tags())
        else:
            self.go_to(self.step + 1)

    def _another_machine(self) -> None:
        self.try_page.answered = False
        self.draft.picks.clear()
        self.browse_page.model.clear()

    def back(self) -> None:
        """One step back; what was entered stays."""
        if self.step > ADDRESS:
            self.go_to(self.step - 1)

    def blocked(self) -> str:
        """Why it does not go on from here yet; empty when it does."""
        if self._saving:
            return "Saving…"
        if self.step == TRY and not self.try_page.answered:
            return "The machine has to answer first."
        if self.step in (CHOOSE, LOOK) and not self.draft.picks:
            return "Choose at least one value."
        if self.step == NAME:
            return self.tags_page.trouble()
        return ""

    def _show_buttons(self) -> None:
        self.back_button.setEnabled(self.step > ADDRESS)
        self.next_button.refuse(self.blocked() or None)
        # A machine that is switched off now may still be described.
        self.save_button.setVisible(self.step == TRY)

    # -- saving ----------------------------------------------------------------------------------------

    def save_connection(self) -> None:
        """Save the connection alone."""
        self._save([])

    def _save(self, tags: list[Tag]) -> None:
        connection = self.draft.connection
        assert connection is not None
        self._saving = True
        self._show_buttons()
        intent = save_machine(
            connection=connection,
            equipment=self.tags_page.new_machines() if tags else (),
            tags=tags,
            connection_was=self.draft.was,
        )

        def done(_outcome: Outcome[Any]) -> None:
            self._keep_password([tag.name for tag in tags])

        self._desk.perform(intent, owner=self, done=done, failed=self._refused)

    def _refused(self, refusal: Refused) -> None:
        self._saving = False
        self.banner.show_text(refusal.sentence)
        self._show_buttons()

    def _keep_password(self, tags: list[str]) -> None:
        """The connection is there; its password goes to the keyring."""
        connection, password, actor = self.draft.connection, self.draft.password, self._desk.actor
        assert connection is not None
        renamed = bool(self.draft.was) and self.draft.was != connection.name
        if actor is None or (password is None and not renamed):
            self._finish(tags)
            return
        house, was = self._desk.house, self.draft.was

        def keep() -> str:
            with house.store.reader() as session:
                place = secrets_place(house.folder, session)
            if renamed:
                move_machine_password(house.door, place, actor, was, connection.name)
            return (
                ""
                if password is None
                else set_machine_password(house.door, place, actor, connection.name, password)
            )

        def done(_sentence: str) -> None:
            self._finish(tags)

        def failed(error: BaseException) -> None:
            self._saving = False
            self.draft.was = connection.name
            self.banner.show_text(getattr(error, "sentence", str(error)))
            self._show_buttons()

        self._desk.tasks.run(keep, done, owner=self, failed=failed)

    def _finish(self, tags: list[str]) -> None:
        self.end()
        self.saved.emit(tags)

    def leave(self) -> None:
        """Go away without saving."""
        self.end()
        self.left.emit()

    def end(self) -> None:
        """Hang up."""
        self.preview.stop()
        self.talk.close()

    # -- small things ----------------------------------------------------------------------------------

    def _live_words(self, tag: Tag) -> str:
        reading = self.preview.latest(tag.address)
        if reading is None or is_bad(reading.quality):
            return "–"
        value = reading.value if tag.scale is None else tag.scale.apply(reading.value, reading.quality)[0]
        return f"{value_words(value)} {tag.unit}".strip()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and (
            event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self.next()
        else:
            super().keyPressEvent(event)
