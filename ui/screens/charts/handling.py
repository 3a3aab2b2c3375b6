"""What people do with the charts besides looking: cursors, events, notes, axes, far jumps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from uuid import UUID

from PySide6.QtCore import QObject, QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QMenu, QWidget

from app.operations.notes import delete_note
from app.store.queries.chart_events import ChartEvent, EventKind
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models import wording
from ui.models.form_card import FormCard
from ui.screens.charts.correcting import corrected, correction_form, withdrawal_form, withdrawn
from ui.screens.charts.events import EventLayer
from ui.screens.charts.noting import change_form, changed, note_form, written
from ui.screens.charts.range_picker import range_words
from ui.screens.charts.stack import ChartStack
from ui.widgets.chart_marks import EventPin
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form

_MOST_LISTED = 15
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class ChartHandling(QObject):
    """`open_requested(place, argument)` for an event that lives elsewhere; `told` a line about what was chosen."""

    open_requested = Signal(str, object)
    told = Signal(str)

    def __init__(
        self, desk: Desk, live: LiveDesk, stack: ChartStack, events: EventLayer, host: QWidget
    ) -> None:
        super().__init__(host)
        self._desk, self._live, self._stack, self._events, self._host = desk, live, stack, events, host
        self._chosen: ChartEvent | None = None
        self.cards = FormCard(desk, host)

    # -- cursors and range ---------------------------------------------------------------------------

    def _pointed(self) -> float:
        window = self._stack.window_of_time
        start, end = window.range()
        return (start + end) / 2 if window.crosshair is None else window.crosshair

    def place_cursor(self, name: str) -> None:
        """Put a measuring cursor where the crosshair is."""
        self._stack.window_of_time.set_cursor(name, self._pointed())

    def to_newest(self) -> None:
        """The same length of time, ending now."""
        window = self._stack.window_of_time
        start, end = window.range()
        window.show(window.now - (end - start), window.now, by_user=True)

    def to_oldest(self) -> None:
        """The same length of time, beginning with the oldest sample of the shown signals."""
        names, now = [tag.name for tag in self._stack.tags], self._live.now()
        history = self._live.all_history

        def oldest() -> float | None:
            found = [history.samples(name, _BEGINNING, now, 1) for name in names]
            return min((samples[0].source_time.timestamp() for samples in found if samples), default=None)

        self._desk.tasks.run(oldest, self._begin_at, owner=self, key="oldest")

    def _begin_at(self, moment: float | None) -> None:
        if moment is None:
            self._desk.refused.emit("Nothing is stored of these signals yet.")
            return
        window = self._stack.window_of_time
        start, end = window.range()
        window.show(moment, moment + end - start, by_user=True)

    @Slot()
    def ask_range(self) -> None:
        """Ask for a first and a last moment."""
        form = Form("Show")
        form.add_moment("start", "From")
        form.add_moment("end", "To")
        start, end = (datetime.fromtimestamp(m, UTC) for m in self._stack.window_of_time.range())
        form.set_values({"start": start, "end": end})
        card = DialogCard("Range of time", form, self._host)
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
            self._stack.window_of_time.show(start.timestamp(), end.timestamp(), by_user=True)

    # -- axes and order ------------------------------------------------------------------------------

    def move_chart(self, by: int) -> None:
        """Move the chart that has the keyboard up or down."""
        key = self._stack.chosen()
        if key:
            self._stack.move_chart(key, by)

    def ask_values(self) -> None:
        """Ask for the range of the axis of values of the chosen chart."""
        key = self._stack.chosen()
        if not key:
            return
        form = Form("Fix")
        form.add_decimal("low", "From")
        form.add_decimal("high", "To")
        form.add_tick("automatic", "Follow the curves")
        frame = self._stack.chart(key).plot.frame
        low, high = self._stack.value_ranges.get(key, (round(frame.y0, 6), round(frame.y1, 6)))
        form.set_values({"low": Decimal(str(low)), "high": Decimal(str(high)), "automatic": False})
        card = DialogCard("Range of values", form, self._host)
        card.setObjectName("values-card")
        form.submitted.connect(partial(self._take_values, key, form, card))
        form.cancelled.connect(card.close)
        card.show_card()

    def _take_values(self, key: str, form: Form, card: DialogCard) -> None:
        values = form.values()
        low, high = values["low"], values["high"]
        if values["automatic"]:
            self._stack.set_value_range(key, None)
            card.close()
        elif not isinstance(low, Decimal) or not isinstance(high, Decimal):
            form.set_error("low" if not isinstance(low, Decimal) else "high", "Give a number.")
        elif high <= low:
            form.set_error("high", "The upper end must be above the lower one.")
        else:
            self._stack.set_value_range(key, (float(low), float(high)))
            card.close()

    # -- events and notes ----------------------------------------------------------------------------

    def ask_note(self) -> None:
        """Ask for a note where the crosshair or cursor A is."""
        window = self._stack.window_of_time
        moment = (
            window.crosshair if window.crosshair is not None else window.cursors.get("A", self._pointed())
        )
        tags = self._stack.members(self._stack.chosen()) or self._stack.tags
        at = datetime.fromtimestamp(moment, UTC)
        title = f"Note at {wording.moment(at)}"
        self.cards.open("note", title, partial(note_form, tags), partial(written, at, tags), keep_draft=True)

    def ask_correction(self) -> None:
        """Ask how the stretch between the cursors is to be corrected."""
        between = self._stack.window_of_time.between()
        if between is None:
            self._desk.refused.emit("Place the cursors A and B around the stretch first.")
            return
        tags = self._stack.members(self._stack.chosen()) or self._stack.tags
        title = f"Correct {range_words(*between)}"
        self.cards.open("correction", title, partial(correction_form, tags), partial(corrected, between))

    def step_event(self, direction: int) -> None:
        """Put the crosshair on the next event before (-1) or after (1) it, and say what it is."""
        event = self._events.neighbour(self._pointed(), direction)
        if event is None:
            self.told.emit(f"No event {'after' if direction > 0 else 'before'} this within view.")
            return
        self._chosen = event
        pins = self._events.pins()
        pin = next((p for _tags, p in pins if self._events.event_of(p) is event), None)
        for chart in self._stack.charts:
            chart.plot.chosen_pin = pin
        self._stack.window_of_time.set_crosshair(event.at.timestamp())
        self.told.emit(f"{event.text} · Ctrl+Return opens it")

    def open_chosen_event(self) -> None:
        """Open the event that was stepped to."""
        if self._chosen is None:
            self._desk.refused.emit("Go to an event with [ or ] first.")
        else:
            self._open(self._chosen, self._host.mapToGlobal(self._host.rect().center()))

    @Slot(object, QPoint)
    def open_pins(self, pins: Sequence[EventPin], where: QPoint) -> None:
        """Open what one pin stands for, or let a person choose among several."""
        events = [event for pin in pins if (event := self._events.event_of(pin)) is not None]
        if len(events) == 1:
            self._open(events[0], where)
        elif events:
            menu = self._menu()
            for event in events[:_MOST_LISTED]:
                action = menu.addAction(f"{event.at.astimezone().strftime('%H:%M:%S')}  {event.text}")
                action.triggered.connect(partial(self._open, event, where))
            if len(events) > _MOST_LISTED:
                menu.addAction(f"{len(events) - _MOST_LISTED:,} more: zoom in").setEnabled(False)
            menu.popup(where)

    def _open(self, event: ChartEvent, where: QPoint, _checked: bool = False) -> None:
        if event.kind is EventKind.NOTE and isinstance(event.argument, UUID):
            self._open_note(event, event.argument, where)
        elif event.kind is EventKind.CORRECTION and isinstance(event.argument, UUID):
            self._open_correction(event, event.argument, where)
        elif event.kind is EventKind.WRITE:
            tag = self._live.plant.tag(event.tag)
            self.open_requested.emit("equipment", tag.equipment if tag is not None else event.tag)
        else:
            self.open_requested.emit(event.place, event.argument)

    def _open_note(self, event: ChartEvent, note_id: UUID, where: QPoint) -> None:
        menu = self._menu()
        text, _, author = event.text.rpartition(" (")
        menu.addAction(event.text).setEnabled(False)
        if self._desk.actor is not None and author == f"{self._desk.actor.name})":
            menu.addAction("Change…").triggered.connect(partial(self._change_note, note_id, text))
            menu.addAction("Delete").triggered.connect(partial(self._delete_note, note_id))
        menu.popup(where)

    def _change_note(self, note_id: UUID, text: str, _checked: bool = False) -> None:
        self.cards.open("change-note", "Change note", partial(change_form, text), partial(changed, note_id))

    def _delete_note(self, note_id: UUID, _checked: bool = False) -> None:
        self._desk.perform(delete_note(note_id=note_id), owner=self)

    def _open_correction(self, event: ChartEvent, correction_id: UUID, where: QPoint) -> None:
        menu = self._menu()
        menu.addAction(event.text).setEnabled(False)
        menu.addAction("Withdraw…").triggered.connect(partial(self._withdraw, correction_id))
        menu.popup(where)

    def _withdraw(self, correction_id: UUID, _checked: bool = False) -> None:
        self.cards.open(
            "withdrawal", "Withdraw the correction", withdrawal_form, partial(withdrawn, correction_id)
        )

    def _menu(self) -> QMenu:
        menu = QMenu(self._host)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu
