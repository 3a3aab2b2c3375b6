"""The list of work orders, its views, forms, figures and export."""

from ui.screens.orders.screen import OrdersScreen

__all__ = ["OrdersScreen"]
