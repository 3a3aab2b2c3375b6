"""Accounts, their roles and what each role may do."""

from ui.screens.users.screen import UsersScreen

__all__ = ["UsersScreen"]
