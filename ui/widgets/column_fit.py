"""Widths of the columns of a list: what its cells need, inside what the window has."""

from __future__ import annotations

from collections.abc import Sequence

_LAST = 160
LEAST = 56
"""Narrowest a column becomes by itself, px; what still does not fit is scrolled to."""


def fit_widths(wishes: Sequence[int], needs: Sequence[int], room: int) -> list[int]:
    """Widths in px for columns whose cells need `needs` and that would like `wishes`, for `room` px.

    What is left when every cell is seen goes to the wishes. What is missing is taken from the last column where
    that is the widest (a note, an advice), then from the widest columns, which are cut to one common width.
    The last column is not stretched here: the header does that.
    """
    spare = room - sum(needs)
    if spare < 0 and needs[-1] == max(needs):
        last = min(needs[-1], max(_LAST, needs[-1] + spare))
        return [*_level(needs[:-1], room - last), last] if len(needs) > 1 else [last]
    if spare < 0:
        return _level(needs, room)
    missing = [max(0, wish - need) for wish, need in zip(wishes, needs, strict=True)]
    wanted = sum(missing)
    if wanted <= spare:
        return [need + more for need, more in zip(needs, missing, strict=True)]
    return [need + more * spare // wanted for need, more in zip(needs, missing, strict=True)]


def _level(needs: Sequence[int], room: int) -> list[int]:
    """Cut the widest columns to one common width, never below LEAST."""
    low, high = LEAST, max(needs)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(need, middle) for need in needs) <= room:
            low = middle
        else:
            high = middle - 1
    return [min(need, low) for need in needs]
