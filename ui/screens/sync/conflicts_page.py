"""The conflicts: a list with the open ones first, and the chosen one in full with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.domain.conflicts import Take, Verdict, may_settle
from app.domain.errors import LinesideError, Refused
from app.operations.change import Outcome
from app.operations.conflicts import bring_back, settle_conflict
from app.store.queries.conflicts import CONFLICTS, OPEN, ConflictDetails, read_conflict
from app.store.queries.listing import ListRequest
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.models.paged import ColumnLook, PagedModel
from ui.models.sharing_words import local_time
from ui.screens.sync.conflict_detail import ConflictDetail
from ui.widgets.list_view import ListView
from ui.widgets.themed import RoleLabel

_STATES = (("Open", "state!=settled"), ("Settled", "state:settled"), ("All", ""))
_MARKS = {"open": "⚡", "settling": "⇅", "settled": "✔"}
_CHOOSE = "Choose 1, 2 or 3 first."
_LEAST_LIST = 260  # px
_NO_CONFLICT = "Choose a conflict first."
_TITLES = {
    Verdict.CONFLICT: {
        "sharing.mine": "Take mine",
        "sharing.theirs": "Take theirs",
        "sharing.other": "Other values",
    },
    Verdict.DENIED: {"sharing.mine": "Try again", "sharing.theirs": "Discard", "sharing.other": "Edit"},
    Verdict.REJECTED: {"sharing.mine": "Try again", "sharing.theirs": "Discard", "sharing.other": "Edit"},
}
_SETTLE = {Take.MINE: "sharing.mine", Take.THEIRS: "sharing.theirs", Take.OTHER: "sharing.other"}


def _state(values: Mapping[str, Any]) -> str:
    return _MARKS[values["state"]]


def _settled(values: Mapping[str, Any]) -> bool:
    return bool(values["state"] != OPEN)


def looks(clock: Callable[[], datetime]) -> tuple[ColumnLook, ...]:
    """The columns: the station of who wrote it stands in the details, so that narrow lists have room for the rest."""

    def when(values: Mapping[str, Any]) -> str:
        return local_time(values["at"], clock())

    return (
        ColumnLook("state", " ", 34, words=_state),
        ColumnLook("label", "Change", 420),
        ColumnLook("actor", "Who", 110),
        ColumnLook("at", "When", 84, words=when),
    )


class ConflictsPage(QWidget):
    """`actions_set` of the pane calls `mine`, `theirs`, `other`, `next`, `apply` and `bring_back` here."""

    counted = Signal(int, bool)
    failed = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._actions: ActionSet | None = None
        self._awaited: int | None = None
        self._words = ""
        self.model = PagedModel(
            desk, CONFLICTS, looks(desk.house.door.clock), frozenset({"*"}), muted=_settled, parent=self
        )
        self.list = ListView()
        self.state = QComboBox()
        self.detail = ConflictDetail()
        self.wrong = RoleLabel("", "body")
        self._again = QTimer(self, singleShot=True, interval=300)
        self._again.timeout.connect(self._read)

    def build(self, actions: ActionSet) -> None:
        """Lay the page out with the buttons of the pane's actions."""
        self._actions = actions
        for label, line in _STATES:
            self.state.addItem(label, line)
        self.state.setAccessibleName("Which conflicts")
        self.list.setObjectName("conflicts-list")
        self.list.setAccessibleName("Conflicts")
        self.list.setModel(self.model)
        self.list.set_sort("at", True)
        self.wrong.setWordWrap(True)
        self.wrong.hide()
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.detail, 1)
        column.addWidget(self.wrong)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(0, 4, 4, 4)
        for key in ("sharing.mine", "sharing.theirs", "sharing.other"):
            buttons.addWidget(actions.button(key))
        buttons.addStretch(1)
        buttons.addWidget(actions.button("sharing.next"))
        self._settle, self._bring_back = (
            actions.button(key) for key in ("sharing.apply", "sharing.bring-back")
        )
        for button in (self._settle, self._bring_back):
            buttons.addWidget(button)
        split = QSplitter()
        split.setObjectName("conflicts-split")
        split.addWidget(self.list)
        split.addWidget(side)
        split.setSizes([470, 700])
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 2)
        split.setChildrenCollapsible(False)
        self.list.setMinimumWidth(_LEAST_LIST)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split, 1)
        layout.addLayout(buttons)  # below both: in a narrow window they need all of its width
        self.setFocusProxy(self.list)
        self._connect()
        self.ask("")
        self._offer()

    def _connect(self) -> None:
        self.state.activated.connect(self._on_state)
        self.model.counted.connect(self._on_counted)
        self.model.failed.connect(self.failed)
        self.model.loading.connect(self.list.set_loading)
        self.model.layoutChanged.connect(self._again.start)
        self.list.sort_requested.connect(self._on_sort)
        self.list.selectionModel().currentRowChanged.connect(self._on_current)
        self.list.activated_row.connect(self._on_enter)
        self.list.empty_action_requested.connect(self._show_all)
        self.detail.choice_changed.connect(self._offer)
        self.detail.apply_requested.connect(self.apply)
        self._desk.actor_changed.connect(self._on_actor)

    # -- the list

    def ask(self, words: str) -> None:
        """Show what matches, with the state that was chosen."""
        self._words = words
        parts = (words, str(self.state.currentData() or ""))
        sort, descending = self.list.sort() or ("at", True)
        self.model.set_request(ListRequest(" ".join(part for part in parts if part), sort, descending))

    def show_conflict(self, seq: int) -> None:
        """Bring one conflict to the screen."""
        self._awaited = seq
        self.state.setCurrentIndex(len(_STATES) - 1)
        self.ask("")

    def _show_all(self) -> None:
        self.state.setCurrentIndex(len(_STATES) - 1)
        self.ask("")

    def _on_state(self, _index: int) -> None:
        self.ask(self._words)

    def _on_sort(self, _key: str, _descending: bool) -> None:
        self.ask(self._words)

    def _on_counted(self, rows: int, filtered: bool) -> None:
        narrowed = bool(self._words) or self.state.currentIndex() == 1
        if narrowed:
            self.list.set_empty("No conflict matches.", "Show all")
        elif self.state.currentIndex() == 0:
            self.list.set_empty(
                "Nothing is open: the server took every change, or it was settled.", "Show all"
            )
        else:
            self.list.set_empty("There was never a conflict on this server.")
        row = self._row_of(self._awaited)
        if row is not None:
            self._awaited = None
            self.list.selectRow(row)
        elif rows and not self.list.currentIndex().isValid():
            self.list.selectRow(0)
        self._read()
        self.counted.emit(rows, filtered and bool(self._words))

    def _row_of(self, seq: int | None) -> int | None:
        rows = range(self.model.rowCount()) if seq is not None else ()
        return next((row for row in rows if self.model.values_at(row).get("seq") == seq), None)

    # -- the chosen one

    @property
    def details(self) -> ConflictDetails | None:
        return self.detail.details

    def _on_current(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        self._read()

    def _read(self) -> None:
        index = self.list.currentIndex()
        seq = self.model.values_at(index.row()).get("seq") if index.isValid() else None
        if seq is None:
            self._take(None)
            return
        number = int(seq)
        self._desk.read(
            lambda session: read_conflict(session, number),
            self._take,
            owner=self,
            key="conflict",
            failed=self._not_read,
        )

    def _take(self, details: ConflictDetails | None) -> None:
        if self.details is None or details is None or details.seq != self.details.seq:
            self._say("")
        elif details.state != OPEN:
            self.detail.forget_draft(details.seq)
        self.detail.show_details(details, self._desk.actor)
        self._offer()

    def _not_read(self, error: BaseException) -> None:
        if isinstance(error, LinesideError):
            self.failed.emit(error.sentence)
        else:
            self._desk.tasks.unhandled.emit(error)

    def _on_actor(self, actor: object) -> None:
        """Nobody sees what another one had begun to choose; its owner finds it again."""
        self.detail.show_details(self.details if actor is not None else None, self._desk.actor)
        if actor is not None:
            self._read()
        self._offer()

    # -- what can be done

    def _offer(self) -> None:
        """Word the buttons by what they would do, and say why each is not available."""
        actions, details = self._actions, self.details
        if actions is None:
            return
        reason = self._reason(details)
        titles = _TITLES[details.verdict if details is not None else Verdict.CONFLICT]
        for key, title in titles.items():
            actions.rename(key, title)
            actions.set_unavailable(key, reason)
        whole = self.detail.whole
        wordings = {take: f"Settle: {titles[key].lower()}" for take, key in _SETTLE.items()}
        actions.rename("sharing.apply", "Settle" if whole is None else wordings[whole])
        self._settle.reserve(wordings.values())
        actions.set_unavailable("sharing.apply", reason or (_CHOOSE if whole is None else None))
        actions.set_unavailable("sharing.next", None if self.model.rowCount() else "There is no conflict.")
        still = "This is still open; settle it instead."
        gone = details is not None and details.state != OPEN
        if (self._settle if gone else self._bring_back).hasFocus():
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)  # keys go on working when the button goes
        self._settle.setVisible(
            not gone
        )  # one place for both: an open one is settled, a settled one brought back
        self._bring_back.setVisible(gone)
        actions.set_unavailable("sharing.bring-back", self._denial(details) or (None if gone else still))

    def _reason(self, details: ConflictDetails | None) -> str | None:
        if details is not None and details.state != OPEN:
            return "This conflict is settled already; its values can be brought back."
        return self._denial(details)

    def _denial(self, details: ConflictDetails | None) -> str | None:
        if details is None:
            return _NO_CONFLICT
        return may_settle(self._desk.actor, details.actor_id) if self._desk.actor else "Log in first."

    def mine(self) -> None:
        """Choose the refused values."""
        self.detail.choose(Take.MINE)

    def theirs(self) -> None:
        """Choose what stands there."""
        self.detail.choose(Take.THEIRS)

    def other(self) -> None:
        """Choose other values and write them."""
        self.detail.choose(Take.OTHER)

    def next(self) -> None:
        """Go to the next open conflict below, then from the top again."""
        rows, here = self.model.rowCount(), self.list.currentIndex().row()
        order = [*range(here + 1, rows), *range(here + 1)]
        found = next((row for row in order if self.model.values_at(row).get("state") == OPEN), None)
        if found is None:
            self._desk.refused.emit("No open conflict is left.")
        else:
            self.list.selectRow(found)
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_enter(self, _row: int) -> None:
        if self._actions is not None:
            self._actions.trigger("sharing.apply")

    def apply(self) -> None:
        """Settle the chosen conflict as it was chosen."""
        details, take = self.details, self.detail.whole
        if details is None or take is None:
            self._desk.refused.emit(_CHOOSE)
            return
        values = self.detail.values() if take is Take.OTHER else {}
        intent = settle_conflict(
            source=details.source, n=details.n, take=take, values=values, seen=self.detail.seen()
        )
        self._say("")
        self._desk.perform(intent, owner=self, done=self._settled, failed=self._refused)

    def bring_back(self) -> None:
        """Put the values of a settled conflict in after all."""
        if self.details is not None:
            intent = bring_back(source=self.details.source, n=self.details.n)
            self._desk.perform(intent, owner=self, failed=self._refused)

    def _settled(self, _outcome: Outcome[None]) -> None:
        if self.details is not None:
            self.detail.forget_draft(self.details.seq)
        self.model.refresh()

    def _refused(self, refusal: Refused) -> None:
        self._say(refusal.sentence)
        self.detail.focus_key(refusal.field)
        self._read()

    def _say(self, sentence: str) -> None:
        self.wrong.setText(f"✖ {sentence}" if sentence else "")
        self.wrong.setVisible(bool(sentence))
