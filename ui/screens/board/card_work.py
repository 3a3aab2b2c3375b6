"""What can be done with the current card beside moving it: block, assign, raise an issue, inspect."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.domain.stages import StageStatus
from app.operations.stages import advance_work_order, move_stage
from app.store.queries.board import BoardOrder, BoardStage
from ui.bridge.desk import Desk
from ui.models.board import BoardModel
from ui.models.form_card import FormCard
from ui.models.issue_form import issue_form, issue_intent
from ui.screens.board.forms import assign_form, assign_intent, block_form, block_intent
from ui.widgets.board_view import BoardView


class CardWork(QObject):
    """Forms and operations for the card that `view` stands on; `inspection_requested(stage id)` leads elsewhere."""

    inspection_requested = Signal(object)

    def __init__(
        self, desk: Desk, view: BoardView, board: Callable[[], BoardModel], forms: FormCard, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._desk, self._view, self._board, self._forms = desk, view, board, forms

    def _current(self) -> tuple[BoardOrder, BoardStage] | None:
        order = self._board().order(self._view.current_card())
        return (order, order.current) if order is not None and order.current is not None else None

    def advance(self) -> None:
        """The next step of the current card: begin its stage, or finish it."""
        found = self._current()
        if found is not None:
            self._desk.perform(advance_work_order(order_id=found[0].id), owner=self)

    def block(self) -> None:
        """Block the current card's stage with a reason."""
        found = self._current()
        if found is not None:
            order, stage = found
            title = f"Block {order.number} {stage.name}"
            self._forms.open("block", title, block_form, partial(block_intent, stage.id))

    def unblock(self) -> None:
        """Let a blocked stage go on where it stood."""
        found = self._current()
        if found is not None:
            to = StageStatus.IN_PROGRESS if found[1].started else StageStatus.PLANNED
            self._desk.perform(move_stage(stage_id=found[1].id, to=to), owner=self)

    def assign(self) -> None:
        """Give the current card's stage to someone."""
        found = self._current()
        if found is not None:
            order, stage = found
            people = {str(user_id): name for user_id, name in self._board().board.people.items()}
            build = partial(assign_form, people, str(stage.assignee_id or ""))
            self._forms.open(
                "assign", f"Assign {order.number} {stage.name}", build, partial(assign_intent, stage.id)
            )

    def raise_issue(self) -> None:
        """Raise an issue on the current card's stage."""
        found = self._current()
        if found is not None:
            order, stage = found
            about = f"{order.number} {stage.name}"
            self._forms.open(
                "issue",
                f"Raise issue on {about}",
                partial(issue_form, about),
                partial(issue_intent, stage.id),
                keep_draft=True,
            )

    def inspect(self) -> None:
        """Log an inspection of the current card's stage, in its own place."""
        found = self._current()
        if found is not None:
            self.inspection_requested.emit(found[1].id)
