"""The look of Lineside: colours, type, density and icons, in one light and one dark scheme."""

from ui.theme.appearance import Density, Scheme, Theme, current_theme, install_theme
from ui.theme.tokens import DARK, LIGHT, AlarmColour, Tokens, contrast, mix

__all__ = [
    "DARK",
    "LIGHT",
    "AlarmColour",
    "Density",
    "Scheme",
    "Theme",
    "Tokens",
    "contrast",
    "current_theme",
    "install_theme",
    "mix",
]
