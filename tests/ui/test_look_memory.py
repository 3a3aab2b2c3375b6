"""The look that a station keeps from one start to the next."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings

from ui.theme import Density, Theme
from ui.window.look_memory import LookMemory


def _kept(folder: Path) -> QSettings:
    return QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)


def test_the_first_start_takes_the_look_of_the_settings(theme: Theme, tmp_path: Path) -> None:
    LookMemory(_kept(tmp_path), "dark", "touch", theme)
    assert (theme.scheme, theme.density) == ("dark", Density.TOUCH)


def test_a_chosen_look_is_there_again_at_the_next_start_but_the_wall_is_not(
    theme: Theme, tmp_path: Path
) -> None:
    first = LookMemory(_kept(tmp_path), "system", "desk", theme)
    theme.set_scheme("dark")
    theme.set_density(Density.TOUCH)
    theme.set_density(Density.WALL)
    theme.changed.disconnect(first._keep)
    first._kept.sync()
    theme.set_scheme("light")
    LookMemory(_kept(tmp_path), "system", "desk", theme)
    assert (theme.scheme, theme.density) == ("dark", Density.TOUCH)


def test_a_look_that_this_version_does_not_know_falls_back_to_the_desk(theme: Theme, tmp_path: Path) -> None:
    kept = _kept(tmp_path)
    kept.setValue("look/density", "billboard")
    LookMemory(kept, "light", "desk", theme)
    assert theme.density is Density.DESK
