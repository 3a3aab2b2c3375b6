"""The board as cards: what `app.store.queries.board` read, under the rules for this person, with moves under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from app.domain.people import Actor, Permission
from app.domain.stages import FINISHED, StageStatus, illegal_drop, not_yours
from app.store.queries.board import Board, BoardOrder, BoardStage
from ui.bridge.sync_status import Marks
from ui.models.wording import day, rough
from ui.widgets.board_items import BoardCard, BoardColumn

DONE_COLUMN = "\0done"
"""Key of the last column; stage names are the keys of the others."""
SHOWN = 60
"""Cards that a column shows at first; more come on demand."""


@dataclass(frozen=True)
class BoardModel:
    """Columns and cards of one read board for one person. `pending` maps an order to the column it is moving to,
    `marks` says which orders were not sent yet or are in conflict."""

    board: Board
    actor: Actor | None
    now: datetime
    limits: Mapping[str, int]
    pending: Mapping[UUID, str]
    unfolded: frozenset[str] = frozenset()
    marks: Marks = field(default_factory=Marks)

    def order(self, card: str) -> BoardOrder | None:
        """The order of a card, None for a card that is gone."""
        return self._by_key.get(card)

    @cached_property
    def _by_key(self) -> dict[str, BoardOrder]:
        return {str(order.id): order for order in (*self.board.orders, *self.board.done_today)}

    def moving(self, order_id: UUID, column: str) -> BoardModel:
        """The same board with a card shown where it is going."""
        return replace(self, pending={**self.pending, order_id: column})

    def settled(self, order_id: UUID) -> BoardModel:
        """The same board with the card back where the store has it."""
        return replace(self, pending={key: to for key, to in self.pending.items() if key != order_id})

    def movable(self, stage: BoardStage) -> bool:
        """Whether the person may move this stage at all."""
        actor = self.actor
        if actor is None:
            return False
        if actor.may(Permission.MOVE_STAGES):
            return True
        return actor.may(Permission.MOVE_OWN_STAGES) and stage.assignee_id == actor.user_id

    def refusal(self, card: str, column: str) -> str | None:
        """Why a card may not be dropped on a column; None when it may. Known without asking the store."""
        order = self.order(card)
        if order is None:
            return "This card is not on the board any more."
        places = [stage.place(self.movable(stage)) for stage in order.stages]
        return illegal_drop(order.number, places, FINISHED if column == DONE_COLUMN else column)

    def targets(self, card: str) -> list[tuple[str, str, str | None]]:
        """(column key, title, refusal) of every column that a card is not in, for the menu of moves."""
        order = self.order(card)
        here = self.column_of(order) if order else ""
        return [
            (column.key, column.title, self.refusal(card, column.key))
            for column in self.columns()
            if column.key != here
        ]

    def column_of(self, order: BoardOrder) -> str:
        if order.id in self.pending:
            return self.pending[order.id]
        current = order.current
        return current.name if current is not None else DONE_COLUMN

    def columns(self) -> list[BoardColumn]:
        """All columns from left to right, the last one for what was finished today."""
        keys = [*self.board.stage_names, DONE_COLUMN]
        sorted_in: dict[str, list[BoardOrder]] = {key: [] for key in keys}
        for order in (*self.board.orders, *self.board.done_today):
            sorted_in.setdefault(self.column_of(order), []).append(order)
        return [self._column(key, orders) for key, orders in sorted_in.items()]

    def _column(self, key: str, orders: Sequence[BoardOrder]) -> BoardColumn:
        title = "Done today" if key == DONE_COLUMN else key
        shown = orders if key in self.unfolded else orders[:SHOWN]
        cards = [self.card(order) for order in shown]
        hidden = len(orders) - len(shown)
        if hidden:
            cards.append(
                BoardCard(
                    more_key(key), f"+{hidden:,} more", "Enter shows them", disabled_reason="This is no card."
                )
            )
        return BoardColumn(key, title, self.limits.get(key), cards, len(orders))

    def card(self, order: BoardOrder) -> BoardCard:
        """One order as a card."""
        stage = order.current
        hours = ((order.finished_at or self.now) - order.planned_end).total_seconds() / 3600
        blocked = stage is not None and stage.status is StageStatus.BLOCKED
        return BoardCard(
            key=str(order.id),
            title=order.number,
            subtitle=order.product_name or order.product,
            progress=(order.quantity_done, order.quantity),
            due_text=day(order.planned_end),
            slip_text=late_words(hours, finished=order.finished_at is not None),
            late=hours > 0,
            owner=stage.assignee if stage else "",
            badges=self._badges(order, stage),
            blocked_reason=stage.blocked_reason if blocked and stage else None,
            disabled_reason=self._fixed(stage),
            time_in_stage=rough(self.now - stage.changed_at) if stage else "",
        )

    def _badges(self, order: BoardOrder, stage: BoardStage | None) -> tuple[str, ...]:
        marks = []
        if stage is not None and stage.status is StageStatus.PLANNED and order.id not in self.pending:
            marks.append("ready")
        if stage is not None and stage.status is StageStatus.IN_PROGRESS:
            marks.append("▶")
        if order.issues:
            marks.append(f"⚑ {order.issues}")
        if order.priority <= 2:
            marks.append("!!" if order.priority == 1 else "!")
        sign = self.marks.mark("work_order", order.id)
        if sign:  # where there is little room the last ones stay
            marks.append(sign)
        return tuple(marks)

    def _fixed(self, stage: BoardStage | None) -> str | None:
        if stage is None:
            return "It is finished."
        return None if self.movable(stage) else not_yours(stage.name)


def late_words(hours: float, *, finished: bool) -> str:
    """A slip with its direction in words: `2 d late`, `3 h left`, `3 h early`."""
    direction = "late" if hours > 0 else "early" if finished else "left"
    return f"{rough(timedelta(hours=hours))} {direction}"


def more_key(column: str) -> str:
    """Key of the card that stands for what a column does not show."""
    return f"more:{column}"
