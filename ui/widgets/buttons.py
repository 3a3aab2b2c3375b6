"""Push buttons of the right height: ordinary, the one primary of a view, and icon only."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QMenu, QPushButton, QStyle, QStyleOptionButton, QToolButton, QWidget

from ui.theme import Density, current_theme, mix

_PADDING = 16
_ICON_GAP = 4


class ActionButton(QPushButton):
    """A button with the theme's control height; `primary` fills it with the accent colour."""

    def __init__(
        self, text: str, parent: QWidget | None = None, *, primary: bool = False, icon: str | None = None
    ) -> None:
        super().__init__(text, parent)
        self._primary = primary
        self._icon_name = icon
        self._words, self._compact = text, False
        self.setAutoDefault(False)
        current_theme().changed.connect(self._restyle)
        self._restyle()

    def refuse(self, reason: str | None) -> None:
        """Disable with a reason that tooltip and accessible name carry; None enables again."""
        self.setEnabled(reason is None)
        self.setToolTip(reason or (self.text() if self._compact else ""))
        self.setAccessibleName(f"{self.text()} (not available: {reason})" if reason else self.text())

    def text(self) -> str:
        return self._words

    def setText(self, text: str) -> None:
        self._words = text
        if self._compact:
            self._say_words()
        else:
            super().setText(text)

    @property
    def can_be_compact(self) -> bool:
        """Whether its icon says enough where there is no room for words."""
        return self._icon_name is not None

    def set_compact(self, compact: bool) -> None:
        """Show the icon alone; tooltip and accessible name keep the words."""
        if compact == self._compact:
            return
        self._compact = compact
        super().setText("" if compact else self._words)
        self._say_words()

    def _say_words(self) -> None:
        if self.isEnabled():
            self.setAccessibleName(self._words)
        if self._compact and not self.toolTip():
            self.setToolTip(self._words)

    def full_width(self) -> int:
        """Width in px with its words, also while they are not shown."""
        return self._width_with(self._words)

    def reserve(self, texts: Iterable[str]) -> None:
        """Be wide enough for each of these words, so that nothing beside it moves when it changes its own."""
        self.setMinimumWidth(max(self._width_with(text) for text in texts))

    def _width_with(self, text: str) -> int:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = text
        words = option.fontMetrics.size(Qt.TextFlag.TextShowMnemonic, text)
        icon = self.iconSize().width() + _ICON_GAP if not self.icon().isNull() else 0
        wish = QSize(words.width() + icon, words.height())
        kind = QStyle.ContentsType.CT_PushButton
        return self.style().sizeFromContents(kind, option, wish, self).width() + _PADDING

    def compact_width(self) -> int:
        """Width in px with the icon alone."""
        return max(self.minimumHeight(), self.iconSize().width() + 2 * _PADDING)

    def sizeHint(self) -> QSize:
        if self._compact:
            return QSize(self.compact_width(), max(self.minimumHeight(), super().sizeHint().height()))
        return super().sizeHint() + QSize(_PADDING, 0)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._primary or not self.isEnabled():
            super().paintEvent(event)
            return
        # Fusion washes the button colour out, and with it the contrast of the text; this does not.
        painter = QPainter(self)
        try:
            self._paint_primary(painter)
        finally:
            painter.end()

    def _paint_primary(self, painter: QPainter) -> None:
        t = current_theme().tokens
        down = self.isDown() or self.underMouse()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mix(t.accent, t.text, 0.2) if down else t.accent)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(box, 3, 3)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(t.on_accent, 1))
            painter.drawRoundedRect(box.adjusted(2.5, 2.5, -2.5, -2.5), 2, 2)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.rect = self.rect()
        self.style().drawControl(QStyle.ControlElement.CE_PushButtonLabel, option, painter, self)

    def _restyle(self) -> None:
        theme = current_theme()
        self.setMinimumHeight(theme.density.control_height)
        self.setFont(theme.font("strong" if self._primary else "body"))
        if self._icon_name is not None:
            self.setIcon(theme.icon(self._icon_name, "on_accent" if self._primary else "text"))
        if self._primary:
            palette = QPalette(self.palette())
            active = (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive)
            for group in active:
                palette.setColor(group, QPalette.ColorRole.Button, theme.tokens.accent)
                palette.setColor(group, QPalette.ColorRole.ButtonText, theme.tokens.on_accent)
            self.setPalette(palette)


class MenuButton(ActionButton):
    """A button that opens `menu`; `name` says for what, to those who cannot see where it stands."""

    def __init__(self, text: str, menu: QMenu, name: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setAccessibleName(name)
        self.setMenu(menu)


class IconButton(QToolButton):
    """A flat button with an icon only; `name` is what a screen reader and the tooltip say."""

    def __init__(self, icon: str, name: str, parent: QWidget | None = None, *, shortcut: str = "") -> None:
        super().__init__(parent)
        self._icon_name = icon
        self.setAutoRaise(True)
        self.setAccessibleName(name)
        self.setToolTip(f"{name} ({shortcut})" if shortcut else name)
        current_theme().changed.connect(self._restyle)
        self._restyle()

    def set_icon(self, icon: str) -> None:
        self._icon_name = icon
        self._restyle()

    def _restyle(self) -> None:
        theme = current_theme()
        side = 64 if theme.density is Density.TOUCH else theme.density.row_height
        self.setIcon(theme.icon(self._icon_name))
        self.setIconSize(QSize(min(28, side * 5 // 8), min(28, side * 5 // 8)))
        self.setFixedSize(side, side)
