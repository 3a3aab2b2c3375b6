"""Which part of the board is shown: whose stages, and which line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from PySide6.QtWidgets import QComboBox

from app.domain.people import Actor, Role
from app.store.queries.board import BoardFilter

_MINE = "mine"


class BoardScope:
    """The two fields beside the filter. An operator has no choice whose stages; others begin with everybody's."""

    def __init__(self) -> None:
        self.owner, self.line = QComboBox(), QComboBox()
        for box, name in ((self.owner, "Whose stages"), (self.line, "Line")):
            box.setAccessibleName(name)
            box.setToolTip(name)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)

    def wanted(self, words: str, actor: Actor | None) -> BoardFilter:
        """What to read for this person and filter line."""
        chosen = self.owner.currentData()
        if chosen == _MINE:
            owner_id = actor.user_id if actor is not None else None
        else:
            owner_id = UUID(chosen) if chosen else None
        return BoardFilter(words, self.line.currentData() or "", owner_id)

    def show_all(self) -> None:
        """Every line, and everybody where that may be chosen."""
        self.line.setCurrentIndex(0)
        if self.owner.isEnabled():
            self.owner.setCurrentIndex(0)

    def offer_people(self, actor: Actor | None, people: Mapping[UUID, str]) -> None:
        """Offer these people by name; the present choice stays while it is offered."""
        is_operator = actor is not None and actor.role is Role.OPERATOR
        chosen = self.owner.currentData()
        self.owner.clear()
        if not is_operator:
            self.owner.addItem("Everyone", "")
        self.owner.addItem("My stages", _MINE)
        if not is_operator:
            for user_id, name in people.items():
                self.owner.addItem(name, str(user_id))
        self.owner.setCurrentIndex(max(0, self.owner.findData(chosen)))
        self.owner.setEnabled(not is_operator)
        self.owner.setToolTip("Operators see the stages assigned to them." if is_operator else "Whose stages")

    def offer_lines(self, lines: Iterable[str]) -> None:
        """Offer these lines and the chosen one; hidden where there are none."""
        chosen = self.line.currentData()
        known = list(dict.fromkeys([*([chosen] if chosen else []), *lines]))
        self.line.clear()
        self.line.addItem("All lines", "")
        for line in known:
            self.line.addItem(line, line)
        self.line.setCurrentIndex(max(0, self.line.findData(chosen)))
        self.line.setVisible(bool(known))
