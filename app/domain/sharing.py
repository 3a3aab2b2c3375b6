"""What the shared server may accept of a table: who may set what, which moves are legal, what belongs together.

Each shared table declares one `Sharing`; the server's permission and move tables are made from these declarations, so
that a rule stands once and is judged on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.people import Permission

ANY_FIELD = "*"
"""Stands for every column that a declaration does not name."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One way to be allowed: a permission; with `own`, only on rows whose column `own` holds the actor's id."""

    permission: Permission
    own: str = ""


@dataclass(frozen=True, slots=True)
class Sharing:
    """The rules of one shared table.

    `create` and each value of `change` list the ways to be allowed (any one is enough); `change` maps a column, or
    `ANY_FIELD`, and a column that it does not reach can never change. A soft delete is a change of `deleted`.
    `together` are groups of columns that travel and conflict as one. `moves` maps a column to its legal steps
    (from, to). `actor_ids` and `actor_names` are columns that say who did it: what is put there is the actor's own id
    or name.
    """

    create: tuple[Allowed, ...]
    change: Mapping[str, tuple[Allowed, ...]] = field(default_factory=dict)
    together: tuple[frozenset[str], ...] = ()
    moves: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    actor_ids: frozenset[str] = frozenset()
    actor_names: frozenset[str] = frozenset()


def by(*permissions: Permission) -> tuple[Allowed, ...]:
    """Allowed by any of `permissions`, on every row."""
    return tuple(Allowed(permission) for permission in permissions)
