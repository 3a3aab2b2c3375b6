"""The frame that every screen shares: a title line with filter and actions, and the content below it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from ui.widgets.buttons import ActionButton
from ui.widgets.filter_field import FilterField
from ui.widgets.states import Banner, LoadingBar
from ui.widgets.themed import RoleLabel, ThemedWidget

MARGIN = 12


class Pane(ThemedWidget):
    """Base of a screen. `open_requested(place, argument)` asks the window to show another place.

    Subclasses fill `body` (a vertical layout), may call `add_filter()` and `add_tool()`, and override `refresh()`,
    which runs when the pane is shown for the first time and whenever what it shows may have changed.
    `job_changed(key, words, share)` puts long work into the window's list of jobs: share below 0 is unknown,
    1 takes it away; the window answers a click on Cancel with `cancel_job`. `action_wanted` names an action of the
    window itself.
    """

    open_requested = Signal(str, object)
    job_changed = Signal(str, str, float)
    action_wanted = Signal(str)
    shown = Signal()

    def __init__(self, place: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"pane-{place}")
        self.place = place
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.title_label = RoleLabel(title, "title")
        self.filter: FilterField | None = None
        self._head = QHBoxLayout()
        self._head.setSpacing(8)
        self._head.addWidget(self.title_label)
        self._head.addSpacing(8)
        self._tools = QHBoxLayout()
        self._tools.setSpacing(8)
        self._head.addStretch(1)
        self._head.addLayout(self._tools)
        self.loading = LoadingBar()
        self.banner = Banner()
        self.banner.hide()
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, 8)
        layout.setSpacing(8)
        layout.addLayout(self._head)
        layout.addWidget(self.loading)
        layout.addWidget(self.banner)
        layout.addLayout(self.body, 1)

    @property
    def title(self) -> str:
        return self.title_label.text()

    def add_filter(self, hint: str, noun: tuple[str, str] = ("row", "rows")) -> FilterField:
        """A filter field in the title line; the window's "/" key goes to it. `noun`: what it counts, one and many."""
        self.filter = FilterField(hint, noun=noun)
        self._head.insertWidget(2, self.filter, 3)
        return self.filter

    def add_tool(self, widget: QWidget) -> None:
        """A button or field at the right end of the title line; the primary action comes last."""
        self._tools.addWidget(widget)

    def _fit_head(self) -> None:
        """Where the title line has no room for all words, buttons show their icons alone, the least important first."""
        buttons = [button for button in self._tool_buttons_in_head() if not button.isHidden()]
        spare = self.width() - 2 * MARGIN - self._head_width(buttons)
        compact = set()
        for button in (b for b in buttons if b.can_be_compact):
            if spare >= 0:
                break
            compact.add(button)
            spare += button.full_width() - button.compact_width()
        for button in buttons:
            button.set_compact(button in compact)

    def _tool_buttons_in_head(self) -> list[ActionButton]:
        widgets = (item.widget() for i in range(self._tools.count()) if (item := self._tools.itemAt(i)))
        found: list[ActionButton] = []
        for widget in widgets:
            if isinstance(widget, ActionButton):
                found.append(widget)
            elif widget is not None:
                found += widget.findChildren(ActionButton)
        return found

    def _head_width(self, buttons: list[ActionButton]) -> int:
        """What the title line needs at least while all buttons show their words."""
        short = sum(button.full_width() - button.minimumSizeHint().width() for button in buttons)
        return self._head.minimumSize().width() + short

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit_head()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_head()

    def order_stops(self, after: QWidget) -> None:
        """Let the Tab key go with the eye: from `after` to the filter, the tools, and then the content."""
        everything = self._stops()
        items = [line.itemAt(i) for line in (self._head, self._tools) for i in range(line.count())]
        head = [part for item in items if item is not None and (part := item.widget()) is not None]
        first = [stop for part in head for stop in everything if part is stop or part.isAncestorOf(stop)]
        for stop in [*first, *(stop for stop in everything if stop not in first)]:
            QWidget.setTabOrder(after, stop)
            after = stop

    def _stops(self) -> list[QWidget]:
        """What the Tab key stops at in this pane, in the present order."""
        stops = []
        stop = self.nextInFocusChain()
        while stop is not None and stop is not self:
            if self.isAncestorOf(stop) and stop.focusPolicy() & Qt.FocusPolicy.TabFocus:
                stops.append(stop)
            stop = stop.nextInFocusChain()
        return stops

    def refresh(self) -> None:
        """Look again at what the pane shows."""

    def cancel_job(self, key: str) -> None:
        """Somebody wants the job `key` to stop; panes that run jobs of this name override it."""

    def open_with(self, argument: object) -> None:
        """The window opened this pane with an argument: a row id, or a filter line as text."""
        if isinstance(argument, str) and self.filter is not None:
            self.filter.set_text(argument)

    def restyle(self) -> None:
        for choice in self.findChildren(QComboBox):  # Qt sizes them by itself; all others know the density
            choice.setMinimumHeight(self.theme.density.control_height)
            choice.setFont(self.theme.font("body"))

    def close_layer(self) -> bool:
        """Take away what lies over the content (a panel with details, say); False when there was nothing."""
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        main = self.focusProxy()
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.filter is not None and self.filter.isAncestorOf(self.focusWidget()) and main is not None:
            main.setFocus(Qt.FocusReason.OtherFocusReason)
        elif not self.close_layer():
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.restyle()
        self.shown.emit()
