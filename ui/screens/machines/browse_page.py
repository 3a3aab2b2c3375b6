"""Third step for machines that name their values: a lazy tree to tick them in."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from app.domain.errors import LinesideError
from ui.bridge.machine_talk import BrowseNode, MachineTalk
from ui.screens.machines.draft import Draft
from ui.screens.machines.tree_model import TreeModel, WordsRole
from ui.theme import current_theme
from ui.widgets.buttons import ActionButton
from ui.widgets.filter_field import FilterField
from ui.widgets.states import Banner, LoadingBar
from ui.widgets.themed import RoleLabel


class _Tree(QTreeView):
    """A tree whose space key ticks every selected value."""

    tick_requested = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self.tick_requested.emit()
        else:
            super().keyPressEvent(event)


class _Row(QStyledItemDelegate):
    """Rows as high as those of a list."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(super().sizeHint(option, index).width(), current_theme().density.row_height)


class BrowsePage(QWidget):
    """`changed` when something was ticked."""

    changed = Signal()

    def __init__(self, draft: Draft, talk: MachineTalk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._talk = draft, talk
        self._pending = 0
        self.model = TreeModel(draft, self)
        self._filtered = QSortFilterProxyModel(self)
        self._filtered.setSourceModel(self.model)
        self._filtered.setRecursiveFilteringEnabled(True)
        self._filtered.setAutoAcceptChildRows(True)
        self._filtered.setFilterKeyColumn(0)
        self._filtered.setFilterRole(WordsRole)
        self._filtered.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.filter = FilterField("among what is unfolded", noun=("value", "values"))
        self.tree = _Tree()
        self.again = ActionButton("Look again", icon="arrow-clockwise")
        self.counter = RoleLabel("", "body", "text2")
        self.loading = LoadingBar()
        self.banner = Banner()
        self.banner.hide()
        self._build()
        self.model.wanted.connect(self._ask)
        self.model.picked.connect(self._picked)
        self.filter.filter_changed.connect(self._filter)
        self.again.clicked.connect(self.look_again)
        self.tree.tick_requested.connect(self._tick_selected)

    def _build(self) -> None:
        tree = self.tree
        tree.setObjectName("browse-tree")
        tree.setAccessibleName("Values of the machine")
        tree.setModel(self._filtered)
        tree.setItemDelegate(_Row(tree))
        tree.setUniformRowHeights(True)
        tree.setSelectionMode(QTreeView.SelectionMode.ExtendedSelection)
        tree.setAllColumnsShowFocus(True)
        header = tree.header()
        header.setStretchLastSection(True)
        header.resizeSection(0, 360)
        header.resizeSection(1, 360)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        head = QHBoxLayout()
        head.addWidget(self.filter, 1)
        head.addWidget(self.counter)
        head.addWidget(self.again)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.loading)
        layout.addWidget(self.banner)
        layout.addWidget(tree, 1)

    def start(self) -> None:
        """Show the top of the machine, once."""
        if not self.model.rowCount():
            self.look_again()
        self._picked()
        self.tree.setFocus()

    def look_again(self) -> None:
        """Ask the machine anew; what is ticked stays ticked."""
        self.banner.show_text("")
        self.model.begin()

    def _ask(self, branch: Any) -> None:
        self._pending += 1
        self.loading.start()
        address = None if branch.node is None else branch.node.address
        self._talk.children(
            address,
            partial(self._take, branch),
            partial(self._failed, branch),
            owner=self,
            key=f"browse {id(branch)}",
        )

    def _take(self, branch: Any, nodes: list[BrowseNode]) -> None:
        self._answered()
        self.model.put(branch, nodes)
        if branch.node is None:
            if len(nodes) == 1:
                self.tree.expand(self._filtered.index(0, 0))
            self.tree.setCurrentIndex(self._filtered.index(0, 0))
            if not nodes:
                self.banner.show_text("The machine shows nothing yet. Wait a moment and look again.")

    def _failed(self, branch: Any, error: BaseException) -> None:
        self._answered()
        self.model.forget_question(branch)
        if not isinstance(error, LinesideError):
            raise error
        self.banner.show_text(error.sentence)

    def _answered(self) -> None:
        self._pending -= 1
        if not self._pending:
            self.loading.finish()

    def _filter(self, text: str) -> None:
        self._filtered.setFilterFixedString(text)

    def _tick_selected(self) -> None:
        rows = [self._filtered.mapToSource(i) for i in self.tree.selectionModel().selectedRows()]
        values = [i for i in rows if (node := self.model.node(i)) is not None and node.readable]
        wanted = any(i.data(Qt.ItemDataRole.CheckStateRole) != Qt.CheckState.Checked for i in values)
        self.model.tick_all(values, wanted)
        self.tree.viewport().update()

    def _picked(self) -> None:
        count = len(self._draft.picks)
        self.counter.setText("1 value chosen" if count == 1 else f"{count:,} values chosen")
        self.changed.emit()

    def current(self) -> QModelIndex:
        """The entry that has the focus, in the tree's own model."""
        return self._filtered.mapToSource(self.tree.currentIndex())
