"""Third step for Modbus: a stretch of a table with its live raw words, and every way to read the chosen one."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.domain.errors import LinesideError
from app.domain.samples import describe_quality
from ui.bridge.machine_talk import BIT_TABLES, TABLES, MachineTalk, Reading, ways_to_read
from ui.models.machine_words import value_words
from ui.models.text_table import TextColumn, TextTable
from ui.screens.machines.draft import Draft, Pick
from ui.widgets.buttons import ActionButton
from ui.widgets.fields import ChoiceField, WholeField
from ui.widgets.list_view import ListView
from ui.widgets.states import Banner
from ui.widgets.themed import RoleLabel

_EACH_MS = 1000
_WIDEST = 8
_WORDS = (
    TextColumn("address", "Register", 100),
    TextColumn("hex", "Hex", 80),
    TextColumn("value", "As a number", 110, number=True),
    TextColumn("state", "", 160),
)
_WAYS = (TextColumn("address", "Read as", 200), TextColumn("value", "Value now", 140, number=True))


class RegisterPage(QWidget):
    """`changed` when something was chosen."""

    changed = Signal()

    def __init__(self, draft: Draft, talk: MachineTalk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._talk = draft, talk
        self._waiting = False
        self._readings: list[Reading] = []
        self.table = ChoiceField(tuple((key, f"{name}s") for key, name in TABLES.items()))
        self.start_field = WholeField(0, 65_535)
        self.count_field = WholeField(1, 125)
        self.words = TextTable(_WORDS, self)
        self.words_view = ListView()
        self.ways = TextTable(_WAYS, self)
        self.ways_view = ListView()
        self.chosen = TextTable((TextColumn("address", "Chosen", 200),), self)
        self.chosen_view = ListView()
        self.add_button = ActionButton("Choose", icon="plus")
        self.drop_button = ActionButton("Take away", icon="x")
        self.counter = RoleLabel("", "body", "text2")
        self.banner = Banner()
        self.banner.hide()
        self._tick = QTimer(self, interval=_EACH_MS)
        self._tick.timeout.connect(self.read)
        self._set_up()
        self._lay_out()

    def _set_up(self) -> None:
        names = {"register-words": self.words_view, "register-ways": self.ways_view}
        for name, view in {**names, "register-chosen": self.chosen_view}.items():
            view.setObjectName(name)
        self.words_view.setAccessibleName("Raw registers")
        self.ways_view.setAccessibleName("Ways to read the chosen register")
        self.chosen_view.setAccessibleName("Chosen values")
        self.words_view.setModel(self.words)
        self.ways_view.setModel(self.ways)
        self.chosen_view.setModel(self.chosen)
        self.ways_view.set_empty("Choose a register on the left to see every way it can be read.")
        self.chosen_view.set_empty("Nothing chosen yet.")
        self.table.set_value("hr")
        self.table.setAccessibleName("Table")
        self.start_field.setAccessibleName("First register")
        self.count_field.setAccessibleName("How many")
        self.count_field.set_value(20)
        for signal in (
            self.table.currentIndexChanged,
            self.start_field.valueChanged,
            self.count_field.valueChanged,
        ):
            signal.connect(self._moved)
        self.words_view.selectionModel().currentRowChanged.connect(self._show_ways)
        self.ways_view.activated_row.connect(self._choose_row)
        self.add_button.clicked.connect(self.choose)
        self.drop_button.clicked.connect(self.drop)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        asked: tuple[tuple[str, QWidget], ...] = (
            ("Table", self.table), ("from", self.start_field), ("count", self.count_field),
        )  # fmt: skip
        for words, field in asked:
            field.setMinimumHeight(32)
            head.addWidget(RoleLabel(words, "body", "text2"))
            head.addWidget(field)
        head.addStretch(1)
        head.addWidget(self.counter)
        lists = QHBoxLayout()
        lists.setSpacing(12)
        lists.addWidget(self.words_view, 4)
        for view, button in ((self.ways_view, self.add_button), (self.chosen_view, self.drop_button)):
            column = QVBoxLayout()
            column.addWidget(view, 1)
            column.addWidget(button)
            lists.addLayout(column, 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.banner)
        layout.addLayout(lists, 1)

    # -- reading ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to read."""
        assert self._draft.connection is not None
        self.start_field.setMinimum(self._first)
        self.read()
        self._show_chosen()
        self.words_view.setFocus()

    @property
    def _first(self) -> int:
        connection = self._draft.connection
        return 1 if connection is not None and connection.addressing == "one-based" else 0

    def addresses(self) -> list[str]:
        """What is read, one address a row."""
        table, first = str(self.table.value()), self.start_field.value()
        count = min(self.count_field.value(), 65_536 + self._first - first)
        kind = "" if table in BIT_TABLES else ":uint16"
        return [f"{table}:{first + i}{kind}" for i in range(count)]

    def read(self) -> None:
        """Ask for the words on the screen, unless an answer is still awaited."""
        if self._waiting or self._draft.connection is None:
            return
        self._waiting = True
        self._talk.values(self.addresses(), self._take, self._failed, owner=self)

    def _take(self, readings: list[Reading]) -> None:
        self._waiting = False
        if [r.address for r in readings] != self.addresses():
            self.read()
            return
        self.banner.show_text("")
        self._readings = readings
        kept = self.words_view.currentIndex().row()
        self.words.set_rows([_word_row(r) for r in readings])
        self.words_view.setCurrentIndex(self.words.index(min(max(kept, 0), len(readings) - 1), 0))
        self._show_ways()

    def _failed(self, error: BaseException) -> None:
        self._waiting = False
        if not isinstance(error, LinesideError):
            raise error
        self.banner.show_text(error.sentence)

    def _moved(self) -> None:
        self.read()

    # -- choosing --------------------------------------------------------------------------------------

    def _show_ways(self) -> None:
        rows, at = self.ways.rows(), self.ways_view.currentIndex().row()
        kept = rows[at][0] if 0 <= at < len(rows) else ""
        ways = self._ways(self.words_view.currentIndex().row())
        self.ways.set_rows(ways)
        if ways:
            row = next((i for i, (address, _) in enumerate(ways) if address == kept), 0)
            self.ways_view.setCurrentIndex(self.ways.index(row, 0))

    def _ways(self, row: int) -> list[tuple[str, str]]:
        """(address, value in words) of every way to read the register in a row."""
        if not 0 <= row < len(self._readings):
            return []
        reading = self._readings[row]
        if reading.value is None:
            return []
        table, first = str(self.table.value()), self.start_field.value() + row
        if table in BIT_TABLES:
            return [(f"{table}:{first}", value_words(reading.value))]
        words = _unbroken(self._readings[row : row + _WIDEST])
        found = ways_to_read(words, table, first - self._first, one_based=bool(self._first))
        return [(address, value_words(value)) for address, value in found]

    def choose(self) -> None:
        """Take the way that has the focus."""
        for row in self.ways_view.chosen_rows():
            self._choose_row(row)

    def _choose_row(self, row: int) -> None:
        address = self.ways.rows()[row][0]
        self._draft.picks[address] = Pick(address, address.replace(".", " bit "))
        self._show_chosen()

    def drop(self) -> None:
        """Take the chosen value that has the focus away."""
        for address in [self.chosen.rows()[row][0] for row in self.chosen_view.chosen_rows()]:
            self._draft.picks.pop(address, None)
        self._show_chosen()

    def _show_chosen(self) -> None:
        self.chosen.set_rows([(address,) for address in self._draft.picks])
        count = len(self._draft.picks)
        self.counter.setText("1 value chosen" if count == 1 else f"{count:,} values chosen")
        self.changed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tick.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._tick.stop()


def _unbroken(readings: list[Reading]) -> list[int]:
    """The words up to the first that cannot be read."""
    words: list[int] = []
    for reading in readings:
        if not isinstance(reading.value, int):
            break
        words.append(int(reading.value))
    return words


def _word_row(reading: Reading) -> tuple[str, str, str, str]:
    address = reading.address.removesuffix(":uint16")
    if reading.value is None:
        return address, "–", "–", describe_quality(reading.quality)
    raw = "" if isinstance(reading.value, bool) else f"{int(str(reading.value)):04X}"
    return address, raw, value_words(reading.value), ""
