"""A strip of small pictures with a button to add more; files can be dropped on it and pictures pasted into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFontMetrics,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QMenu,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ui.theme import Density, current_theme
from ui.widgets.buttons import ActionButton
from ui.widgets.themed import CENTRE, RoleLabel, ThemedWidget, draw_focus_ring, draw_text

_Index = QModelIndex | QPersistentModelIndex
_ROWS_SHOWN = 2
_SHARE = 0.3  # of the height of a window, that all rows together take at most
_HINT = "Drop photos or files here, or paste a picture with Ctrl+V."


@dataclass(frozen=True)
class Tile:
    """One photo or file: `picture` null for none, `state` in words with its sign, `share` sent or fetched (0 to 1)."""

    key: UUID
    name: str
    picture: QPixmap
    icon: str
    state: str
    tip: str
    share: float | None = None


class AttachmentStrip(ThemedWidget):
    """Shows tiles and says what a person wants with them; it changes nothing itself."""

    add_requested = Signal()
    files_dropped = Signal(list)
    picture_pasted = Signal(QImage)
    open_requested = Signal(object)
    save_requested = Signal(object)
    remove_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attachment-strip")
        self._refusal: str | None = None
        self._dragged_over = False
        self.tiles = _Tiles(self)
        self.list = _TileList()
        self.list.setModel(self.tiles)
        self.heading = RoleLabel("Photos and files", "strong")
        self.hint = RoleLabel(_HINT, "body", "text2")
        self.hint.setWordWrap(True)
        self.add_button = ActionButton("Add photo…", icon="camera")
        self.add_button.setObjectName("attachment-add")
        self.add_button.clicked.connect(self._add)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.heading, 1)
        head.addWidget(self.add_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 6)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self.hint)
        layout.addWidget(self.list)
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.list.activated.connect(self._on_activated)
        self.list.clicked.connect(self._on_activated)
        self.list.customContextMenuRequested.connect(self._on_menu)
        self.set_tiles(())

    def set_tiles(self, tiles: Sequence[Tile]) -> None:
        """Show these; the current one stays current."""
        self.tiles.show(tiles)
        self.hint.setVisible(not tiles)
        self.list.setVisible(bool(tiles))
        self.list.fit()
        count = f" ({len(tiles)})" if tiles else ""
        self.heading.setText(f"Photos and files{count}")
        self._fit_head()

    def refuse(self, reason: str | None) -> None:
        """Take nothing in, for this reason; None takes again."""
        self._refusal = reason
        self.add_button.refuse(reason)
        self.hint.setText(reason or _HINT)

    def restyle(self) -> None:
        self.list.fit()
        self._fit_head()

    def _fit_head(self) -> None:
        """Where both do not fit, the button shows its icon alone."""
        words = self.heading.sizeHint().width() + self.add_button.full_width() + 28
        self.add_button.set_compact(words > self.width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_head()

    # -- coming in

    def _add(self) -> None:
        self.add_requested.emit()

    def paste(self) -> None:
        """Take what is on the clipboard: files, or a picture."""
        content = QGuiApplication.clipboard().mimeData()
        if self._refusal is not None:
            return
        files = _files_of(content)
        if files:
            self.files_dropped.emit(files)
        elif content.hasImage():
            image = QGuiApplication.clipboard().image()
            if not image.isNull():
                self.picture_pasted.emit(image)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._take_or_leave(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._take_or_leave(event)

    def _take_or_leave(self, event: QDragMoveEvent) -> None:
        wanted = self._refusal is None and bool(_files_of(event.mimeData()) or event.mimeData().hasImage())
        if wanted:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
        else:
            event.ignore()
        self._show_drag(wanted)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._show_drag(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._show_drag(False)
        files = _files_of(event.mimeData())
        image = event.mimeData().imageData()
        if self._refusal is not None or not (files or isinstance(image, QImage)):
            event.ignore()
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if files:
            self.files_dropped.emit(files)
        else:
            self.picture_pasted.emit(image)

    def _show_drag(self, over: bool) -> None:
        if over != self._dragged_over:
            self._dragged_over = over
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current = self.list.currentIndex()
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.key() == Qt.Key.Key_Delete and current.isValid():
            self.remove_requested.emit(self.tiles.at(current).key)
        else:
            super().keyPressEvent(event)

    # -- the tiles

    def _on_activated(self, index: QModelIndex) -> None:
        self.open_requested.emit(self.tiles.at(index).key)

    def _on_menu(self, at: QPoint) -> None:
        index = self.list.indexAt(at)
        if index.isValid():
            menu = self.menu_of(self.tiles.at(index).key)
            menu.popup(self.list.viewport().mapToGlobal(at))

    def menu_of(self, key: UUID) -> QMenu:
        """What can be done with one tile."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for words, signal in (
            ("Open", self.open_requested),
            ("Save as…", self.save_requested),
            ("Remove", self.remove_requested),
        ):
            menu.addAction(words).triggered.connect(partial(_emit, signal, key))
        return menu

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.setPen(QPen(self.tokens.divider, 1))
            painter.drawLine(0, 0, self.width(), 0)
            if self._dragged_over:
                painter.fillRect(self.rect(), self.tokens.band)
                draw_focus_ring(painter, QRectF(self.rect()), self.tokens)
        finally:
            painter.end()


def _emit(signal: Any, key: UUID, _checked: bool) -> None:
    signal.emit(key)


def _files_of(content: Any) -> list[Path]:
    urls = content.urls() if content is not None else []
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]


class _Tiles(QAbstractListModel):
    """The tiles as a model: a list view brings keys, focus, scrolling and screen readers along."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._shown: list[Tile] = []

    def show(self, tiles: Sequence[Tile]) -> None:
        new = list(tiles)
        if [tile.key for tile in new] == [tile.key for tile in self._shown]:
            self._shown = new
            if new:
                self.dataChanged.emit(self.index(0), self.index(len(new) - 1))
            return
        self.beginResetModel()
        self._shown = new
        self.endResetModel()

    def at(self, index: _Index) -> Tile:
        return self._shown[index.row()]

    @property
    def shown(self) -> Sequence[Tile]:
        return self._shown

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - as Qt declares it
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        tile = self._shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return tile.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return tile.tip
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{tile.name}, {tile.state}" if tile.state else tile.name
        return None


class _TileList(QListView):
    """Tiles side by side in rows; as high as they need, up to two rows, then it scrolls.

    In a low window one row is enough: what the photos belong to is read above them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("attachment-tiles")
        self.setAccessibleName("Photos and files")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setAutoFillBackground(False)
        self.viewport().setAutoFillBackground(False)
        self.setItemDelegate(_TilePainter(self))
        self.setMouseTracking(True)
        self.setAcceptDrops(False)

    def fit(self) -> None:
        tile = tile_size()
        self.setGridSize(tile)
        across = max(1, (self.viewport().width() - 2) // tile.width())
        rows = -(-max(1, self.model().rowCount()) // across)
        room = max(1, int(self.window().height() * _SHARE / tile.height()))
        self.setFixedHeight(min(rows, _ROWS_SHOWN, room) * tile.height() + 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste) or event.key() == Qt.Key.Key_Delete:
            event.ignore()  # the strip takes these
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.activated.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


def tile_size() -> QSize:
    """Size in px of one tile with its words, gaps included."""
    theme = current_theme()
    side = 120 if theme.density is Density.TOUCH else round(80 * theme.density.type_scale)
    line = QFontMetrics(theme.font("meta")).height()
    return QSize(side + 8, round(side * 0.7) + 2 * line + 16)


class _TilePainter(QStyledItemDelegate):
    """Draws one tile: the picture as large as it fits, the name, and where its bytes are."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        return tile_size()

    def paint(self, painter: QPainter, option: Any, index: _Index) -> None:
        model = index.model()
        assert isinstance(model, _Tiles)
        tile, theme = model.at(index), current_theme()
        line = QFontMetrics(theme.font("meta")).height()
        box: QRect = option.rect.adjusted(4, 4, -4, -4)
        frame = QRect(box.left(), box.top(), box.width(), box.height() - 2 * line - 4)
        painter.save()
        try:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            hot = option.state & QStyle.StateFlag.State_MouseOver
            painter.fillRect(frame, theme.tokens.hover if hot else theme.tokens.base)
            self._paint_picture(painter, frame.adjusted(2, 2, -2, -2), tile)
            painter.setPen(QPen(theme.tokens.border, 1))
            painter.drawRect(frame.adjusted(0, 0, -1, -1))
            if tile.share is not None:
                done = QRect(frame.left(), frame.bottom() - 4, round(frame.width() * tile.share), 4)
                painter.fillRect(done, theme.tokens.accent)
            words = QRect(box.left(), frame.bottom() + 4, box.width(), line)
            draw_text(painter, words, tile.name, theme.font("meta"), theme.tokens.text)
            words.translate(0, line)
            draw_text(painter, words, tile.state, theme.font("meta"), theme.tokens.text2)
            if option.state & QStyle.StateFlag.State_HasFocus:
                draw_focus_ring(painter, QRectF(option.rect), theme.tokens)
        finally:
            painter.restore()

    def _paint_picture(self, painter: QPainter, frame: QRect, tile: Tile) -> None:
        if tile.picture.isNull():
            side = min(40, frame.height())
            spot = QStyle.alignedRect(Qt.LayoutDirection.LeftToRight, CENTRE, QSize(side, side), frame)
            current_theme().icon(tile.icon, "text2").paint(painter, spot)
            return
        size = tile.picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
        spot = QStyle.alignedRect(Qt.LayoutDirection.LeftToRight, CENTRE, size, frame)
        painter.drawPixmap(spot, tile.picture)
