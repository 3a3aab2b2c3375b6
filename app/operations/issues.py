"""Issues on stages: raising, acknowledging, resolving, reopening."""

from __future__ import annotations

from uuid import UUID

from app.domain.errors import Refused
from app.domain.issues import IssueStatus, IssueType, illegal_step
from app.domain.orders import check_note, check_text
from app.domain.people import Permission
from app.operations.change import Change, operation
from app.store.tables import Issue, Stage


@operation(Permission.RAISE_ISSUES)
def raise_issue(
    change: Change, /, *, stage_id: UUID, title: str, type: IssueType = IssueType.OTHER, description: str = ""
) -> UUID:
    """Raise an issue on a stage; it starts open."""
    stage = change.get(Stage, stage_id, "stage")
    issue = Issue(
        id=change.new_id(),
        number=change.next_number(Issue, "IS"),
        stage_id=stage.id,
        work_order_id=stage.work_order_id,
        type=type,
        status=IssueStatus.OPEN,
        title=check_text(title, "title", "title", longest=200),
        description=check_note(description, "description", "description"),
        raised_by_id=change.actor.user_id,
        raised_at=change.now,
    )
    change.session.add(issue)
    change.label = f"Raised {issue.number} {issue.title}"
    return issue.id


def _step(change: Change, issue_id: UUID, to: IssueStatus) -> Issue:
    issue = change.get(Issue, issue_id, "issue")
    refusal = illegal_step(issue.status, to)
    if refusal is not None:
        raise Refused(refusal)
    issue.status = to
    return issue


@operation(Permission.HANDLE_ISSUES)
def acknowledge_issue(change: Change, /, *, issue_id: UUID) -> None:
    """Say that somebody is on it."""
    issue = _step(change, issue_id, IssueStatus.ACKNOWLEDGED)
    issue.acknowledged_by_id, issue.acknowledged_at = change.actor.user_id, change.now
    change.label = f"Acknowledged {issue.number}"


@operation(Permission.HANDLE_ISSUES)
def resolve_issue(change: Change, /, *, issue_id: UUID, resolution: str) -> None:
    """Close an issue with what was done about it."""
    issue = _step(change, issue_id, IssueStatus.RESOLVED)
    issue.resolution = check_text(resolution, "resolution", "resolution", longest=1000)
    issue.resolved_by_id, issue.resolved_at = change.actor.user_id, change.now
    change.label = f"Resolved {issue.number}"


@operation(Permission.HANDLE_ISSUES)
def reopen_issue(change: Change, /, *, issue_id: UUID) -> None:
    """Open a resolved issue again; who resolved it stays readable in the audit trail."""
    issue = _step(change, issue_id, IssueStatus.OPEN)
    issue.acknowledged_by_id = issue.acknowledged_at = issue.resolved_by_id = issue.resolved_at = None
    change.label = f"Reopened {issue.number}"
