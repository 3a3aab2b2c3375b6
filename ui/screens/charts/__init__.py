"""Curves of any signals over any time, live and stored."""

from ui.screens.charts.screen import ChartsScreen

__all__ = ["ChartsScreen"]
