"""What the local door tells the rest of the program after a commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Committed:
    """One committed change: which rows of which entities it touched, and how to name it for an undo."""

    change_id: UUID
    operation: str
    label: str
    actor: str
    undoable: bool
    touched: Mapping[str, tuple[UUID, ...]]
