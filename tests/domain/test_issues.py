"""Issues: the table of steps."""

from __future__ import annotations

import pytest

from app.domain.issues import LEGAL_STEPS, IssueStatus, illegal_step


@pytest.mark.parametrize("current", list(IssueStatus))
@pytest.mark.parametrize("to", list(IssueStatus))
def test_a_step_outside_the_table_is_refused_in_a_sentence(current: IssueStatus, to: IssueStatus) -> None:
    refusal = illegal_step(current, to)
    assert (refusal is None) == (to in LEGAL_STEPS[current])
    assert refusal is None or refusal.endswith(".")
