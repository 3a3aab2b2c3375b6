"""The stage board: open orders as cards at their present stage, moved by mouse, key or menu under the real rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time
from functools import partial
from typing import Any
from uuid import UUID

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QWidget

from app.domain.errors import LinesideError, Refused
from app.domain.stages import FINISHED, StageStatus
from app.operations.change import Outcome
from app.operations.stages import move_order_to_stage
from app.store.queries.board import Board, read_board
from ui.actions import ActionSet
from ui.bridge.desk import EVERYTHING, Desk
from ui.models.board import DONE_COLUMN, BoardModel, more_key
from ui.models.form_card import FormCard
from ui.models.order_panel import OrderPanel
from ui.screens.board.card_work import CardWork
from ui.screens.board.limits import ask_for_limits, kept_limits
from ui.screens.board.scope import BoardScope
from ui.widgets.board_view import BoardView
from ui.widgets.buttons import MenuButton
from ui.widgets.pane import Pane
from ui.widgets.states import EmptyState
from ui.widgets.themed import RoleLabel

_ENTITIES = frozenset({"work_order", "stage", "issue", "route_stage", "user_account"})
_ON_CARD = ("board.move", "board.advance", "board.assign", "board.issue", "board.inspect")
_NO_CARD = "Choose a card first."


class BoardScreen(Pane):
    """The board of all open orders; an operator sees and moves only what is assigned to them."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("board", "Stage board", parent)
        self._desk = desk
        self._settled: set[UUID] = set()
        self.view = BoardView()
        self.view.setObjectName("board-view")
        self.panel = OrderPanel(desk)
        self.forms = FormCard(desk, self)
        self.scope = BoardScope()
        self.note = RoleLabel("", "meta", "text2")
        self.empty = EmptyState("No open order to show.", "Show everything")
        self.model = self._fresh(Board((), (), (), 0))
        self.work = CardWork(desk, self.view, self._shown_board, self.forms, self)
        self._more = QMenu(self)
        self.actions_set = ActionSet(
            self,
            desk,
            {
                "board.move": self.choose_target,
                "board.advance": self.work.advance,
                "board.block": self.work.block,
                "board.unblock": self.work.unblock,
                "board.assign": self.work.assign,
                "board.issue": self.work.raise_issue,
                "board.inspect": self.work.inspect,
                "board.limits": self.set_limits,
                "refresh": self.refresh,
            },
        )
        self._build()
        self._connect()
        self._refresh_soon = QTimer(self, singleShot=True, interval=0)
        self._refresh_soon.timeout.connect(self.refresh)
        self._offer_people()
        self._on_current("")
        self.refresh()

    # -- building

    def _build(self) -> None:
        self.add_filter("words", ("order", "orders"))
        self.add_tool(self.scope.owner)
        self.add_tool(self.scope.line)
        for key in ("advance", "unblock", "issue", "inspect", "limits"):
            self._more.addAction(self.actions_set.action(f"board.{key}"))
        self.add_tool(MenuButton("More", self._more, "More actions on cards"))
        for key in ("board.block", "board.assign", "board.move"):
            self.add_tool(self.actions_set.button(key))
        split = QSplitter()
        split.setObjectName("board-split")
        split.addWidget(self.view)
        split.addWidget(self.panel)
        split.setStretchFactor(0, 1)
        split.setChildrenCollapsible(False)
        self.panel.hide()
        self.empty.hide()
        self.setFocusProxy(self.view)
        foot = QHBoxLayout()
        foot.addWidget(self.note)
        foot.addStretch(1)
        self.body.addWidget(split, 1)
        self.body.addWidget(self.empty)
        self.body.addLayout(foot)
        self._menu = QMenu(self)

    def _connect(self) -> None:
        self.view.set_can_drop(self._refusal)
        self.view.card_dropped.connect(self.move_card)
        self.view.move_requested.connect(self._move_requested)
        self.view.card_activated.connect(self._activate)
        self.view.card_peeked.connect(self._peek)
        self.view.current_changed.connect(self._on_current)
        self.view.context_requested.connect(self._on_context)
        if self.filter is not None:
            self.filter.filter_changed.connect(self._on_filter)
        self.scope.owner.activated.connect(self._on_filter)
        self.scope.line.activated.connect(self._on_filter)
        self.work.inspection_requested.connect(partial(self.open_requested.emit, "inspections"))
        self.empty.action_requested.connect(self._show_everything)
        self.banner.action_requested.connect(self.refresh)
        self._desk.changed.connect(self._on_changed)
        self._desk.sharing.marks_changed.connect(self._on_marks)
        self.panel.conflict_requested.connect(partial(self.open_requested.emit, "sharing"))
        self._desk.actor_changed.connect(self._on_actor)
        self._desk.fault.connect(self._on_fault)

    # -- reading

    def refresh(self) -> None:
        """Read the board again; what is on the screen stays until then."""
        now = self._desk.house.door.clock()
        start = datetime.combine(now.astimezone().date(), time.min).astimezone()
        words = self.filter.text() if self.filter is not None else ""
        wanted = self.scope.wanted(words, self._desk.actor)
        self.loading.start()
        self._desk.read(
            lambda session: read_board(session, wanted, start),
            self._take,
            owner=self,
            key="board",
            failed=self._failed,
        )

    def _fresh(self, board: Board) -> BoardModel:
        now, marks = self._desk.house.door.clock(), self._desk.sharing.marks
        return BoardModel(board, self._desk.actor, now, kept_limits(), {}, marks=marks)

    def _on_marks(self) -> None:
        self.model = replace(self.model, marks=self._desk.sharing.marks)
        self._show()

    def _take(self, board: Board) -> None:
        self.loading.finish()
        self.banner.show_text("")
        before = self.model
        moving = {key: to for key, to in before.pending.items() if key not in self._settled}
        self._settled.clear()
        fresh = self._fresh(board)
        self.model = replace(fresh, pending=moving, unfolded=before.unfolded)
        self.scope.offer_lines(board.lines)
        self._offer_people()
        self._show()

    def _failed(self, error: BaseException) -> None:
        self.loading.finish()
        if isinstance(error, LinesideError):
            self.banner.show_text(error.sentence, "Retry")
        else:
            self._desk.tasks.unhandled.emit(error)

    def _show(self) -> None:
        board = self.model.board
        self.view.set_columns(self.model.columns())
        self._on_current(self.view.current_card())
        nothing = not board.orders and not board.done_today
        self.empty.setVisible(nothing)
        if nothing and board.open_total:
            self.empty.set_text("No open order matches what is chosen above.", "Show everything")
        elif nothing:
            self.empty.set_text("No order is open. Import a plan or create an order.", "Work orders")
        shown, filtered = len(board.orders), len(board.orders) < board.open_total
        if self.filter is not None:
            self.filter.set_count(shown, filtered)
        self.note.setText(
            "M move · S next step · B block · U unblock · A assign · Ctrl+I issue · Q inspection · Enter details"
        )

    def _on_changed(self, entities: frozenset[str]) -> None:
        if entities & _ENTITIES or entities == EVERYTHING:
            self._refresh_soon.start()

    def _on_actor(self, _actor: object) -> None:
        self._offer_people()
        self.refresh()

    def _on_fault(self, key: str, sentence: object) -> None:
        if key == "store" and sentence and self.model.pending:
            self._settled.update(self.model.pending)
            self.refresh()

    def _on_filter(self, _value: object) -> None:
        self.refresh()

    def _show_everything(self) -> None:
        if not self.model.board.open_total:
            self.open_requested.emit("orders", None)
            return
        if self.filter is not None:
            self.filter.clear()
        self.scope.show_all()
        self.refresh()

    def _offer_people(self) -> None:
        self.scope.offer_people(self._desk.actor, self.model.board.people)

    # -- cards

    def _shown_board(self) -> BoardModel:
        return self.model

    def _on_current(self, key: str) -> None:
        order = self.model.order(key)
        stage = order.current if order is not None else None
        reason = None if stage is not None else _NO_CARD
        own = stage is not None and not self.model.movable(stage)
        fixed = self.model.card(order).disabled_reason if own and order is not None else reason
        for action in _ON_CARD:
            moves = action in ("board.move", "board.advance")
            self.actions_set.set_unavailable(action, fixed if moves else reason)
        blocked = stage is not None and stage.status is StageStatus.BLOCKED
        self.actions_set.set_unavailable(
            "board.block", fixed or (f"{stage.name} is blocked already." if blocked and stage else None)
        )
        self.actions_set.set_unavailable(
            "board.unblock", fixed or (None if blocked or stage is None else f"{stage.name} is not blocked.")
        )
        if order is not None and self.panel.isVisible() and not self.panel.pinned:
            self.panel.show_order(order.id)

    def _activate(self, key: str) -> None:
        order = self.model.order(key)
        if order is not None:
            self.panel.show_order(order.id)
            self.panel.set_pinned(True)
            return
        column = next((c.key for c in self.model.columns() if more_key(c.key) == key), None)
        if column is not None:
            self.model = replace(self.model, unfolded=self.model.unfolded | {column})
            self._show()

    def _peek(self, key: str) -> None:
        order = self.model.order(key)
        if order is None:
            return
        if self.panel.isVisible() and self.panel.order_id == order.id:
            self.panel.hide()
        else:
            self.panel.set_pinned(False)
            self.panel.show_order(order.id)

    def close_layer(self) -> bool:
        shown = self.panel.isVisible()
        if shown:
            self.panel.close_panel()
            self.view.setFocus()
        return shown

    # -- moving

    def _refusal(self, card: str, column: str) -> str | None:
        return self.model.refusal(card, column)

    def move_card(self, card: str, column: str) -> None:
        """Drag, key and menu all end here: the card moves at once, and comes back with a sentence when refused."""
        order, refusal = self.model.order(card), self.model.refusal(card, column)
        if refusal is not None or order is None:
            self._desk.refused.emit(refusal or "This card is not on the board any more.")
            return
        self.model = self.model.moving(order.id, column)
        self._show()
        self._desk.perform(
            move_order_to_stage(order_id=order.id, stage_name=FINISHED if column == DONE_COLUMN else column),
            owner=self,
            done=partial(self._moved, order.id),
            failed=partial(self._snap_back, order.id),
        )

    def _moved(self, order_id: UUID, _outcome: Outcome[Any]) -> None:
        self._settled.add(order_id)
        self.refresh()

    def _snap_back(self, order_id: UUID, refusal: Refused) -> None:
        self.model = self.model.settled(order_id)
        self._show()
        self._desk.refused.emit(refusal.sentence)
        self.refresh()

    def _move_requested(self, _card: str) -> None:
        self.actions_set.trigger("board.move")

    def choose_target(self) -> None:
        """A menu of the columns beside the card; a letter chooses, what is refused says why."""
        card = self.view.current_card()
        if self.model.order(card) is None:
            return
        self._menu.clear()
        self._add_targets(self._menu, card)
        self._menu.popup(self.view.viewport().mapToGlobal(self.view.card_rect(card).bottomLeft()))

    def _add_targets(self, menu: QMenu, card: str) -> None:
        for key, title, refusal in self.model.targets(card):
            action = menu.addAction(f"&{title}" if refusal is None else f"&{title}  —  {refusal}")
            action.setEnabled(refusal is None)
            action.triggered.connect(partial(self._target_chosen, card, key))

    def _target_chosen(self, card: str, column: str, _checked: bool = False) -> None:
        self.move_card(card, column)

    def _on_context(self, card: str, at: QPoint) -> None:
        if self.model.order(card) is None:
            return
        self.view.set_current_card(card)
        self._menu.clear()
        moves = self._menu.addMenu("Move to")
        self._add_targets(moves, card)
        for key in ("advance", "block", "unblock", "assign", "issue", "inspect"):
            self._menu.addAction(self.actions_set.action(f"board.{key}"))
        self._menu.addSeparator()
        self._menu.addAction(self.actions_set.action("board.limits"))
        self._menu.popup(at)

    def set_limits(self) -> None:
        """How many cards a column should hold at most on this computer's board."""
        ask_for_limits(self.model.board.stage_names, self.refresh, self)

    def open_with(self, argument: object) -> None:
        """A filter line, or the id of an order whose card becomes current."""
        if isinstance(argument, UUID):
            if str(argument) in {card.key for column in self.view.columns() for card in column.cards}:
                self.view.set_current_card(str(argument))
            self.panel.show_order(argument)
        else:
            super().open_with(argument)
