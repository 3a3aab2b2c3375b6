"""What is shown of a row under own unconfirmed changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.merging import BrokenHistoryError, OwnPatch, ServerPatch, advance, drawn, fold, unwind

NAMES = ("number", "note", "status")
VALUES = st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["a", "b"]))
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1)
ROWS = st.fixed_dictionaries({"version": st.integers(1, 9), **dict.fromkeys(NAMES, VALUES)})
EDITS = st.lists(FIELDS, max_size=5)


def made_on(row: dict[str, Any] | None, edits: list[dict[str, Any]]) -> list[OwnPatch]:
    """Patches as a door makes them: each on what is shown at that moment."""
    patches: list[OwnPatch] = []
    for edit in edits:
        shown = fold(row, patches)
        if shown is None:
            whole = {"deleted": False} | dict.fromkeys(NAMES) | edit
            patches.append(OwnPatch(True, {name: (None, value) for name, value in whole.items()}))
        else:
            patches.append(OwnPatch(False, {name: (shown[name], value) for name, value in edit.items()}))
    return patches


@given(ROWS | st.none(), EDITS)
def test_unwinding_what_was_folded_gives_the_servers_row(
    row: dict[str, Any] | None, edits: list[dict[str, Any]]
) -> None:
    patches = made_on(row, edits)
    assert unwind(fold(row, patches), patches) == row
    assert not drawn(row, patches).shadow


@given(ROWS, EDITS, FIELDS)
def test_a_change_of_the_server_under_own_ones_keeps_the_own_values_and_never_loses_the_servers_row(
    row: dict[str, Any], edits: list[dict[str, Any]], theirs: dict[str, Any]
) -> None:
    patches = made_on(row, edits)
    server = advance(row, ServerPatch(False, row["version"] + 1, theirs))
    drawing = drawn(server, patches)
    own = {name: value for edit in edits for name, value in edit.items()}
    assert drawing.shown == {**server, **own, "version": server["version"] + len(edits)}
    assert drawing.shadow or unwind(drawing.shown, patches) == server


@given(ROWS | st.none(), EDITS)
def test_confirming_own_changes_one_by_one_never_changes_what_is_shown(
    row: dict[str, Any] | None, edits: list[dict[str, Any]]
) -> None:
    patches = made_on(row, edits)
    shown = fold(row, patches)
    server = row
    for index, patch in enumerate(patches):
        known = server["version"] if server is not None else 0
        after = {name: value for name, (_, value) in patch.fields.items()}
        server = advance(server, ServerPatch(patch.creates, known + 1, after))
        assert fold(server, patches[index + 1 :]) == shown


def test_a_refused_creation_shows_nothing_and_what_followed_it_does_nothing() -> None:
    later = OwnPatch(False, {"note": (None, "a")})
    assert fold(None, [later]) is None
    assert unwind(None, [later]) is None


def test_a_creation_that_the_server_has_already_keeps_the_servers_other_values() -> None:
    mine = OwnPatch(True, {"note": (None, "mine")})
    assert fold({"version": 4, "note": "theirs", "stored": True}, [mine]) == {
        "version": 5,
        "note": "mine",
        "stored": True,
    }


@pytest.mark.parametrize(
    ("row", "patch"),
    [
        (None, ServerPatch(False, 1, {})),
        ({"version": 1}, ServerPatch(True, 1, {})),
        ({"version": 1}, ServerPatch(False, 3, {})),
        ({"version": 3}, ServerPatch(False, 3, {})),
    ],
)
def test_a_log_with_a_hole_is_noticed(row: dict[str, Any] | None, patch: ServerPatch) -> None:
    with pytest.raises(BrokenHistoryError):
        advance(row, patch)
