"""Remembers the scheme and the density that people chose on this station."""

from __future__ import annotations

from typing import cast, get_args

from PySide6.QtCore import QObject, QSettings

from ui.theme import Density, current_theme
from ui.theme.appearance import Scheme

_SCHEME, _DENSITY = "look/scheme", "look/density"


class LookMemory(QObject):
    """Puts the look of last time on when made, the station's own settings before there was one; keeps each change."""

    def __init__(self, kept: QSettings, scheme: str, density: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept = kept
        theme = current_theme()
        last = str(kept.value(_SCHEME, scheme))
        if last in get_args(Scheme):
            theme.set_scheme(cast(Scheme, last))
        known = {choice.name.lower(): choice for choice in Density}
        theme.set_density(known.get(str(kept.value(_DENSITY, density)), Density.DESK))
        theme.changed.connect(self._keep)

    def _keep(self) -> None:
        theme = current_theme()
        self._kept.setValue(_SCHEME, theme.scheme)
        if theme.density is not Density.WALL:  # the wall is left by its own key, not by a restart
            self._kept.setValue(_DENSITY, theme.density.name.lower())
