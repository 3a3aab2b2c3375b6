"""The permission table: what each role may do, on one page."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from app.domain.people import PERMISSIONS, Permission, Role
from ui.theme import current_theme
from ui.widgets.themed import LEFT


class PermissionModel(QAbstractTableModel):
    """Rows are permissions, columns are roles."""

    permissions = tuple(Permission)
    roles = tuple(Role)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.permissions)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.roles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation is Qt.Orientation.Horizontal:
            return self.roles[section].value.capitalize()
        words = self.permissions[section].value
        return words[0].upper() + words[1:]

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        permission, who = self.permissions[index.row()], self.roles[index.column()]
        allowed = who in PERMISSIONS[permission]
        if role == Qt.ItemDataRole.DisplayRole:
            return "✔" if allowed else "–"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return f"{who.value} {'may' if allowed else 'may not'} {permission.value}"
        return None


class PermissionMatrix(QTableView):
    """The whole permission table; the role of the chosen user is marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("permissionMatrix")
        self.setAccessibleName("Who may do what")
        self.setModel(PermissionModel(self))
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectColumns)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.horizontalHeader().setDefaultSectionSize(104)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultAlignment(LEFT)
        self.verticalHeader().setHighlightSections(False)
        self.verticalHeader().setFixedWidth(300)
        current_theme().changed.connect(self._restyle)
        self._restyle()

    def mark(self, role: Role | None) -> None:
        """Mark the column of a role."""
        if role is None:
            self.clearSelection()
        else:
            self.selectColumn(PermissionModel.roles.index(role))

    def _restyle(self) -> None:
        self.verticalHeader().setDefaultSectionSize(current_theme().density.row_height)
