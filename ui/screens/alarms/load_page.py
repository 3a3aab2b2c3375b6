"""How much the alarms ask of people: rates, floods, worst sources, priority mix, each beside its target."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.domain.alarm_load import MIX_TARGET, TARGETS, WINDOW, AlarmLoad, Source
from app.domain.alarms import alarm_words
from app.store.history import HistoryReader
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.text_table import TextColumn, TextTable
from ui.screens.alarms.tables import alarm_table
from ui.widgets.fields import ChoiceField
from ui.widgets.kpi import KpiTile
from ui.widgets.rate_bars import RateBars
from ui.widgets.themed import RoleLabel

_DAYS = (("1", "Last 24 hours"), ("7", "Last 7 days"), ("30", "Last 30 days"))
_COLUMNS = (
    TextColumn("alarm", "Raised most often", 360),
    TextColumn("count", "Raised", 80, number=True),
    TextColumn("share", "Share", 70, number=True),
    TextColumn("chattering", "Chattering", 90, number=True),
    TextColumn("fleeting", "Fleeting", 80, number=True),
    TextColumn("rest", "", 20),
)


def _count(amount: float) -> str:
    return f"{amount:,.1f}" if amount < 10 and amount % 1 else f"{amount:,.0f}"


def _share(amount: float) -> str:
    return f"{100 * amount:.1f} %" if 0 < amount < 0.1 and 1000 * amount % 10 else f"{100 * amount:.0f} %"


# By the name of a figure: its title, its unit, how it is written.
_TILES: dict[str, tuple[str, str, Callable[[float], str]]] = {
    "average_per_window": ("Average load", "in 10 min", _count),
    "average_per_day": ("Average a day", "alarms", _count),
    "peak_hour": ("Busiest hour", "alarms", _count),
    "flood_share": ("Time in flood", "", _share),
    "top_share": ("Ten worst sources", "of all", _share),
    "chattering": ("Chattering", "raisings", _count),
    "fleeting": ("Fleeting", "raisings", _count),
    "standing_per_day": ("Standing over 24 h", "a day", _count),
}


class LoadPage(QWidget):
    """Read anew whenever it is opened or another time is chosen; a tile of the sources leads to the journal."""

    journal_requested = Signal(str)
    failed = Signal(str)

    def __init__(self, desk: Desk, live: LiveDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._live = desk, live
        self._load: AlarmLoad | None = None
        self.days = ChoiceField(_DAYS)
        self.days.setObjectName("load-days")
        self.days.setAccessibleName("Which time")
        self.days.set_value("7")
        self.tiles = {name: KpiTile(title) for name, (title, _, _) in _TILES.items()}
        self.bars = RateBars("alarms in 10 minutes")
        self.mix = RoleLabel()
        self.sources = RoleLabel("", "meta", "text2")
        self.top = TextTable(_COLUMNS, self)
        self.table = alarm_table("alarms-load", self.top)
        self.table.set_empty("No alarm was raised in this time.")
        self._lay_out()
        self.days.currentIndexChanged.connect(self.refresh)
        self.table.activated_row.connect(self._on_activated)
        self.setFocusProxy(self.table)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(8)
        for place, tile in enumerate(self.tiles.values()):
            grid.addWidget(tile, place // 4, place % 4)
            tile.clicked.connect(self._to_journal)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.days)
        head.addWidget(self.mix, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addLayout(grid)
        layout.addWidget(self.bars, 2)
        layout.addWidget(self.table, 3)
        self.sources.setWordWrap(True)
        layout.addWidget(self.sources)
        asked = f"Targets: the rates and the mix are those of {Source.EEMUA.value}, the others are {Source.ISA.value}."
        self.sources.setText(asked)

    @Slot()
    def refresh(self) -> None:
        """Count again."""
        end, path = self._live.now(), self._live.history.path
        start = end - timedelta(days=int(str(self.days.value() or "7")))
        self._desk.tasks.run(
            partial(_counted, path, start, end),
            self._take,
            owner=self,
            key="alarm-load",
            failed=self._not_read,
        )

    def _take(self, load: AlarmLoad) -> None:
        self._load = load
        for name, (_, unit, write) in _TILES.items():
            target = TARGETS[name].amount
            over = load.exceeds(name)
            note = f"{'over' if over else 'within'} the target of {write(target)}"
            self.tiles[name].set_value(write(float(getattr(load, name))), unit, note=note)
        self.bars.set_counts(load.windows, load.start, WINDOW, TARGETS["peak_window"].amount)
        self.mix.setText(_mix_words(load))
        plant = self._live.plant
        self.top.set_rows(
            [
                [
                    alarm_words(s.key, plant),
                    f"{s.count:,}",
                    _share(s.share),
                    f"{s.chattering:,}",
                    f"{s.fleeting:,}",
                    "",
                ]
                for s in load.top
            ]
        )

    def _not_read(self, error: BaseException) -> None:
        self.failed.emit(getattr(error, "sentence", str(error)))

    @Slot()
    def _to_journal(self) -> None:
        self.journal_requested.emit("")

    @Slot(int)
    def _on_activated(self, row: int) -> None:
        if self._load is not None and 0 <= row < len(self._load.top):
            self.journal_requested.emit(self._load.top[row].key)


def _counted(path: Path, start: datetime, end: datetime) -> AlarmLoad:
    """Counted over a file opened for it alone: a month may take seconds, and nobody else shall wait for that."""
    with HistoryReader(path) as history:
        return history.alarm_load(start, end)


def _mix_words(load: AlarmLoad) -> str:
    if not load.mix:
        return f"{load.count:,} alarms"
    shares = " / ".join(f"{100 * load.mix[priority]:.0f}" for priority in MIX_TARGET)
    wanted = " / ".join(f"{100 * share:.0f}" for share in MIX_TARGET.values())
    return f"{load.count:,} alarms · high / medium / low {shares} %, should be about {wanted} %"
