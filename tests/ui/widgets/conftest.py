"""A light theme at desk density for every widget test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from ui.theme import Density, Theme, install_theme


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme.installed or install_theme(qapp, "light")
    made.set_scheme("light")
    made.set_density(Density.DESK)
    yield made
    made.set_scheme("light")
    made.set_density(Density.DESK)
