"""A change that the server did not take, value by value: what was wanted, what stands there, and what to do now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.errors import Refused
from app.domain.people import Actor, Permission, denial
from app.domain.sharing import ANY_FIELD, Allowed, Sharing


class Take(StrEnum):
    """How a conflict is settled: with the refused values, with those that stand there, or with others."""

    MINE = "mine"
    THEIRS = "theirs"
    OTHER = "other"


class Verdict(StrEnum):
    """Why the server parked an entry."""

    CONFLICT = "conflict"
    DENIED = "denied"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Clash:
    """What the server said of one field: the value it compared with, whose that is, from when and where."""

    theirs: Any
    by: str = ""
    at: datetime | None = None
    station: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a refused change, all in JSON's terms. `now` is what stands on this station at this moment.

    `clash` is None for values that travelled with it and were not disputed; `created` ones are of a row that the
    server does not have.
    """

    entity: str
    row_id: UUID
    field: str
    base: Any
    mine: Any
    now: Any
    clash: Clash | None = None
    created: bool = False

    @property
    def key(self) -> str:
        """How `values` of a settlement name this value."""
        return f"{self.entity}/{self.row_id}/{self.field}"

    @property
    def theirs(self) -> Any:
        """What stands against it: what the server had then, else what is here now."""
        return self.clash.theirs if self.clash is not None else self.now


def chosen_values(
    points: Sequence[Point],
    take: Take,
    values: Mapping[str, Any],
    groups: Mapping[str, Sequence[frozenset[str]]],
) -> dict[str, Any]:
    """What each value becomes, by the key of its point; points that stay as they are have none.

    `values` (with `Take.OTHER`) name points by key or, where that is clear, by their field alone; disputed ones that
    are not named stay, the others of the change come along. Of `groups` (entity to sets of fields that belong
    together) either all values are taken or none. Raises `Refused` for a name that fits no point, or several.
    """
    if take is Take.THEIRS:
        return {}
    if take is Take.MINE:
        return {point.key: point.mine for point in points}
    named = {_named(points, name).key: value for name, value in values.items()}
    if not named:
        raise Refused("Say which values to take instead.", field="values")
    chosen = {p.key: p.mine for p in points if p.created or p.clash is None} | named
    for point in points:
        if point.key not in chosen and any(
            sibling.key in chosen for sibling in _together(points, point, groups)
        ):
            chosen[point.key] = point.mine
    return chosen


def _named(points: Iterable[Point], name: str) -> Point:
    fitting = [point for point in points if name in (point.key, point.field)]
    if not fitting:
        raise Refused(f"The refused change has no value {name}.", field="values")
    if len(fitting) > 1:
        raise Refused(
            f"Several rows of the change have a {name}; name it as {fitting[0].key}.", field="values"
        )
    return fitting[0]


def _together(
    points: Iterable[Point], point: Point, groups: Mapping[str, Sequence[frozenset[str]]]
) -> list[Point]:
    fields = next((group for group in groups.get(point.entity, ()) if point.field in group), frozenset())
    return [
        other
        for other in points
        if other is not point and other.field in fields and other.row_id == point.row_id
    ]


def illegal_step(
    sharing: Sharing, actor: Actor, field: str, now: Any, wanted: Any, *, taking_back: bool
) -> str | None:
    """Why a value with legal moves cannot become `wanted` from where it stands now by `actor`; None when it can.

    Whoever takes back an own change may also go a legal step backwards.
    """
    legal = sharing.moves.get(field)
    if legal is None or now == wanted:
        return None
    steps = [(now, wanted), (wanted, now)] if taking_back else [(now, wanted)]
    needed = [legal[step] for step in steps if step in legal]
    if needed:
        if any(not ways or any(map(actor.may, ways)) for ways in needed):
            return None
        return denial(actor.role, needed[0][0])
    ways = sorted(
        to
        for (start, to), one_of in legal.items()
        if start == now and (not one_of or any(map(actor.may, one_of)))
    )
    onward = (
        f"from there it can become {', '.join(map(_words, ways))}" if ways else "nothing follows from there"
    )
    return (
        f"The {_words(field)} is {_words(now)} by now and cannot become {_words(wanted)}; {onward}. "
        "Settle with what is there, then go on from it."
    )


def _words(value: object) -> str:
    return str(value).replace("_", " ")


def missing_right(
    sharing: Sharing, actor: Actor, field: str | None, owners: Mapping[str, UUID | str | None]
) -> str | None:
    """Why the server would not take a value of `field` (None: a new row) from `actor`; None when it would.

    `owners` maps columns of the row to whose id or name they hold.
    """
    if actor.user_id is None:
        return None
    ways = sharing.create if field is None else sharing.change.get(field, sharing.change.get(ANY_FIELD, ()))
    if any(_open_to(way, actor, owners) for way in ways):
        return None
    if not ways:
        return f"The {_words(field)} cannot be changed any more." if field else "Such rows cannot be shared."
    return denial(actor.role, ways[0].permission) or "Only the person whose it is may change this."


def _open_to(way: Allowed, actor: Actor, owners: Mapping[str, UUID | str | None]) -> bool:
    return actor.may(way.permission) and (not way.own or owners.get(way.own) in (actor.user_id, actor.name))


def may_settle(actor: Actor, author_id: UUID | None) -> str | None:
    """Why `actor` may not settle what `author_id` had wanted; None when they may."""
    if actor.user_id is None or actor.user_id == author_id:
        return None
    return denial(actor.role, Permission.SETTLE_CONFLICTS)
