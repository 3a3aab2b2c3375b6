"""How it goes with the server: what is on its way, what it did not take, what was merged, what others did."""

from ui.screens.sync.screen import SharingScreen

__all__ = ["SharingScreen"]
