"""The list of places at the left: icons, digits, hidden where a role never has business."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QScrollArea,
    QScroller,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.actions import PLACES, Place
from ui.bridge.desk import Desk
from ui.theme import Density
from ui.widgets.themed import LEFT, RIGHT, ThemedWidget, draw_focus_ring, draw_text

WIDE, NARROW = 176, 52


def digit_of(place: Place) -> str:
    """The digit that opens a place with Alt; empty beyond the tenth."""
    number = PLACES.index(place) + 1
    return str(number % 10) if number <= 10 else ""


class _Entry(QAbstractButton):
    """One place."""

    def __init__(self, place: Place, nav: Navigation) -> None:
        super().__init__()
        self.place, self._nav = place, nav
        self.narrow = False
        self.setObjectName(f"nav-{place.key}")
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        keys = f"G {place.letter}" + (f" or Alt+{digit_of(place)}" if digit_of(place) else "")
        self.setAccessibleName(place.title)
        self.setToolTip(f"{place.title} ({keys})")

    def sizeHint(self) -> QSize:
        return QSize(NARROW if self.narrow else WIDE, max(34, self._nav.theme.density.control_height))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, t = self._nav.theme, self._nav.tokens
        painter = QPainter(self)
        try:
            box = QRectF(self.rect())
            if self.isChecked():
                painter.fillRect(box, t.selection)
                painter.fillRect(QRectF(0, 0, 3, box.height()), t.accent)
            elif self.underMouse():
                painter.fillRect(box, t.hover)
            icon = 20
            top = round((box.height() - icon) / 2)
            theme.icon(self.place.icon).paint(painter, 16, top, icon, icon)
            if not self.narrow:
                role = "strong" if self.isChecked() else "body"
                # Who wears gloves presses no key: there the words have the room of its digit.
                digit = digit_of(self.place) if theme.density is not Density.TOUCH else ""
                words = box.adjusted(48, 0, -28 if theme.density is not Density.TOUCH else -4, 0)
                draw_text(painter, words, self.place.title, theme.font(role), t.text, LEFT)
                draw_text(painter, box.adjusted(0, 0, -10, 0), digit, theme.font("meta"), t.text2, RIGHT)
            if self.hasFocus():
                draw_focus_ring(painter, box, t)
        finally:
            painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() == Qt.Key.Key_Down:
            self.focusNextChild()
        elif event.key() == Qt.Key.Key_Up:
            self.focusPreviousChild()
        else:
            super().keyPressEvent(event)


class Navigation(ThemedWidget):
    """Asks for a place with `chosen`; the window answers with `show_current`."""

    chosen = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("navigation")
        self.setAccessibleName("Places")
        self._desk = desk
        self._narrow = self._crowded = False
        self._entries = {place.key: _Entry(place, self) for place in PLACES}
        places = QWidget()
        layout = QVBoxLayout(places)
        layout.setContentsMargins(0, 8, 0, 8)
        layout.setSpacing(1)
        for key, entry in self._entries.items():
            entry.clicked.connect(partial(self._clicked, key))
            layout.addWidget(entry)
        layout.addStretch(1)
        self._scroll = self._scrolled(places)
        desk.actor_changed.connect(self._on_actor)
        self._on_actor()
        self.set_narrow(False)

    def _scrolled(self, places: QWidget) -> QScrollArea:
        """Entries keep their height where there is no room for all, by the wheel, a finger or the Tab key."""
        area = QScrollArea()
        area.setObjectName("navigationScroll")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidgetResizable(True)
        area.setWidget(places)
        for surface in (area.viewport(), places):
            surface.setAutoFillBackground(False)
        QScroller.grabGesture(area.viewport(), QScroller.ScrollerGestureType.TouchGesture)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 1, 0)
        around.addWidget(area)
        return area

    def allowed(self, place: str) -> bool:
        """Whether the place is ever this person's business."""
        needed = self._entries[place].place.permission
        actor = self._desk.actor
        return needed is None or (actor is not None and actor.may(needed))

    def allowed_places(self) -> list[Place]:
        return [place for place in PLACES if self.allowed(place.key)]

    @property
    def narrow(self) -> bool:
        """Whether a person wants icons only; a crowded window shows them anyway."""
        return self._narrow

    @property
    def last_stop(self) -> QWidget:
        """The entry that the Tab key leaves the list from."""
        return self._entries[PLACES[-1].key]

    def set_narrow(self, narrow: bool) -> None:
        """Icons only, or with words."""
        self._narrow = narrow
        self._show_width()

    def set_crowded(self, crowded: bool) -> None:
        """The window has no room for words; somebody who toggles the list wants them all the same."""
        if crowded != self._crowded:
            self._crowded = crowded
            self._show_width()

    def toggle(self) -> None:
        shown = self._narrow or self._crowded
        self._crowded = False
        self.set_narrow(not shown)

    def _show_width(self) -> None:
        narrow = self._narrow or self._crowded
        self.setFixedWidth(NARROW if narrow else WIDE)
        for entry in self._entries.values():
            entry.narrow = narrow
            entry.update()

    def show_current(self, place: str) -> None:
        for key, entry in self._entries.items():
            entry.setChecked(key == place)
        self._scroll.ensureWidgetVisible(self._entries[place], 0, 0)

    def _clicked(self, place: str, _checked: bool = False) -> None:
        self._entries[place].setChecked(True)
        self.chosen.emit(place)

    def _on_actor(self, _actor: object = None) -> None:
        if self._desk.actor is None:
            return  # the list is covered while nobody is logged in; hiding entries would only make it jump
        for key, entry in self._entries.items():
            entry.setVisible(self.allowed(key))

    def restyle(self) -> None:
        for entry in self._entries.values():
            entry.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), self.tokens.panel)
            painter.fillRect(self.width() - 1, 0, 1, self.height(), self.tokens.divider)
        finally:
            painter.end()
