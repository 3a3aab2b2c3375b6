"""The one theme of the process: scheme, density, palette, fonts, icons, and a signal when they change."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, ClassVar, Literal, cast

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QToolTip

from ui.theme.icons import glyph_icon
from ui.theme.tokens import DARK, LIGHT, Tokens, mix

Scheme = Literal["light", "dark", "system"]


class Density(Enum):
    """How near the eye and how clean the finger: desk and mouse, gloves, or a wall seen from 5 m."""

    DESK = "desk"
    TOUCH = "touch"
    WALL = "wall"

    @property
    def row_height(self) -> int:
        return {Density.DESK: 28, Density.TOUCH: 64, Density.WALL: 45}[self]

    @property
    def control_height(self) -> int:
        return {Density.DESK: 32, Density.TOUCH: 64, Density.WALL: 52}[self]

    @property
    def type_scale(self) -> float:
        return 1.6 if self is Density.WALL else 1.0


_PIXELS = {"meta": 12, "body": 13, "strong": 13, "section": 16, "title": 20, "kpi": 28, "wall": 40}
_DEMI = {"strong", "section", "title", "kpi", "wall"}
# Fusion draws control edges as palette Window darkened by this; see `_control_palette`.
_FUSION_OUTLINE = 1.4
_EDGED = (
    "QLineEdit",
    "QAbstractSpinBox",
    "QComboBox",
    "QPushButton",
    "QPlainTextEdit",
    "QCheckBox",
    "QRadioButton",
)


class Theme(QObject):
    """Tokens, density, fonts and icons; `changed` tells every painter to look again."""

    changed = Signal()
    # One screen, one theme: paint functions have no constructor to receive it through.
    installed: ClassVar[Theme | None] = None

    def __init__(
        self, scheme: Scheme = "system", density: Density = Density.DESK, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._scheme: Scheme = scheme
        self._density = density
        self._tokens = self._resolve()
        self._fonts: dict[str, QFont] = {}
        self._icons: dict[tuple[str, str], QIcon] = {}
        self._app: QApplication | None = None
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    @property
    def tokens(self) -> Tokens:
        return self._tokens

    @property
    def density(self) -> Density:
        return self._density

    @property
    def scheme(self) -> Scheme:
        """What was asked for; `tokens.name` says what it came to."""
        return self._scheme

    def set_scheme(self, scheme: Scheme) -> None:
        if scheme != self._scheme:
            self._scheme = scheme
            self._refresh()

    def set_density(self, density: Density) -> None:
        if density is not self._density:
            self._density = density
            self._refresh()

    def apply(self, app: QApplication) -> None:
        """Put Fusion, our palettes and our body font on the application, now and after each change."""
        self._app = app
        if app.style().objectName().lower() != "fusion":
            app.setStyle("Fusion")
        palette = self._palette()
        app.setPalette(palette)
        edged = self._control_palette(palette)
        # The stubs of 6.11 ask for bytes where only str is taken.
        set_palette: Callable[[QPalette, str], None] = cast(Any, QApplication).setPalette
        for name in _EDGED:
            set_palette(edged, name)
        QToolTip.setPalette(palette)
        app.setFont(self.font("body"))
        QToolTip.setFont(self.font("meta"))

    def font(self, role: str) -> QFont:
        """Font of a role: meta, body, strong, section, title, kpi, wall; digits share one width."""
        if role not in self._fonts:
            self._fonts[role] = self._make_font(role)
        return self._fonts[role]

    def icon(self, name: str, role: str = "text") -> QIcon:
        """Outline icon (plain names are Phosphor's) in a token's colour; follows the scheme by itself."""
        key = (name, role)
        if key not in self._icons:
            self._icons[key] = glyph_icon(name, partial(self._icon_colour, role))
        return self._icons[key]

    def _icon_colour(self, role: str, mode: QIcon.Mode) -> QColor:
        if mode == QIcon.Mode.Disabled:
            return self._tokens.disabled
        return cast(QColor, getattr(self._tokens, role))

    def _make_font(self, role: str) -> QFont:
        pixels = _PIXELS[role]
        if self._density is Density.TOUCH and role in ("body", "strong"):
            pixels = 14
        elif self._density is Density.WALL and role == "kpi":
            pixels = 40
        elif self._density is Density.WALL and role != "wall":
            pixels = round(pixels * self._density.type_scale)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
        font.setPixelSize(pixels)
        if role in _DEMI:
            font.setWeight(QFont.Weight.DemiBold)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def _resolve(self) -> Tokens:
        if self._scheme == "system":
            wants_dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
            return DARK if wants_dark else LIGHT
        return DARK if self._scheme == "dark" else LIGHT

    def _system_changed(self) -> None:
        if self._scheme == "system" and self._resolve() is not self._tokens:
            self._refresh()

    def _refresh(self) -> None:
        self._tokens = self._resolve()
        self._fonts.clear()
        if self._app is not None:
            self.apply(self._app)
        self.changed.emit()

    def _palette(self) -> QPalette:
        t, role = self._tokens, QPalette.ColorRole
        colours = {
            role.Window: t.canvas,
            role.WindowText: t.text,
            role.Base: t.base,
            role.AlternateBase: t.panel,
            role.Text: t.text,
            role.PlaceholderText: t.text2,
            role.Button: t.panel,
            role.ButtonText: t.text,
            role.BrightText: t.text,
            role.Highlight: t.selection,
            role.HighlightedText: t.text,
            role.Accent: t.focus,
            role.Link: t.accent,
            role.LinkVisited: t.accent,
            role.ToolTipBase: t.base,
            role.ToolTipText: t.text,
            role.Light: mix(t.panel, t.base, 0.5),
            role.Midlight: t.panel,
            role.Mid: t.divider,
            role.Dark: t.border,
            role.Shadow: t.border,
        }
        palette = QPalette()
        for name, colour in colours.items():
            palette.setColor(QPalette.ColorGroup.All, name, colour)
        grey = QPalette.ColorGroup.Disabled
        for name in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText, role.HighlightedText):
            palette.setColor(grey, name, t.disabled)
        palette.setColor(grey, role.Base, t.panel)
        palette.setColor(grey, role.Highlight, t.divider)
        return palette

    def _control_palette(self, palette: QPalette) -> QPalette:
        """Palette for controls with an edge: Fusion derives it from Window, which they never fill with.

        Choosing Window so that the darkened colour is our border gives >= 3:1 without any style sheet.
        """
        edged = QPalette(palette)
        border = self._tokens.border
        lifted = border.lighter(round(_FUSION_OUTLINE * 100))
        edged.setColor(QPalette.ColorGroup.All, QPalette.ColorRole.Window, lifted)
        # The edge of a focused field is made from Highlight, so that has to be the focus colour here.
        for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive):
            edged.setColor(group, QPalette.ColorRole.Highlight, self._tokens.focus)
            edged.setColor(group, QPalette.ColorRole.HighlightedText, self._tokens.on_accent)
        return edged


def install_theme(app: QApplication, scheme: Scheme = "system", density: Density = Density.DESK) -> Theme:
    """Make the theme of this process and put it on the application; called once, at start."""
    theme = Theme(scheme, density, app)
    theme.apply(app)
    Theme.installed = theme
    return theme


def current_theme() -> Theme:
    """The installed theme; a RuntimeError before `install_theme`."""
    if Theme.installed is None:
        raise RuntimeError("install_theme() must run before the first widget is made")
    return Theme.installed
