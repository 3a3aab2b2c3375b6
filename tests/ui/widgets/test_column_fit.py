"""Columns show every cell where there is room, and stay inside the window where there is little."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ui.widgets.column_fit import LEAST, fit_widths

_WIDTHS = st.lists(st.tuples(st.integers(20, 400), st.integers(20, 600)), min_size=1, max_size=12)


@given(_WIDTHS, st.integers(100, 4000))
def test_columns_stay_inside_the_room_while_none_has_to_be_too_narrow(
    pairs: list[tuple[int, int]], room: int
) -> None:
    wishes, needs = [wish for wish, _ in pairs], [need for _, need in pairs]
    widths = fit_widths(wishes, needs, room)
    least = sum(min(need, LEAST) for need in needs[:-1]) + min(needs[-1], 160)
    assert len(widths) == len(pairs)
    assert sum(widths) <= max(room, least)


@given(_WIDTHS, st.integers(100, 4000))
def test_no_cell_is_cut_while_all_of_them_fit(pairs: list[tuple[int, int]], room: int) -> None:
    wishes, needs = [wish for wish, _ in pairs], [need for _, need in pairs]
    if sum(needs) <= room:
        assert all(width >= need for width, need in zip(fit_widths(wishes, needs, room), needs, strict=True))


def test_a_long_last_column_gives_before_the_others_are_cut() -> None:
    assert fit_widths([100, 100, 100], [90, 250, 400], 600) == [90, 250, 260]


def test_columns_take_what_they_wish_for_where_there_is_plenty() -> None:
    assert fit_widths([100, 200], [50, 60], 1000) == [100, 200]
