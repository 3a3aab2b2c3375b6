"""The address space of a machine as a tree that is asked for branch by branch; values are ticked in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from ui.bridge.machine_talk import BrowseNode
from ui.screens.machines.draft import Draft, Pick

Index = QModelIndex | QPersistentModelIndex
WordsRole = int(Qt.ItemDataRole.UserRole)
"""data: all that a filter looks at, in one text; the proxy asks it of thousands of rows."""
_FEW = 100  # of more rows than these the whole view is painted anew
_TITLES = ("Name", "Address", "")


class _Branch:
    """One node; `children` is None until the machine was asked."""

    __slots__ = ("asked", "children", "node", "parent", "row")

    def __init__(self, node: BrowseNode | None, parent: _Branch | None, row: int) -> None:
        self.node, self.parent, self.row = node, parent, row
        self.children: list[_Branch] | None = None
        self.asked = False


def _unasked_top() -> _Branch:
    """A root that no view gets to unfold by itself."""
    top = _Branch(None, None, 0)
    top.asked = True
    return top


class TreeModel(QAbstractItemModel):
    """`wanted` asks for the children of a branch, to be given to `put`; `picked` when a tick was set or taken."""

    wanted = Signal(object)
    picked = Signal()

    def __init__(self, draft: Draft, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self._root = _unasked_top()

    def begin(self) -> None:
        """Forget everything and ask for the top."""
        self.clear()
        self._root.asked = False
        self.fetchMore(QModelIndex())

    def clear(self) -> None:
        """Forget everything; nothing is asked before `begin`."""
        old = self._root  # Qt holds pointers into it until the reset is over
        self.beginResetModel()
        self._root = _unasked_top()
        self.endResetModel()
        del old

    def put(self, branch: _Branch, nodes: list[BrowseNode]) -> None:
        """The children of a branch have arrived."""
        if branch.children is not None or not self._lives(branch):
            return
        if not nodes:
            branch.children = []
            return
        self.beginInsertRows(self._index_of(branch), 0, len(nodes) - 1)
        branch.children = [_Branch(node, branch, row) for row, node in enumerate(nodes)]
        self.endInsertRows()

    def forget_question(self, branch: _Branch) -> None:
        """The answer did not come; it may be asked again."""
        branch.asked = False

    def _lives(self, branch: _Branch) -> bool:
        top = branch
        while top.parent is not None:
            top = top.parent
        return top is self._root

    def _branch(self, index: Index) -> _Branch:
        found: _Branch = index.internalPointer() if index.isValid() else self._root
        return found

    def _index_of(self, branch: _Branch) -> QModelIndex:
        return QModelIndex() if branch.node is None else self.createIndex(branch.row, 0, branch)

    def node(self, index: Index) -> BrowseNode | None:
        """What the machine said of the entry."""
        return self._branch(index).node

    # -- what Qt asks ----------------------------------------------------------------------------------

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        children = self._branch(parent).children
        if children is None or not 0 <= row < len(children):
            return QModelIndex()
        return self.createIndex(row, column, children[row])

    def parent(self, index: Index = QModelIndex()) -> Any:  # noqa: B008 - Qt has two of this name
        above = self._branch(index).parent if index.isValid() else None
        return QModelIndex() if above is None else self._index_of(above)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        if parent.column() > 0:
            return 0
        return len(self._branch(parent).children or ())

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return len(_TITLES)

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008 - Qt's signature
        branch = self._branch(parent)
        if branch.children is not None:
            return bool(branch.children)
        return branch.node is None or branch.node.has_children

    def canFetchMore(self, parent: Index) -> bool:
        branch = self._branch(parent)
        return branch.children is None and not branch.asked and self.hasChildren(parent)

    def fetchMore(self, parent: Index) -> None:
        branch = self._branch(parent)
        if branch.children is None and not branch.asked:
            branch.asked = True
            self.wanted.emit(branch)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        node = self._branch(index).node
        if node is not None and node.readable and index.column() == 0:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        node = self._branch(index).node
        if node is None:
            return None
        if role == WordsRole:
            return f"{node.name} {node.address} {node.detail}"
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            detail = "already a tag" if node.address in self._draft.known else node.detail
            return (node.name, node.address if node.readable else "", detail)[index.column()]
        if role == Qt.ItemDataRole.CheckStateRole and node.readable and index.column() == 0:
            ticked = node.address in self._draft.picks
            return Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.tick(index, Qt.CheckState(value) == Qt.CheckState.Checked)
        return True

    def tick(self, index: Index, wanted: bool) -> None:
        """Choose a value, or leave it."""
        self.tick_all([index], wanted)

    def tick_all(self, indexes: Sequence[Index], wanted: bool) -> None:
        """Choose values, or leave them; what is no value stays as it is."""
        for index in indexes:
            node = self._branch(index).node
            if node is None or not node.readable:
                continue
            if wanted:
                self._draft.picks[node.address] = Pick(node.address, node.name, node.states)
            else:
                self._draft.picks.pop(node.address, None)
        for index in indexes if len(indexes) < _FEW else indexes[:1]:
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.CheckStateRole])
        self.picked.emit()

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _TITLES[section]
        return None
