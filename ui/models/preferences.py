"""Small things that a person's screens remember on this computer: the last view, a board's limits."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QSettings

_MEMORY: dict[str, str] = {}


def _store() -> QSettings | None:
    return QSettings() if QCoreApplication.organizationName() else None


def _key(person: str, name: str) -> str:
    return f"people/{person or 'nobody'}/{name}"


def remembered(person: str, name: str, default: str = "") -> str:
    """What `remember` was told last for this person, or `default`."""
    store = _store()
    if store is None:
        return _MEMORY.get(_key(person, name), default)
    return str(store.value(_key(person, name), default))


def remember(person: str, name: str, value: str) -> None:
    """Keep a value for this person; without application settings it lasts as long as the program."""
    store = _store()
    if store is None:
        _MEMORY[_key(person, name)] = value
    else:
        store.setValue(_key(person, name), value)
