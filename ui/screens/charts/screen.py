"""The charts screen: pick signals, see them live, zoom while they stream, go back in time."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSettings, QTimer, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStackedWidget, QWidget

from app.domain.plant import Tag
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.bridge.live import CollectorState, LiveDesk
from ui.models import wording
from ui.models.curves import CurveSource
from ui.models.sample_file import write_samples
from ui.models.tag_list import TagList
from ui.screens.charts.picker import RangePicker, TagPicker
from ui.screens.charts.stack import ChartStack
from ui.widgets.chart import EventPin
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form
from ui.widgets.pane import Pane
from ui.widgets.states import EmptyState
from ui.widgets.themed import RoleLabel

_NOTHING_TICKED = "Tick signals on the left to see their curves, or open a machine and press C."
_NO_TAGS = "No signals yet. Apply a plant file under Machines, or run the demo."
_LOAD_MS = 120


class ChartsScreen(Pane):
    """Curves of the ticked signals; the ticks are kept for each person."""

    def __init__(self, desk: Desk, live: LiveDesk, parent: QWidget | None = None) -> None:
        super().__init__("charts", "Charts", parent)
        self._desk, self._live = desk, live
        self._curves = CurveSource(live, self)
        self.tags = TagList(self)
        self.picker = TagPicker(self.tags)
        self.range = RangePicker()
        self.stack = ChartStack(live, self._curves)
        self.empty = EmptyState(_NOTHING_TICKED, "Machines")
        self.state = RoleLabel("", "meta", "text2")
        self._frozen_at: datetime | None = None
        self._taken: dict[str, int] = {}
        self._asked_for: list[str] = []
        self._restored = False
        self.actions_set = ActionSet(
            self,
            desk,
            {
                "charts.freeze": self.toggle_freeze,
                "charts.live": self.go_live,
                "charts.fit": self.go_live,
                "charts.data": self.choose_data_file,
                "charts.picture": self.choose_picture_file,
                "charts.clear": self.clear,
            },
        )
        self._load_soon = QTimer(self, singleShot=True, interval=_LOAD_MS)
        self._load_soon.timeout.connect(self.stack.load)
        self._build()
        self._connect()
        self._on_plant()

    def _build(self) -> None:
        self.add_tool(self.state)
        self.add_tool(self.range)
        for key in ("charts.clear", "charts.data", "charts.picture", "charts.freeze", "charts.live"):
            self.add_tool(self.actions_set.button(key))
        side_by_side = QHBoxLayout()
        side_by_side.setSpacing(12)
        side_by_side.addWidget(self.picker)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.stack)
        self._pages.addWidget(self.empty)
        side_by_side.addWidget(self._pages, 1)
        self.body.addLayout(side_by_side, 1)
        self.filter = self.picker.filter
        self.range.show_span(self.stack.span)

    def _connect(self) -> None:
        self.tags.ticks_changed.connect(self._on_ticks)
        self.range.span_chosen.connect(self.stack.show_live)
        self.range.custom_wanted.connect(self.ask_range)
        self.empty.action_requested.connect(self._to_machines)
        self.stack.range_changed.connect(self._on_range)
        self.stack.follow_changed.connect(self._on_follow)
        self._curves.busy.connect(self._on_busy)
        self._curves.failed.connect(self._on_failed)
        self._live.ticked.connect(self._on_live_tick)
        self._live.plant_changed.connect(self._on_plant)
        self._live.alarms_changed.connect(self._mark_alarms)
        self._live.collector_changed.connect(self._on_collector)
        self._desk.actor_changed.connect(self._on_actor)

    # -- what is shown -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the stored curves anew."""
        self._curves.forget_all()
        self.stack.load()

    @Slot()
    def _on_plant(self) -> None:
        self.tags.set_plant(self._live.plant)
        if self._live.plant.tags:
            self._restore()
        self._show_page()

    def _to_machines(self) -> None:
        self.open_requested.emit("equipment", None)

    def _show_page(self) -> None:
        shown = bool(self.tags.ticked())
        self._pages.setCurrentIndex(0 if shown else 1)
        self.empty.set_text(_NOTHING_TICKED if self._live.plant.tags else _NO_TAGS, "Machines")
        self._tell_actions()

    def _tell_actions(self) -> None:
        reason = None if self.tags.ticked() else "Tick a signal first."
        for key in ("charts.freeze", "charts.fit", "charts.data", "charts.picture", "charts.clear"):
            self.actions_set.set_unavailable(key, reason)
        running = "The charts are live already." if self.stack.following else None
        self.actions_set.set_unavailable("charts.live", reason or running)

    @Slot()
    def _on_ticks(self) -> None:
        self.stack.show_tags(self._chosen())
        self._mark_alarms()
        self._show_page()
        self._save()

    def _chosen(self) -> list[Tag]:
        plant = self._live.plant
        return [tag for name in self.tags.ticked() if (tag := plant.tag(name)) is not None]

    @Slot(frozenset)
    def _on_live_tick(self, touched: frozenset[str]) -> None:
        """Ten times a second the curves with news while they run; all of them once a second."""
        if not self.isVisible():
            return
        everything = not touched
        shown = self.tags.ticked()
        if everything or self.stack.following:
            for name in shown if everything else [n for n in shown if n in touched]:
                self.stack.draw(name)
        self.stack.tick(self._live.now().timestamp())
        if everything:
            self.stack.load()
        self._say_state()

    def _say_state(self) -> None:
        if self._frozen_at is None:
            self.state.setText("")
            return
        span = int((self._live.now() - self._frozen_at).total_seconds())
        points = self.stack.points_since(self._taken)
        self.state.setText(f"frozen {span // 60:02d}:{span % 60:02d} · live +{points:,} points")

    @Slot()
    def _mark_alarms(self) -> None:
        pins: dict[str, list[EventPin]] = {}
        for record in self._live.board.everything():
            words = record.limit.value.upper() if record.limit else "alarm"
            pin = EventPin(record.raised_at.timestamp(), words, record.priority)
            pins.setdefault(record.tag, []).append(pin)
        self.stack.set_alarms(pins)

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

    @Slot(str)
    def _on_failed(self, sentence: str) -> None:
        self.banner.show_text(sentence)

    # -- range and freezing --------------------------------------------------------------------------

    @Slot(float, float)
    def _on_range(self, _start: float, _end: float) -> None:
        self._say_range()
        self._load_soon.start()

    @Slot(bool)
    def _on_follow(self, follow: bool) -> None:
        if follow:
            self._frozen_at, self._taken = None, {}
        elif self._frozen_at is None:
            self._frozen_at, self._taken = self._live.now(), self.stack.taken()
        self.actions_set.rename("charts.freeze", "Freeze" if follow else "Run on")
        self._tell_actions()
        self._say_range()
        self._say_state()

    def _say_range(self) -> None:
        if self.stack.following:
            self.range.show_span(self.stack.span)
            return
        start, end = (datetime.fromtimestamp(m, UTC).astimezone() for m in self.stack.shown_range())
        same_day = start.date() == end.date()
        pattern = "%H:%M:%S" if (end - start).total_seconds() < 7200 else "%H:%M"
        to = end.strftime(pattern if same_day else "%d %b %H:%M")
        self.range.show_words(f"{start.strftime(f'%d %b {pattern}')} – {to}")

    def toggle_freeze(self) -> None:
        """Stop the view, or let it run on from now."""
        if self.stack.following:
            self.stack.freeze()
        else:
            self.go_live()

    def go_live(self) -> None:
        """Run with the newest data."""
        self.stack.show_live(self.stack.span)

    @Slot()
    def ask_range(self) -> None:
        """Ask for a first and a last moment."""
        self._say_range()
        form = Form("Show")
        form.add_moment("start", "From")
        form.add_moment("end", "To")
        start, end = (datetime.fromtimestamp(m, UTC) for m in self.stack.shown_range())
        form.set_values({"start": start, "end": end})
        card = DialogCard("Range of time", form, self)
        card.setObjectName("range-card")
        form.submitted.connect(partial(self._take_range, form, card))
        form.cancelled.connect(card.close)
        card.show_card()

    def _take_range(self, form: Form, card: DialogCard) -> None:
        start, end = form.values()["start"], form.values()["end"]
        if not isinstance(start, datetime) or not isinstance(end, datetime):
            form.set_error("start" if not isinstance(start, datetime) else "end", "Give a day and a time.")
        elif end <= start:
            form.set_error("end", "The end must be after the beginning.")
        else:
            card.close()
            self.stack.show_window(start.timestamp(), end.timestamp())

    # -- what people do ------------------------------------------------------------------------------

    def open_with(self, argument: object) -> None:
        """A tag, several tags, a machine (its key signals), or words to filter by."""
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
        elif isinstance(argument, str):
            super().open_with(argument)

    def clear(self) -> None:
        """Untick everything."""
        self.tags.set_ticked([])

    def choose_data_file(self) -> None:
        """Ask where the samples in view are to be written."""
        self._ask_file("Export samples", "samples.csv", "CSV (*.csv)", self.export_data)

    def choose_picture_file(self) -> None:
        """Ask where a picture of the charts is to be written."""
        self._ask_file("Save picture", "charts.png", "PNG (*.png)", self.export_picture)

    def _ask_file(self, title: str, name: str, kind: str, chosen: object) -> None:
        dialog = QFileDialog(self, title, name, kind)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(name).suffix[1:])
        dialog.fileSelected.connect(chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def export_data(self, name: str) -> None:
        """Write every stored sample in view as CSV."""
        start, end = (datetime.fromtimestamp(m, UTC) for m in self.stack.shown_range())
        work = partial(write_samples, Path(name), self._live.history, self._chosen(), start, end)
        self._desk.tasks.run(work, partial(self._exported, name), owner=self, failed=self._not_exported)

    @Slot(str)
    def export_picture(self, name: str) -> None:
        """Write the charts as they stand as PNG."""
        image = self.stack.picture()
        work = partial(_save, image, name)
        self._desk.tasks.run(work, partial(self._exported, name), owner=self, failed=self._not_exported)

    def _exported(self, name: str, count: int) -> None:
        what = f"{count:,} samples" if name.endswith(".csv") else "The picture"
        self.banner.show_text(f"{what} written to {name}.")

    def _not_exported(self, error: BaseException) -> None:
        if isinstance(error, OSError):
            self._desk.refused.emit(f"The file cannot be written: {error.strerror or error}.")
        else:
            self._desk.tasks.unhandled.emit(error)

    # -- kept for each person ------------------------------------------------------------------------

    def _key(self) -> str:
        actor = self._desk.actor
        return f"charts/{actor.name if actor else ''}/tags"

    def _save(self) -> None:
        if self._restored and QCoreApplication.organizationName():
            QSettings().setValue(self._key(), "\n".join(self.tags.ticked()))

    def _restore(self) -> None:
        if self._asked_for:
            asked, self._asked_for = self._asked_for, []
            self.open_with(asked)
        if not self._restored:
            self._restored = True
            if QCoreApplication.organizationName():
                self.tags.set_ticked(str(QSettings().value(self._key(), "")).split("\n"))

    @Slot(object)
    def _on_actor(self, actor: object) -> None:
        if actor is not None and self._live.plant.tags:
            self._restored = False
            self._restore()


def _save(image: QImage, name: str) -> int:
    if not image.save(name, "PNG"):  # type: ignore[call-overload]  # the stub of 6.11 asks for bytes, Qt takes str
        raise OSError(f"the picture could not be written to {name}")
    return 1
