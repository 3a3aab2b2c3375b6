"""The stage board, what can be done with its cards, and what of it is shown."""

from ui.screens.board.screen import BoardScreen

__all__ = ["BoardScreen"]
