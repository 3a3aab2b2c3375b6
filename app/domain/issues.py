"""Issues raised on a stage: fixed types, severities and the legal steps from open to resolved."""

from __future__ import annotations

from enum import StrEnum


class IssueType(StrEnum):
    MATERIAL = "material"
    QUALITY = "quality"
    MACHINE = "machine"
    TOOLING = "tooling"
    DRAWING = "drawing"
    PEOPLE = "people"
    SAFETY = "safety"
    OTHER = "other"


class IssueStatus(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


LEGAL_STEPS: dict[IssueStatus, frozenset[IssueStatus]] = {
    IssueStatus.OPEN: frozenset({IssueStatus.ACKNOWLEDGED, IssueStatus.RESOLVED}),
    IssueStatus.ACKNOWLEDGED: frozenset({IssueStatus.RESOLVED}),
    IssueStatus.RESOLVED: frozenset({IssueStatus.OPEN}),
}


def illegal_step(current: IssueStatus, to: IssueStatus) -> str | None:
    """Why an issue may not go from `current` to `to`; None when it may. Resolved → open is a reopening."""
    if to in LEGAL_STEPS[current]:
        return None
    if current == to:
        return f"This issue is already {to.value}."
    reachable = " or ".join(sorted(step.value for step in LEGAL_STEPS[current]))
    return f"An issue that is {current.value} cannot become {to.value}; from here it can only become {reachable}."
