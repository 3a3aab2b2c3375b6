"""A table model over a list of any length: the true row count, pages read by key when they come into view."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)
from sqlalchemy.orm import Session

from app.domain.errors import LinesideError
from app.store.queries.listing import MANY, Anchor, Listing, ListReader, ListRequest, ListRow
from ui.bridge.desk import EVERYTHING, Desk
from ui.models.table_header import header_answer
from ui.models.wording import cell
from ui.widgets.roles import GlyphRole, MutedRole, UnsentRole
from ui.widgets.themed import LEFT, RIGHT

Index = QModelIndex | QPersistentModelIndex
PAGE = 200
_KEPT_PAGES = 25


@dataclass(frozen=True)
class ColumnLook:
    """How a column shows its values: words, an optional glyph (see `GlyphRole`), whether its row stands back."""

    key: str
    title: str = ""
    width: int = 120
    words: Callable[[Mapping[str, Any]], str] | None = None
    glyph: Callable[[Mapping[str, Any]], tuple[str, Any] | None] | None = None


@dataclass(frozen=True)
class _Answer:
    """What a reader thread found: the count (None when it was not asked for) and some pages.

    A count that is not `exact` is a lower bound; the true one follows by itself.
    """

    generation: int
    total: int | None
    pages: Mapping[int, Sequence[ListRow]]
    exact: bool = True


class PagedModel(QAbstractTableModel):
    """`listing` as a table. Ordering and filtering happen in SQL; the model keeps the pages last seen.

    `marked` names the table whose rows carry signs of sharing. A refresh keeps the selection on its rows by id.
    `counted` tells rows and whether a filter is on; `failed` a sentence (a filter that cannot be read, a store that
    does not answer). A long list shows its first page before it is counted: `counting` then tells how many rows there
    are at least.
    """

    counted = Signal(int, bool)
    counting = Signal(int)
    failed = Signal(str)
    loading = Signal(bool)

    def __init__(
        self,
        desk: Desk,
        listing: Listing,
        looks: Sequence[ColumnLook],
        entities: frozenset[str],
        *,
        muted: Callable[[Mapping[str, Any]], bool] | None = None,
        marked: str = "",
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._listing = listing
        self._looks = list(looks)
        self._entities = entities
        self._muted = muted
        self._marked = marked
        self._request = ListRequest()
        self._total = 0
        self._generation = 0
        self._pages: OrderedDict[int, Sequence[ListRow]] = OrderedDict()
        self._wanted: set[int] = set()
        self._asked: set[int] = set()
        self._fetch_soon = QTimer(self, singleShot=True, interval=0)
        self._fetch_soon.timeout.connect(self._fetch)
        self._refresh_soon = QTimer(self, singleShot=True, interval=50)
        self._refresh_soon.timeout.connect(self.refresh)
        desk.changed.connect(self._on_changed)
        if marked:
            desk.sharing.marks_changed.connect(self._on_marks)

    # -- what is asked for

    @property
    def request(self) -> ListRequest:
        return self._request

    def set_request(self, request: ListRequest) -> None:
        """Another filter or order: start again at the top, keeping the old rows until the new ones are there."""
        self._request = request
        self._load(keep_place=False)

    def refresh(self) -> None:
        """Read the count and the pages in view again."""
        self._load(keep_place=True)

    def _on_changed(self, entities: frozenset[str]) -> None:
        if entities & self._entities or entities == EVERYTHING:
            self._refresh_soon.start()

    def _reader(self) -> ListReader:
        return ListReader(self._listing, self._request, self._desk.house.door.clock())

    def _load(self, *, keep_place: bool) -> None:
        self._generation += 1
        generation, reader = self._generation, self._reader()
        # The pages seen last: the ones in view are always among them.
        pages = self._pages_to_keep() if keep_place and self._pages else [0]
        self.loading.emit(True)

        def query(session: Session) -> _Answer:
            total = reader.count(session, at_most=MANY + 1)
            if total > MANY and pages == [0]:
                return _Answer(generation, MANY, {0: reader.window(session, 0, PAGE, many=True)}, exact=False)
            if total > MANY:
                total = reader.count(session)
            found = {page: reader.window(session, page * PAGE, PAGE, total) for page in pages}
            return _Answer(generation, total, found)

        done = self._take_refresh if keep_place else self._take_reset
        self._desk.read(query, done, owner=self, key="load", failed=self._on_failed)

    def _pages_to_keep(self) -> list[int]:
        """The pages in view, and those that hold the selection as far as the model keeps pages at all."""
        # The selection makes its indexes persistent only when it hears that the layout is about to change.
        self.layoutAboutToBeChanged.emit()
        chosen = {index.row() // PAGE for index in self.persistentIndexList()}
        self.layoutChanged.emit()
        seen = list(self._pages)[-3:]
        return sorted({*seen, *sorted(chosen - set(seen))[: _KEPT_PAGES - len(seen)]})

    def _on_failed(self, error: BaseException) -> None:
        self.loading.emit(False)
        self._asked.clear()
        if isinstance(error, LinesideError):
            self.failed.emit(error.sentence)
        else:
            self._desk.tasks.unhandled.emit(error)

    # -- what came back

    def _take_reset(self, answer: _Answer) -> None:
        self.beginResetModel()
        self._replace(answer, 0)
        self.endResetModel()
        self._announce(answer.exact)

    def _take_refresh(self, answer: _Answer) -> None:
        """Put the new rows in place; persistent indexes (the selection) move with their row's id."""
        # The selection makes its indexes persistent only when it hears that the layout is about to change.
        self.layoutAboutToBeChanged.emit()
        olds = self.persistentIndexList()
        ids = [self._loaded_id(index.row()) for index in olds]
        total = self._total
        self._replace(answer, total)
        where = {row.id: page * PAGE + i for page, rows in self._pages.items() for i, row in enumerate(rows)}
        news = [
            self._moved(old, row_id, where, same_length=total == self._total)
            for old, row_id in zip(olds, ids, strict=True)
        ]
        self.changePersistentIndexList(olds, news)
        self.layoutChanged.emit()
        self._announce(answer.exact)

    def _moved(
        self, old: QModelIndex, row_id: UUID | None, where: Mapping[UUID, int], *, same_length: bool
    ) -> QModelIndex:
        """Where an index goes: to its row's id; a row that was not read again stays while the list is as long."""
        if row_id is not None and row_id in where:
            return self.index(where[row_id], old.column())
        if same_length and old.row() // PAGE not in self._pages:
            return self.index(old.row(), old.column())
        return QModelIndex()

    def _loaded_id(self, row: int) -> UUID | None:
        """The id at this place without asking for its page."""
        rows = self._pages.get(row // PAGE, ())
        return rows[row % PAGE].id if row % PAGE < len(rows) else None

    def _replace(self, answer: _Answer, before: int) -> None:
        total = answer.total or 0
        self._total = total if answer.exact else max(total, before)
        self._pages = OrderedDict(answer.pages)
        self._wanted.clear()
        self._asked.clear()

    def _announce(self, exact: bool) -> None:
        if exact:
            self._told()
            return
        self.counting.emit(MANY)
        reader = self._reader()
        self._desk.read(reader.count, self._take_count, owner=self, key="load", failed=self._on_failed)

    def _told(self) -> None:
        self.loading.emit(False)
        self.counted.emit(self._total, bool(self._request.filter.strip()))

    def _take_count(self, total: int) -> None:
        """The true count of a long list; its first page is on the screen already."""
        if total > self._total:
            self.beginInsertRows(QModelIndex(), self._total, total - 1)
            self._total = total
            self.endInsertRows()
        elif total < self._total:
            self.beginRemoveRows(QModelIndex(), total, self._total - 1)
            self._total = total
            self.endRemoveRows()
        self._told()

    def _fetch(self) -> None:
        pages = sorted(self._wanted - self._asked)[-4:]
        self._wanted.clear()
        if not pages:
            return
        self._asked.update(pages)
        generation, total, reader = self._generation, self._total, self._reader()
        anchors = self._anchors()

        def query(session: Session) -> _Answer:
            found = {page: reader.window(session, page * PAGE, PAGE, total, anchors) for page in pages}
            return _Answer(generation, None, found)

        self._desk.read(query, self._take_pages, owner=self, failed=self._on_failed)

    def _anchors(self) -> list[Anchor]:
        anchors = []
        for page, rows in self._pages.items():
            if rows:
                last = len(rows) - 1
                anchors.append(Anchor(page * PAGE, rows[0].sort_value, rows[0].id))
                anchors.append(Anchor(page * PAGE + last, rows[last].sort_value, rows[last].id))
        return anchors

    def _take_pages(self, answer: _Answer) -> None:
        if answer.generation != self._generation:
            return
        for page, rows in answer.pages.items():
            self._asked.discard(page)
            self._pages[page] = rows
            first, last = page * PAGE, min(page * PAGE + PAGE, self._total) - 1
            self.dataChanged.emit(self.index(first, 0), self.index(last, self.columnCount() - 1))
        while len(self._pages) > _KEPT_PAGES:
            self._pages.popitem(last=False)

    # -- signs of sharing

    def mark(self, row_id: UUID) -> str:
        """The sign of a row that was not sent yet or is in conflict; empty for most."""
        return self._desk.sharing.marks.mark(self._marked, row_id) if self._marked else ""

    def conflict_at(self, row: int) -> int | None:
        """The number of the conflict that a row is in."""
        found = self.id_at(row)
        return None if found is None else self._desk.sharing.marks.conflicts.get(self._marked, {}).get(found)

    def _on_marks(self) -> None:
        if self._total:
            self.dataChanged.emit(self.index(0, 0), self.index(self._total - 1, self.columnCount() - 1))

    # -- rows

    def row_at(self, row: int) -> ListRow | None:
        """The row at this place; None while its page is on the way."""
        page, offset = divmod(row, PAGE)
        rows = self._pages.get(page)
        if rows is None:
            if 0 <= row < self._total:
                self._wanted.add(page)
                if not self._fetch_soon.isActive():
                    self._fetch_soon.start()
            return None
        self._pages.move_to_end(page)
        return rows[offset] if offset < len(rows) else None

    def id_at(self, row: int) -> UUID | None:
        found = self.row_at(row)
        return found.id if found else None

    def values_at(self, row: int) -> Mapping[str, Any]:
        """The values of a row by column key, empty while its page is on the way."""
        found = self.row_at(row)
        return found.values if found else {}

    def find_loaded(self, row_id: UUID) -> int | None:
        """The place of a row among the loaded pages."""
        for page, rows in self._pages.items():
            for offset, row in enumerate(rows):
                if row.id == row_id:
                    return page * PAGE + offset
        return None

    # -- Qt

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._total

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._looks)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self._looks):
            return None
        look = self._looks[section]
        title = look.title or self._listing.column(look.key).title
        return header_answer((look.key, title, look.width), role, right=self._is_number(look))

    def _is_number(self, look: ColumnLook) -> bool:
        return self._listing.column(look.key).kind in ("integer", "decimal")

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        look = self._looks[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if self._is_number(look) else LEFT
        row = self.row_at(index.row())
        if row is None:
            return "…" if role == Qt.ItemDataRole.DisplayRole and index.column() == 0 else None
        if role == Qt.ItemDataRole.DisplayRole:
            return look.words(row.values) if look.words else cell(row.values.get(look.key))
        if role == GlyphRole:
            return look.glyph(row.values) if look.glyph else None
        if role == MutedRole:
            return self._muted is not None and self._muted(row.values)
        if role == UnsentRole:
            return self.mark(row.id) if self._marked and self._desk.sharing.now.joined else None
        return None
