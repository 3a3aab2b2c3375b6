"""The proof is worth something: bugs that are planted on purpose are found (all of them by `mutants.py` on demand)."""

from __future__ import annotations

import pytest

from tests.sync.proof.mutants import MUTANTS, found


@pytest.mark.timeout(600)
def test_a_planted_bug_is_found() -> None:
    right, line = found("change_known_by_source_only", examples=40)
    assert right, line


def test_every_planted_bug_still_has_its_place() -> None:
    """The sources moved on and a bug cannot be planted any more: look for its new place in `MUTANTS`."""
    for edits in MUTANTS.values():
        for edit in edits:
            assert edit.applied(edit.source())
