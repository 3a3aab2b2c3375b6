"""The colour tables of both schemes, and the WCAG contrast that they are held to."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor


@dataclass(frozen=True)
class AlarmColour:
    """Fill of an alarm shape and the colour of the digit on it."""

    fill: QColor
    glyph: QColor


@dataclass(frozen=True)
class Tokens:
    """Every colour that the program may use; treat the QColor objects as constants."""

    name: str
    canvas: QColor
    panel: QColor
    base: QColor
    text: QColor
    text2: QColor
    border: QColor
    accent: QColor
    on_accent: QColor
    focus: QColor
    selection: QColor
    divider: QColor
    shape_outline: QColor
    alarms: tuple[AlarmColour, AlarmColour, AlarmColour, AlarmColour]
    series: tuple[QColor, ...]

    @property
    def dark(self) -> bool:
        return self.name == "dark"

    def alarm(self, priority: int) -> AlarmColour:
        """Colours of priority 1 (critical) to 4 (diagnostic); anything else is a ValueError."""
        if not 1 <= priority <= 4:
            raise ValueError(f"alarm priority must be 1 to 4, not {priority}")
        return self.alarms[priority - 1]

    def row_tint(self, priority: int) -> QColor:
        """Opaque background of a list row that carries an alarm; text stays >= 6.8:1 on it."""
        return mix(self.base, self.alarm(priority).fill, 0.22 if self.dark else 0.16)

    @property
    def band(self) -> QColor:
        """Normal band behind a line or under a pointer: text 2 at 10 %, made opaque on base."""
        return mix(self.base, self.text2, 0.14)

    @property
    def disabled(self) -> QColor:
        return mix(self.panel, self.text2, 0.7)

    @property
    def hover(self) -> QColor:
        return mix(self.base, self.text2, 0.08)


def mix(under: QColor, over: QColor, share: float) -> QColor:
    """`over` painted with opacity `share` (0 to 1) on opaque `under`, as one opaque colour.

    Alpha takes Qt's slow raster path; mixing beforehand does not.
    """
    rest = 1.0 - share
    return QColor(
        round(under.red() * rest + over.red() * share),
        round(under.green() * rest + over.green() * share),
        round(under.blue() * rest + over.blue() * share),
    )


def _luminance(colour: QColor) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio 1 to 21 of two opaque colours (WCAG 2.x, relative luminance)."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _alarm(fill: str, glyph: str) -> AlarmColour:
    return AlarmColour(QColor(fill), QColor(glyph))


def _colours(*names: str) -> tuple[QColor, ...]:
    return tuple(QColor(name) for name in names)


LIGHT = Tokens(
    name="light",
    canvas=QColor("#DFE2E5"),
    panel=QColor("#ECEEF0"),
    base=QColor("#F7F8F9"),
    text=QColor("#1A1E23"),
    text2=QColor("#48515B"),
    border=QColor("#6C747D"),
    accent=QColor("#235A97"),
    on_accent=QColor("#FFFFFF"),
    focus=QColor("#0B4F9E"),
    selection=QColor("#CFDDED"),
    divider=QColor("#C3C8CE"),
    shape_outline=QColor("#1A1E23"),
    alarms=(
        _alarm("#C8102E", "#FFFFFF"),
        _alarm("#E87400", "#1A1E23"),
        _alarm("#F5D000", "#1A1E23"),
        _alarm("#7A4FA3", "#FFFFFF"),
    ),
    series=_colours("#1F2A38", "#6C44A4", "#8A8329", "#336A54", "#808D9F", "#411F00"),
)

DARK = Tokens(
    name="dark",
    canvas=QColor("#1C2024"),
    panel=QColor("#252A2F"),
    base=QColor("#20252A"),
    text=QColor("#E6E9EC"),
    text2=QColor("#B0B8C1"),
    border=QColor("#87919C"),
    accent=QColor("#86B6E9"),
    on_accent=QColor("#14181C"),
    focus=QColor("#9CC7F5"),
    selection=QColor("#2A3F56"),
    divider=QColor("#3C444C"),
    shape_outline=QColor("#1A1E23"),
    alarms=(
        _alarm("#FF5A5F", "#1A1E23"),
        _alarm("#FF8A1F", "#1A1E23"),
        _alarm("#FFE45C", "#1A1E23"),
        _alarm("#B794E0", "#1A1E23"),
    ),
    series=_colours("#CBD9EC", "#B48DF4", "#6C7E2A", "#62F6BF", "#985B93", "#629A82"),
)
