"""First step of the wizard: which protocol, where the machine is, and how to log in there."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.domain.errors import Refused
from app.domain.plant_file import check_connection
from app.operations.plant_check import check_url
from ui.bridge.machine_talk import ports_here
from ui.screens.machines.connection_form import HELP, build_form, field_of, fill_form, read_form
from ui.screens.machines.draft import PROTOCOLS, Draft
from ui.widgets.fields import ChoiceField
from ui.widgets.form import Form
from ui.widgets.themed import RoleLabel


class AddressPage(QWidget):
    """`submitted` when somebody presses Enter in a field; `shared` says that stations share the machines."""

    submitted = Signal()

    def __init__(self, draft: Draft, *, shared: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._shared = draft, shared
        self._taken: frozenset[str] = frozenset()
        self.protocol = ChoiceField(PROTOCOLS)
        self.protocol.setObjectName("wizard-protocol")
        self.protocol.setAccessibleName("Protocol")
        self.protocol.setMinimumHeight(32)
        self._help = RoleLabel("", "body", "text2")
        self._help.setWordWrap(True)
        self._help.setFixedWidth(320)
        self._help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.form = Form()
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setMaximumWidth(620)
        self._lay_out()
        driver = draft.connection.driver if draft.connection else "opcua"
        self.protocol.set_value(driver)
        self.protocol.currentIndexChanged.connect(self._rebuild)
        self._rebuild()

    def _lay_out(self) -> None:
        choice = QHBoxLayout()
        choice.setContentsMargins(16, 0, 16, 0)
        label = RoleLabel("Protocol", "body", "text2")
        label.setBuddy(self.protocol)
        choice.addWidget(label)
        choice.addSpacing(12)
        choice.addWidget(self.protocol)
        choice.addStretch(1)
        left = QVBoxLayout()
        left.addLayout(choice)
        left.addWidget(self._area, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addLayout(left, 3)
        layout.addSpacing(24)
        layout.addWidget(self._help, 0, Qt.AlignmentFlag.AlignTop)
        layout.addStretch(1)

    def set_taken(self, names: frozenset[str]) -> None:
        """Names that other connections have."""
        self._taken = names

    def focus_first(self) -> None:
        """The cursor where a person begins."""
        self.form.focus_first()

    @property
    def driver(self) -> str:
        """The chosen protocol's driver."""
        return str(self.protocol.value() or "opcua")

    def _rebuild(self) -> None:
        driver = self.driver
        self._help.setText(HELP[driver])
        name = self.form.values().get("name", "")
        self.form = build_form(driver, ports_here() if driver == "modbus-rtu" else [], shared=self._shared)
        self.form.setObjectName("connection-form")
        self.form.submitted.connect(self.submitted)
        present = self._draft.connection
        if present is not None and present.driver == driver:
            fill_form(self.form, present)
        elif name:
            self.form.set_values({"name": name})
        if self._draft.password and "password" in self.form.values():
            self.form.set_values({"password": self._draft.password})
        self._area.setWidget(self.form)

    def take(self) -> bool:
        """Put what the fields say into the draft; False, with the reason beside the field, when it cannot be."""
        self.form.clear_errors()
        try:
            connection = read_form(self.form, self.driver, self._draft.connection)
            if connection.name in self._taken:
                raise Refused(f"There is a connection {connection.name} already.", field="name")
            connection = check_connection(connection)
            check_url(connection)
        except Refused as refusal:
            self.form.set_error(field_of(refusal.field, self.form), _without_place(refusal))
            return False
        self._draft.connection = connection
        password = self.form.values().get("password")
        self._draft.password = str(password) if password else None
        return True


def _without_place(refusal: Refused) -> str:
    """The sentence alone: the field beside it shows where."""
    place = f"{refusal.field}: "
    words = refusal.sentence.removeprefix(place)
    return words[0].upper() + words[1:]
