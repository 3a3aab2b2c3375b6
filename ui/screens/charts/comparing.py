"""Chooses the other range of time that the charts are compared with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget
from sqlalchemy.orm import Session

from app.store.queries.chart_events import order_run
from ui.bridge.desk import Desk
from ui.models.compared import LAST_WEEK, YESTERDAY, Comparison, before, from_moment
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form

Run = tuple[datetime, datetime | None]


class CompareMenu(QObject):
    """`chosen` carries a `Comparison`, or None for none."""

    chosen = Signal(object)

    def __init__(self, desk: Desk, shown_range: Callable[[], tuple[float, float]], host: QWidget) -> None:
        super().__init__(host)
        self._desk, self._range, self._host = desk, shown_range, host
        self.menu = QMenu("Compare", host)
        self.menu.setObjectName("compare-menu")
        self.menu.addAction("With nothing", self._with_nothing)
        self.menu.addAction("With the time before", self._with_before)
        self.menu.addAction("With yesterday", partial(self.chosen.emit, YESTERDAY))
        self.menu.addAction("With last week", partial(self.chosen.emit, LAST_WEEK))
        self.menu.addAction("From a moment…", self.ask_moment)
        self.menu.addAction("With the run of an order…", self.ask_order)

    def _with_nothing(self) -> None:
        self.chosen.emit(None)

    def _with_before(self) -> None:
        self.chosen.emit(before(*self._range()))

    def ask_moment(self) -> None:
        """Ask for the moment at which the other range begins."""
        form = Form("Compare")
        form.add_moment("start", "Beginning")
        card = self._card("Compare with another time", form)
        form.submitted.connect(partial(self._take_moment, form, card))

    def _take_moment(self, form: Form, card: DialogCard) -> None:
        start = form.values()["start"]
        if not isinstance(start, datetime):
            form.set_error("start", "Give a day and a time.")
            return
        card.close()
        self.chosen.emit(from_moment(start.timestamp(), self._range()[0]))

    def ask_order(self) -> None:
        """Ask for the order whose run is laid under the present range."""
        form = Form("Compare")
        form.add_text("number", "Work order")
        card = self._card("Compare with the run of an order", form)
        form.submitted.connect(partial(self._look_up, form, card))

    def _look_up(self, form: Form, card: DialogCard) -> None:
        number = str(form.values()["number"]).strip()

        def query(session: Session) -> Run | None:
            return order_run(session, number)

        self._desk.read(query, partial(self._take_run, number, form, card), owner=card, key="run")

    def _take_run(self, number: str, form: Form, card: DialogCard, run: Run | None) -> None:
        if run is None:
            form.set_error("number", f"No order {number} has been begun.")
            return
        card.close()
        self.chosen.emit(from_moment(run[0].timestamp(), self._range()[0], f"the run of {number}"))

    def _card(self, title: str, form: Form) -> DialogCard:
        card = DialogCard(title, form, self._host)
        card.setObjectName("compare-card")
        form.cancelled.connect(card.close)
        card.show_card()
        return card


def as_content(comparison: Comparison | None) -> dict[str, object] | None:
    """A comparison as a saved view keeps it."""
    if comparison is None:
        return None
    return {"words": comparison.words, "days": comparison.days, "seconds": comparison.seconds}


def from_content(content: object) -> Comparison | None:
    """The comparison that `as_content` kept; None for none, or for what is no comparison."""
    if not isinstance(content, dict):
        return None
    try:
        return Comparison(str(content["words"]), int(content["days"]), float(content["seconds"]))
    except (KeyError, TypeError, ValueError):
        return None
