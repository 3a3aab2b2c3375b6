"""What the actions that work everywhere do: the part of a window that is behind its keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ui.theme import Density, current_theme
from ui.widgets.dialog_card import DialogCard
from ui.window.account import PasswordCard
from ui.window.key_sheet import KeySheet
from ui.window.palette_items import screen_actions

if TYPE_CHECKING:
    from ui.window.main_window import MainWindow


class WindowCommands(QObject):
    """The handlers of one window, by key of `ui.actions`."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._before_wall = Density.DESK

    def handlers(self) -> dict[str, Callable[[], None]]:
        window = self._window
        return {
            "palette": self.open_palette,
            "undo": window.undo_history.undo_last,
            "help": self.show_keys,
            "filter": self.focus_filter,
            "back": window.go_back,
            "next-alarm": self.next_alarm,
            "refresh": self.refresh,
            "mute": window.sound.mute,
            "test-sound": window.sound.test,
            "wall": self.toggle_wall,
            "new-window": window.window_requested.emit,
            "lock": window.sessions.lock,
            "switch-user": window.sessions.switch_user,
            "change-password": self.change_password,
            "theme": self.toggle_theme,
            "density": self.toggle_density,
            "reset-layout": window.reset_layout,
        }

    def open_palette(self) -> None:
        self._window.palette_wiring.open_palette()

    def show_keys(self) -> None:
        sheet = KeySheet()
        card = DialogCard("Keys", sheet, self._window)
        card.setObjectName("keysCard")
        card.resize(
            min(sheet.sizeHint().width() + 16, self._window.width() - 80),
            min(660, self._window.height() - 100),
        )
        card.show_card()

    def focus_filter(self) -> None:
        pane = self._window.panes.current()
        if self._asked_screen("filter"):
            return
        if pane is not None and pane.filter is not None:
            pane.filter.setFocus()

    def _asked_screen(self, key: str) -> bool:
        """Let the screen do it, where it has an action of this name."""
        own = screen_actions(self._window.panes.current())
        keys = own.keys() if own is not None else []
        if own is None or key not in keys:
            return False
        own.trigger(key)
        return True

    def refresh(self) -> None:
        pane = self._window.panes.current()
        if pane is not None and not self._asked_screen("refresh"):
            pane.refresh()

    def next_alarm(self) -> None:
        """To the alarm list, which knows which one is next."""
        pane = self._window.open_place("alarms")
        step = getattr(pane, "select_next_unacked", None)
        if callable(step):
            step()

    def toggle_wall(self) -> None:
        """Full screen, large type, no navigation; the same key leads back."""
        window, theme = self._window, current_theme()
        wall = not window.isFullScreen()
        window.navigation.setVisible(not wall)
        if wall:
            self._before_wall = theme.density
        theme.set_density(Density.WALL if wall else self._before_wall)
        if wall:
            window.showFullScreen()
        else:
            window.showNormal()

    def change_password(self) -> None:
        PasswordCard(self._window.desk, self._window).show_card()

    def toggle_theme(self) -> None:
        theme = current_theme()
        theme.set_scheme("light" if theme.tokens.dark else "dark")

    def toggle_density(self) -> None:
        theme = current_theme()
        theme.set_density(Density.DESK if theme.density is not Density.DESK else Density.TOUCH)
