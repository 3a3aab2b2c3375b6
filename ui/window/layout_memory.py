"""Remembers how each role left its windows: size, place on the screens, navigation, last place."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSettings
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

VERSION = 1
_LEAST = 200


def clamped(wanted: QRect, screens: list[QRect]) -> QRect:
    """`wanted` moved and cut so that it lies on one screen: the one that shows most of it, else the first."""
    if not screens:
        return wanted

    def overlap(screen: QRect) -> int:
        shared = screen.intersected(wanted)
        return shared.width() * shared.height() if shared.isValid() else 0

    screen = max(screens, key=overlap)
    width = max(min(wanted.width(), screen.width()), min(_LEAST, screen.width()))
    height = max(min(wanted.height(), screen.height()), min(_LEAST, screen.height()))
    left = min(max(wanted.left(), screen.left()), screen.right() - width + 1)
    top = min(max(wanted.top(), screen.top()), screen.bottom() - height + 1)
    return QRect(left, top, width, height)


class LayoutMemory:
    """Reads and writes one group of settings a role; what an older version wrote is not read."""

    def __init__(self, settings: QSettings | None = None) -> None:
        self._settings = settings if settings is not None else QSettings()

    def _key(self, role: str, name: str) -> str:
        return f"window/{VERSION}/{role}/{name}"

    def save(self, window: QMainWindow, role: str, *, narrow: bool, place: str) -> None:
        """Keep this window's frame for the role."""
        values = {
            "geometry": window.normalGeometry(),
            "maximized": window.isMaximized(),
            "narrow": narrow,
            "place": place,
            "state": window.saveState(VERSION),
        }
        for name, value in values.items():
            self._settings.setValue(self._key(role, name), value)

    def restore(self, window: QMainWindow, role: str) -> tuple[bool, str]:
        """Put the window where the role left it; returns (narrow navigation, last place), defaults when new."""
        geometry = self._settings.value(self._key(role, "geometry"))
        if isinstance(geometry, QRect) and geometry.isValid():
            window.setGeometry(clamped(geometry, [s.availableGeometry() for s in QGuiApplication.screens()]))
        state = self._settings.value(self._key(role, "state"))
        if state is not None:
            window.restoreState(state, VERSION)
        if self._flag(role, "maximized"):
            window.showMaximized()
        return self._flag(role, "narrow"), str(self._settings.value(self._key(role, "place"), "dashboard"))

    def _flag(self, role: str, name: str) -> bool:
        # An INI file gives back text.
        return str(self._settings.value(self._key(role, name), "false")).lower() == "true"

    def forget(self, role: str) -> None:
        """Back to the layout of the first start, columns of lists included."""
        self._settings.remove(f"window/{VERSION}/{role}")
        self._settings.remove("lists")
