"""Last step of the wizard: names, machine, unit, scale and limits of the tags, with their values live."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.domain.plant import Connection, Equipment, Plant, Tag
from app.operations.plant_check import address_trouble
from ui.screens.machines.tag_form import TagCard
from ui.screens.machines.tag_table import LiveWords, TagTable, renamed
from ui.widgets.buttons import ActionButton
from ui.widgets.list_view import ListView
from ui.widgets.states import Banner
from ui.widgets.themed import RoleLabel

_HINT = "Edit a cell with F2 or a double click. What you type goes to all selected rows, names and addresses excepted."


class TagsPage(QWidget):
    """`changed` after every edit. `machine` is asked for once, for all rows that have none of their own."""

    changed = Signal()

    def __init__(self, live: LiveWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plant = Plant()
        self._was: tuple[str, ...] = ()
        self.table = TagTable(live, self)
        self.list = ListView()
        self.list.setObjectName("tag-table")
        self.list.setAccessibleName("Tags")
        self.list.setModel(self.table)
        self.list.set_empty("There are no tags here.")
        self.table.selected = self.list.selected_rows
        self.machine = QComboBox()
        self.machine_name = QLineEdit()
        self.details = ActionButton("Alarm and meaning…", icon="bell")
        self.drop_button = ActionButton("Take away", icon="x")
        self.banner = Banner()
        self.banner.hide()
        self.fault = RoleLabel("", "body")
        self._machine_code = ""
        self._lay_out()
        self.table.changed.connect(self._edited)
        self.table.refused.connect(self.banner.show_text)
        self.machine.editTextChanged.connect(self._machine_typed)
        self.details.clicked.connect(self.open_details)
        self.drop_button.clicked.connect(self.drop)

    def _lay_out(self) -> None:
        self.machine.setEditable(True)
        self.machine.setObjectName("wizard-machine")
        self.machine.setAccessibleName("Machine")
        self.machine.setMinimumWidth(180)
        self.machine_name.setObjectName("wizard-machine-name")
        self.machine_name.setAccessibleName("Name of the new machine")
        self.machine_name.setMinimumWidth(260)
        self.machine_name.setPlaceholderText("Name of the new machine")
        self._machine_bar = QWidget()
        bar = QHBoxLayout(self._machine_bar)
        bar.setContentsMargins(0, 0, 0, 0)
        bar.setSpacing(8)
        bar.addWidget(RoleLabel("Machine", "body", "text2"))
        bar.addWidget(self.machine)
        bar.addWidget(self.machine_name, 1)
        for field in (self.machine, self.machine_name):
            field.setMinimumHeight(32)
        head = QHBoxLayout()
        head.addWidget(self._machine_bar, 1)
        head.addStretch(1)
        head.addWidget(self.details)
        head.addWidget(self.drop_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.banner)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.fault)
        layout.addWidget(RoleLabel(_HINT, "meta", "text2"))

    # -- content ---------------------------------------------------------------------------------------

    def show_tags(self, tags: Sequence[Tag], connection: Connection, plant: Plant, machine: str = "") -> None:
        """Fill the table; with `machine` all rows belong to one machine, which may be chosen or made here."""
        self._plant = plant
        self._was = tuple(t.name for t in tags) if not machine else ()
        self.table.trouble_of = partial(self._trouble, connection)
        self._machine_bar.setVisible(bool(machine))
        self.machine.blockSignals(True)
        self.machine.clear()
        self.machine.addItems([e.code for e in plant.equipment])
        self.machine.setEditText(machine)
        self.machine.blockSignals(False)
        self._machine_code = machine
        self.table.set_tags(tags)
        self._show_new_machine()
        self._edited()
        self.list.setCurrentIndex(self.table.index(0, 1))
        self.list.setFocus()

    def _trouble(self, connection: Connection, tag: Tag) -> tuple[str, str] | None:
        words = address_trouble(connection, tag.address)
        if words:
            return "address", words
        other = self._plant.tag(tag.name)
        if other is not None and tag.name not in self._was:
            return "name", f"There is a tag {tag.name} already."
        if not self._is_known(tag.equipment) and tag.equipment != self._machine_code:
            return "equipment", f"There is no machine {tag.equipment}."
        return None

    def _is_known(self, code: str) -> bool:
        return any(e.code == code for e in self._plant.equipment)

    def tags(self) -> list[Tag]:
        """The tags to save."""
        return self.table.tags()

    def removed(self) -> list[str]:
        """Names of shown tags that were there and are taken away or have another name now."""
        kept = {t.name for t in self.table.tags()}
        return [name for name in self._was if name not in kept]

    def new_machines(self) -> list[Equipment]:
        """The machine that was made here, if any tag belongs to it."""
        code = self._machine_code
        if self._is_known(code) or not any(t.equipment == code for t in self.table.tags()):
            return []
        return [Equipment(code, self.machine_name.text().strip() or code)]

    def trouble(self) -> str:
        """Why this cannot be saved yet; empty when it can."""
        faults = self.table.faults()
        if faults:
            row, sentence = faults[0]
            return f"Row {row + 1}: {sentence}"
        if not self._machine_code and not self._machine_bar.isHidden():
            return "Say which machine these values belong to."
        return ""

    # -- acts ------------------------------------------------------------------------------------------

    def _edited(self) -> None:
        self.banner.show_text("")
        self.fault.setText(self.trouble())
        self.changed.emit()

    def _machine_typed(self, text: str) -> None:
        code = text.strip()
        was, self._machine_code = self._machine_code, code
        self._show_new_machine()
        if code and code != was:
            self.table.put_tags(renamed(self.table.tags(), was, code))
        else:
            self._edited()

    def _show_new_machine(self) -> None:
        self.machine_name.setVisible(bool(self._machine_code) and not self._is_known(self._machine_code))

    def open_details(self) -> None:
        """Everything about the tag that has the focus."""
        row = self.list.currentIndex().row()
        if row < 0:
            return
        card = TagCard(self.table.tags()[row], self)
        card.taken.connect(partial(self._take_details, row))
        card.show_card()
        card.form.focus_first()

    def _take_details(self, row: int, tag: Tag) -> None:
        self.table.put_tags({row: tag})

    def drop(self) -> None:
        """Take the selected tags away."""
        gone = set(self.list.chosen_rows())
        self.table.set_tags([t for row, t in enumerate(self.table.tags()) if row not in gone])
        self._edited()
