"""One conflict in full: what was there before, what was wanted, what stands there, and the choice between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.domain.conflicts import Clash, Point, Take, Verdict
from app.domain.people import Actor
from app.store.queries.conflicts import OPEN, SETTLING, ConflictDetails, ShownPoint
from ui.models.wording import moment
from ui.screens.sync.point_row import PointRow, value_words
from ui.widgets.fields import Value
from ui.widgets.themed import RoleLabel, ThemedWidget

MOST_DISPUTED, MOST_OTHERS = 60, 40
"""Values that are laid out at most; the others of a large change go the way of the whole."""
MOST_NAMED = 8
_WHY = {
    Verdict.DENIED: "✖ The server did not allow it",
    Verdict.REJECTED: "✖ The server could not take it",
}
Draft = dict[str, tuple[Take | None, Value]]


class ConflictDetail(ThemedWidget):
    """Shows one conflict; `choice_changed` when a person chose or typed, `apply_requested` for Enter."""

    choice_changed = Signal()
    apply_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("conflict-detail")
        self.details: ConflictDetails | None = None
        self.rows: list[PointRow] = []
        self._whole: Take | None = None
        self._drafts: dict[tuple[UUID | None, int], Draft] = {}
        self._person: UUID | None = None
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setAccessibleName("Details of the conflict")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._scroll)

    # -- what is shown

    def show_details(self, details: ConflictDetails | None, actor: Actor | None) -> None:
        """Show a conflict; what this person had chosen and typed for it is there again."""
        person = actor.user_id if actor is not None else None
        same = self.details is not None and details == self.details and person == self._person
        if same:
            return
        self.keep_draft()
        self.details, self._person, self._whole, self.rows = details, person, None, []
        self._scroll.setWidget(self._page(details, actor))
        if details is not None:
            for row in self.rows:
                row.set_enabled(details.state == OPEN)
                row.changed.connect(self._on_row)
            self._restore(self._drafts.get((person, details.seq), {}))
        self.choice_changed.emit()

    def restyle(self) -> None:
        for row in self.rows:
            row.restyle()

    def keep_draft(self) -> None:
        """Remember for this person what is chosen and typed, until the conflict is settled."""
        if self.details is None or self.details.state != OPEN:
            return
        draft = {row.shown.point.key: row.draft() for row in self.rows}
        if any(take is not None for take, _ in draft.values()):
            self._drafts[self._person, self.details.seq] = draft

    def forget_draft(self, seq: int) -> None:
        self._drafts.pop((self._person, seq), None)
        for row in self.rows:
            row.blockSignals(True)
        self.rows = []

    def _restore(self, draft: Draft) -> None:
        for row in self.rows:
            if row.shown.point.key in draft:
                row.set_draft(draft[row.shown.point.key])

    def text(self) -> str:
        """Everything on show, line by line."""
        page = self._scroll.widget()
        return "\n".join(label.text() for label in page.findChildren(RoleLabel)) if page is not None else ""

    def _page(self, details: ConflictDetails | None, actor: Actor | None) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(12, 4, 12, 12)
        column.setSpacing(6)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)
        if details is None:
            _add(column, "Choose a conflict to see it here.", "body", "text2")
            return page
        for text, role, colour in _head(details):
            _add(column, text, role, colour)
        disputed = _disputed(details)[:MOST_DISPUTED]
        others = [shown for shown in details.points if _is_open(shown.point)]
        along = [shown.row for shown in details.points if _goes_along(shown.point)]
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        for at, stretch in enumerate((2, 2, 3, 3, 4)):
            grid.setColumnStretch(at, stretch)
        for at, (name, about) in enumerate(_columns(details, actor)):
            grid.addWidget(RoleLabel(name, "meta", "text2"), 0, at)
            grid.addWidget(RoleLabel(about, "meta", "text2"), 1, at)
        line, of = self._fill(grid, disputed, details, 2)
        if others:
            words = "In the same change, disputed by nobody:" if disputed else "The whole change:"
            grid.setRowMinimumHeight(line, 8)
            grid.addWidget(RoleLabel(words, "body", "text2"), line + 1, 0, 1, 5)
            self._fill(grid, others[:MOST_OTHERS], details, line + 2, of)
        column.addLayout(grid)
        if along:
            _add(column, f"Together with it: {_listed(along)}.", "meta", "text2")
        left = len(_disputed(details)) + len(others) - len(self.rows)
        if left or details.more:
            more = f"{left:,} more values" if not details.more else f"{details.more:,} more rows"
            _add(column, f"And {more}, which go with the choice for the whole.", "meta", "text2")
        return page

    def _fill(
        self,
        grid: QGridLayout,
        shown: Sequence[ShownPoint],
        details: ConflictDetails,
        line: int,
        of: UUID | None = None,
    ) -> tuple[int, UUID | None]:
        """Lay values out under the name of their row, unless it is the row `of` the line above.

        Returns the next free line and the row of the last one.
        """
        order = list(dict.fromkeys(one.point.row_id for one in shown))
        for one in sorted(shown, key=lambda point: order.index(point.point.row_id)):
            if one.point.row_id != of:
                of = one.point.row_id
                grid.addWidget(RoleLabel(one.row, "meta", "text2"), line, 0, 1, 5)
                line += 1
            row = PointRow(one, details.names, self)
            row.place(grid, line)
            self.rows.append(row)
            line += 1
        return line, of

    # -- the choice

    @property
    def whole(self) -> Take | None:
        """What is chosen for the conflict as a whole; None while a disputed value has no choice."""
        if not self.rows:
            return self._whole
        takes = {row.take for row in self._deciding()}
        if None in takes:
            return None
        every = {row.take or Take.MINE for row in self.rows}  # what nobody disputed comes along
        return Take(every.pop()) if len(every) == 1 and Take.OTHER not in every else Take.OTHER

    def _deciding(self) -> list[PointRow]:
        return [row for row in self.rows if row.shown.point.clash] or self.rows

    def choose(self, take: Take) -> None:
        """Take one side for the whole; with other values the cursor goes into the first of them."""
        self._whole = take
        for row in self.rows:
            if row.shown.point.clash is None and take is Take.OTHER:
                row.choose(Take.MINE)
            else:
                row.choose(take)
        if take is Take.OTHER:
            next((row for row in self._deciding() if row.field is not None), _NoRow()).focus_field()
        self.choice_changed.emit()

    def values(self) -> dict[str, Any]:
        """Each laid out value as it was chosen, by key; what has no choice goes as it was wanted."""
        return {row.shown.point.key: row.chosen_value() for row in self.rows}

    def seen(self) -> Mapping[str, Any]:
        """What stood there as this person saw it."""
        return {row.shown.point.key: row.shown.point.now for row in self.rows}

    def focus_key(self, key: str | None) -> None:
        """Put the cursor into the value that something is wrong with."""
        for row in self.rows:
            if key == row.shown.point.key:
                row.focus_field()

    def _on_row(self) -> None:
        self.choice_changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.apply_requested.emit()
        else:
            super().keyPressEvent(event)


class _NoRow:
    """Stands where nothing can be typed."""

    def focus_field(self) -> None:
        return None


def _add(column: QVBoxLayout, text: str, role: str, colour: str) -> None:
    label = RoleLabel(text, role, colour)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    column.addWidget(label)


def _disputed(details: ConflictDetails) -> list[ShownPoint]:
    return [shown for shown in details.points if shown.point.clash]


def _goes_along(point: Point) -> bool:
    """A row that goes because the one that it belongs to goes: nobody decides on it by itself."""
    return point.clash is None and point.field == "deleted" and point.mine is True and not point.created


def _is_open(point: Point) -> bool:
    """Whether something can be chosen for a value that nobody disputed."""
    same = point.mine == point.now and not point.created
    return point.clash is None and not same and not _goes_along(point)


def _listed(names: Sequence[str]) -> str:
    few = names[:MOST_NAMED]
    more = f" and {len(names) - len(few):,} more" if len(names) > len(few) else ""
    return ", ".join(few) + more


def _reason(details: ConflictDetails) -> str:
    """Why it was not taken, with the name of who was faster where that is known."""
    if details.verdict is not Verdict.CONFLICT:
        return f"{_WHY[details.verdict]}: {details.sentence}"
    clash = _newest(details)
    words = details.sentence or "Somebody else was faster."
    if clash is not None and clash.by:
        for nobody in ("Somebody else", "Somebody"):
            words = words.replace(nobody, clash.by, 1)
    return f"⚡ {words}"


def _newest(details: ConflictDetails) -> Clash | None:
    return next((shown.point.clash for shown in details.points if shown.point.clash), None)


def _others_did(details: ConflictDetails) -> list[tuple[str, str, str]]:
    """What happened meanwhile to what was to be deleted."""
    lines = []
    for one in details.meanwhile:
        value = value_words(one.shown, one.shown.point.now, details.names)
        when = f", {moment(one.clash.at)}" if one.clash.at is not None else ""
        where = f", station {one.clash.station}" if one.clash.station else ""
        who = one.clash.by or "somebody"
        lines.append(
            (
                f"Meanwhile {one.shown.title.lower()} of {one.shown.row} became {value} ({who}{where}{when}).",
                "body",
                "text",
            )
        )
    return lines[:MOST_NAMED]


def _head(details: ConflictDetails) -> list[tuple[str, str, str]]:
    lines = [
        (details.label, "section", "text"),
        (_reason(details), "body", "text"),
        *_others_did(details),
        (
            f"{details.actor} on station {details.station}, {moment(details.said_at or details.at)}",
            "meta",
            "text2",
        ),
    ]
    if details.state == SETTLING:
        lines.append(("⇅ Settled here; the answer of the server is on its way.", "body", "text"))
    elif details.state != OPEN:
        when = moment(details.settled_at)
        lines.append(
            (
                f"✔ Settled by {details.settled_by or 'somebody'}, {when}. All values stay readable.",
                "body",
                "text",
            )
        )
    return lines


def _columns(details: ConflictDetails, actor: Actor | None) -> list[tuple[str, str]]:
    """(heading, who and when) of each column."""
    own = actor is not None and actor.user_id == details.actor_id
    clash = _newest(details)
    by = f"{clash.by} wrote" if clash is not None and clash.by else "Is there"
    about = ""
    if clash is not None and clash.at is not None:
        about = f"{moment(clash.at)}{f', station {clash.station}' if clash.station else ''}"
    return [
        ("Value", ""),
        ("Before", ""),
        ("You wrote  (1)" if own else f"{details.actor} wrote  (1)", moment(details.said_at or details.at)),
        (f"{by}  (2)", about),
        ("Other  (3)", ""),
    ]
