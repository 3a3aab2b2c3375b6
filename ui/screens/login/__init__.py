"""Who are you: opening the data, the first administrator or a server to join, logging in."""

from ui.screens.login.card import RULE
from ui.screens.login.screen import LoginScreen

__all__ = ["RULE", "LoginScreen"]
