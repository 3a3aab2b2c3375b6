"""The stage board and its forms."""

from ui.screens.board.screen import BoardScreen

__all__ = ["BoardScreen"]
