"""What a station shows of a row: the row as the server has it, with the own changes that are not confirmed on top.

A row is a mapping of its columns, without the id, to values as JSON knows them; `version` counts its changes. None is
a row that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]

VERSION = "version"


class BrokenHistoryError(Exception):
    """A change that does not follow from the row as it is known here; only a new copy of the server's rows helps."""


@dataclass(frozen=True, slots=True)
class OwnPatch:
    """What one own change does to one row: column → (value before, value after); `version` is a new row's first."""

    creates: bool
    fields: Mapping[str, tuple[Any, Any]]
    version: int = 1


@dataclass(frozen=True, slots=True)
class ServerPatch:
    """What one entry of the server's log did to one row: its columns as stored, and its version after it."""

    creates: bool
    version: int
    fields: Mapping[str, Any]


def fold(row: Row | None, patches: Iterable[OwnPatch]) -> dict[str, Any] | None:
    """The row with `patches` on top, in their order; a patch of a row that does not exist does nothing.

    A creation of a row that exists already sets its values: the server had it before this station knew.
    """
    shown = dict(row) if row is not None else None
    for patch in patches:
        if shown is None:
            if not patch.creates:
                continue
            shown = {VERSION: patch.version - 1}
        for name, (_, after) in patch.fields.items():
            shown[name] = after
        shown[VERSION] += 1
    return shown


def unwind(shown: Row | None, patches: Sequence[OwnPatch]) -> dict[str, Any] | None:
    """The inverse of `fold` where each patch was made on exactly what was there before it."""
    row = dict(shown) if shown is not None else None
    for patch in reversed(patches):
        if row is None:
            continue
        if patch.creates:
            row = None
            continue
        for name, (before, _) in patch.fields.items():
            row[name] = before
        row[VERSION] -= 1
    return row


def advance(row: Row | None, patch: ServerPatch) -> dict[str, Any]:
    """The server's row after one more entry of its log; raises `BrokenHistoryError` where one is missing."""
    if patch.creates != (row is None):
        raise BrokenHistoryError(
            "a row was made twice" if patch.creates else "a row that is not known changed"
        )
    if row is not None and patch.version != row[VERSION] + 1:
        raise BrokenHistoryError(f"version {patch.version} of a row follows {row[VERSION]}")
    return {**(row or {}), **patch.fields, VERSION: patch.version}


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a row is kept here: what is shown, and the server's row where it cannot be told from what is shown."""

    shown: dict[str, Any] | None
    shadow: bool


def drawn(server: Row | None, patches: Sequence[OwnPatch]) -> Drawing:
    """The row as it is shown, and whether the server's row has to be kept beside it."""
    shown = fold(server, patches)
    return Drawing(shown, bool(patches) and unwind(shown, patches) != server)
