"""The list of work orders and its forms."""

from ui.screens.orders.screen import VIEWS, OrdersScreen

__all__ = ["VIEWS", "OrdersScreen"]
