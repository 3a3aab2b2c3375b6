"""Contrast, fonts, icons and the switch between schemes."""

from __future__ import annotations

from itertools import combinations

import pytest
from PySide6.QtGui import QFont, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QLineEdit, QRadioButton
from pytestqt.qtbot import QtBot

from tests.ui.widgets.pictures import has_colour, pixels, widget_pixels
from ui.theme import DARK, LIGHT, Density, Theme, Tokens, contrast, current_theme, mix

BOTH = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])


@BOTH
def test_every_text_colour_reaches_four_and_a_half_to_one_on_every_surface(tokens: Tokens) -> None:
    for surface in (tokens.canvas, tokens.panel, tokens.base, tokens.selection):
        for ink in (tokens.text, tokens.text2, tokens.accent):
            assert contrast(ink, surface) >= 4.5, (ink.name(), surface.name())
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5


@BOTH
def test_control_edges_focus_and_series_reach_three_to_one(tokens: Tokens) -> None:
    for surface in (tokens.canvas, tokens.panel, tokens.base):
        assert contrast(tokens.border, surface) >= 3
        assert contrast(tokens.focus, surface) >= 3
    for line in tokens.series:
        assert contrast(line, tokens.base) >= 3, line.name()


@BOTH
def test_digits_read_on_their_alarm_shape_and_text_reads_on_tinted_rows(tokens: Tokens) -> None:
    for priority in (1, 2, 3, 4):
        colour = tokens.alarm(priority)
        assert contrast(colour.glyph, colour.fill) >= 4.5
        assert contrast(tokens.text, tokens.row_tint(priority)) >= 6.8
        edge = colour.fill if tokens.dark else tokens.shape_outline
        assert contrast(edge, tokens.panel) >= 3


@BOTH
def test_series_and_alarm_colours_are_all_different(tokens: Tokens) -> None:
    fills = [tokens.alarm(p).fill for p in (1, 2, 3, 4)]
    for one, other in combinations([*tokens.series, *fills], 2):
        assert one != other


def test_a_priority_outside_one_to_four_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 to 4"):
        LIGHT.alarm(0)


def test_no_font_is_smaller_than_twelve_pixels_in_any_density(theme: Theme) -> None:
    for density in Density:
        theme.set_density(density)
        for role in ("meta", "body", "strong", "section", "title", "kpi", "wall"):
            font: QFont = theme.font(role)
            assert font.pixelSize() >= 12
            assert font.featureValue(QFont.Tag("tnum")) == 1


def test_gloves_get_controls_of_sixty_four_pixels(theme: Theme) -> None:
    theme.set_density(Density.TOUCH)
    assert (theme.density.row_height, theme.density.control_height) == (64, 64)


def test_the_palette_fills_all_groups_and_greys_what_is_disabled(theme: Theme, qapp: QApplication) -> None:
    theme.set_scheme("dark")
    palette = qapp.palette()
    for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive):
        assert palette.color(group, QPalette.ColorRole.Text) == DARK.text
        assert palette.color(group, QPalette.ColorRole.PlaceholderText) == DARK.text2
    assert palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text) == DARK.disabled


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_edge_of_a_field_stands_out_also_while_it_has_focus(
    theme: Theme, qtbot: QtBot, scheme: str
) -> None:
    theme.set_scheme("dark" if scheme == "dark" else "light")
    field = QLineEdit()
    qtbot.addWidget(field)
    field.resize(200, 32)
    field.show()
    qtbot.waitExposed(field)
    for focus in (False, True):
        if focus:
            field.activateWindow()
            field.setFocus()
            qtbot.waitUntil(field.hasFocus)
        edge = field.grab().toImage().pixelColor(100, 0)
        assert contrast(edge, theme.tokens.canvas) >= 3, edge.name()


def test_an_icon_takes_the_colour_of_the_present_scheme(theme: Theme) -> None:
    icon: QIcon = theme.icon("play")
    assert has_colour(pixels(icon.pixmap(64, 64).toImage()), LIGHT.text).any()
    theme.set_scheme("dark")
    dark = pixels(icon.pixmap(64, 64).toImage())
    assert has_colour(dark, DARK.text).any()
    assert not has_colour(dark, LIGHT.text).any()


def test_mixing_nothing_and_everything_gives_the_two_ends() -> None:
    assert mix(LIGHT.base, LIGHT.text, 0) == LIGHT.base
    assert mix(LIGHT.base, LIGHT.text, 1) == LIGHT.text


def test_setting_the_same_scheme_again_tells_nobody(theme: Theme, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(theme.changed):
        theme.set_scheme("light")
    with qtbot.waitSignal(theme.changed):
        theme.set_scheme("dark")
    assert current_theme().tokens is DARK


def test_two_hundred_thousand_text_changes_do_not_abort_the_interpreter(theme: Theme, qtbot: QtBot) -> None:
    """PySide6 6.12.0 on Python 3.11 loses a reference to None with every call that returns nothing."""
    field = QLineEdit()
    qtbot.addWidget(field)
    for _ in range(100_000):
        field.setText("a")
        field.setText("b")
    assert field.text() == "b"
    assert widget_pixels(field).size


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_ring_of_a_choice_stands_out_also_before_it_is_chosen(
    theme: Theme, qtbot: QtBot, scheme: str
) -> None:
    theme.set_scheme("dark" if scheme == "dark" else "light")
    button = QRadioButton("mine")
    qtbot.addWidget(button)
    button.show()
    picture = button.grab().toImage()
    across = [picture.pixelColor(x, picture.height() // 2) for x in range(14)]
    assert max(contrast(colour, theme.tokens.canvas) for colour in across) >= 3
