"""What the shared server may accept of a table: who may set what, which moves are legal, what belongs together.

Each shared table declares one `Sharing`; the server's permission and move tables are made from these declarations, so
that a rule stands once and is judged on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from app.domain.people import Permission

ChoiceT = TypeVar("ChoiceT", bound=str)

ANY_FIELD = "*"
"""Stands for every column that a declaration does not name."""

BIRTH = ""
"""As the value before a move: the row is being created."""

Moves: TypeAlias = Mapping[tuple[str, str], tuple[Permission, ...]]
"""Legal steps (from, to) of one column, with the permissions of which one is needed for the step besides the right to
set the column; none means that this right is enough."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One way to be allowed: a permission; with `own`, only on rows whose column `own` holds the actor's id or name."""

    permission: Permission
    own: str = ""


@dataclass(frozen=True, slots=True)
class Sharing:
    """The rules of one shared table.

    `create` and each value of `change` list the ways to be allowed (any one is enough); `change` maps a column, or
    `ANY_FIELD`, and a column that it does not reach can never change. A soft delete is a change of `deleted`.
    `together` are groups of columns that travel and conflict as one: a patch of one carries all, those that stay as
    [value, value]. `moves` maps a column to its legal steps; steps from `BIRTH`, if there are any, name the values
    that a new row may have. `actor_ids` and `actor_names` are columns that say who did it: what is put there is the
    actor's own id or name. `by_server` are columns that the server alone sets.

    A row is part of what its foreign keys name (those that cannot be empty) and of what `part_of` names: column to
    tables, for ids that may be of one of several. It cannot be made of a deleted row, and a row is not deleted as long
    as living rows are part of it, except through the columns in `outlives`; taking back its creation minds those too.

    Taking back a change (an entry with `undoes`) is judged by the rules of what it takes back: it may delete again
    what `create` let the person create, go a move backwards, and put back another's name.
    """

    create: tuple[Allowed, ...]
    change: Mapping[str, tuple[Allowed, ...]] = field(default_factory=dict)
    together: tuple[frozenset[str], ...] = ()
    moves: Mapping[str, Moves] = field(default_factory=dict)
    actor_ids: frozenset[str] = frozenset()
    actor_names: frozenset[str] = frozenset()
    by_server: frozenset[str] = frozenset()
    part_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outlives: frozenset[str] = frozenset()

    def companions(self, columns: Iterable[str]) -> frozenset[str]:
        """The columns that travel with `columns` although they stay as they are."""
        touched = frozenset(columns)
        groups = [group for group in self.together if group & touched]
        return frozenset().union(*groups) - touched


def by(*permissions: Permission) -> tuple[Allowed, ...]:
    """Allowed by any of `permissions`, on every row."""
    return tuple(Allowed(permission) for permission in permissions)


def setting(columns: str, *ways: Allowed) -> dict[str, tuple[Allowed, ...]]:
    """The same `ways` for each of `columns` (their names with blanks between)."""
    return dict.fromkeys(columns.split(), ways)


def steps(
    table: Mapping[ChoiceT, Iterable[ChoiceT]], *permissions: Permission
) -> dict[tuple[str, str], tuple[Permission, ...]]:
    """The steps of a table of legal moves (from → each to); they take one of `permissions`, if any are given."""
    return {
        (str(before), str(after)): permissions for before, reachable in table.items() for after in reachable
    }
