"""Issues through the door: every step by table, who and when, permissions, undo."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Denied, Refused
from app.domain.issues import LEGAL_STEPS, IssueStatus, IssueType
from app.domain.people import PERMISSIONS, Permission, Role
from app.operations.issues import acknowledge_issue, raise_issue, reopen_issue, resolve_issue
from app.operations.undo import undo
from app.store.tables import Issue
from tests.operations.shop import Shop

OPEN, ACKNOWLEDGED, RESOLVED = IssueStatus


def raised(shop: Shop, role: Role = Role.OPERATOR) -> UUID:
    stage = shop.stages(shop.order())[0]
    result: UUID = shop.do(raise_issue(stage_id=stage.id, title="Burr", type=IssueType.QUALITY), role).result
    return result


def read(shop: Shop, issue_id: UUID) -> Issue:
    with shop.house.store.reader() as session:
        found: Issue = session.get_one(Issue, issue_id)
        return found


def step(shop: Shop, issue_id: UUID, to: IssueStatus, role: Role = Role.SUPERVISOR) -> Any:
    intents = {
        OPEN: reopen_issue(issue_id=issue_id),
        ACKNOWLEDGED: acknowledge_issue(issue_id=issue_id),
        RESOLVED: resolve_issue(issue_id=issue_id, resolution="Deburred"),
    }
    return shop.do(intents[to], role)


def test_a_raised_issue_is_open_and_says_who_raised_it_when_and_where(shop: Shop) -> None:
    issue = read(shop, raised(shop))
    assert (issue.number, issue.status) == ("A-IS-000001", OPEN)
    assert (issue.raised_by_id, issue.raised_at) == (shop.people[Role.OPERATOR].user_id, shop.now)
    assert shop.read(issue.work_order_id).number == "A-WO-000001"


@pytest.mark.parametrize("current", list(IssueStatus))
@pytest.mark.parametrize("to", list(IssueStatus))
def test_every_step_is_taken_or_refused_as_the_table_says(
    shop: Shop, current: IssueStatus, to: IssueStatus
) -> None:
    issue_id = raised(shop)
    if current is not OPEN:
        step(shop, issue_id, current)
    if to in LEGAL_STEPS[current]:
        step(shop, issue_id, to)
        assert read(shop, issue_id).status is to
    else:
        with pytest.raises(Refused, match=r"already|cannot become"):
            step(shop, issue_id, to)
        assert read(shop, issue_id).status is current


def test_every_step_keeps_who_and_when(shop: Shop) -> None:
    issue_id = raised(shop)
    shop.wait(minutes=5)
    step(shop, issue_id, ACKNOWLEDGED, Role.TECHNICIAN)
    acknowledged_at = shop.now
    shop.wait(minutes=5)
    step(shop, issue_id, RESOLVED, Role.SUPERVISOR)
    issue = read(shop, issue_id)
    assert (issue.acknowledged_by_id, issue.acknowledged_at) == (
        shop.people[Role.TECHNICIAN].user_id,
        acknowledged_at,
    )
    assert (issue.resolved_by_id, issue.resolved_at) == (shop.people[Role.SUPERVISOR].user_id, shop.now)
    assert issue.resolution == "Deburred"


def test_an_issue_is_not_resolved_without_saying_what_was_done(shop: Shop) -> None:
    issue_id = raised(shop)
    with pytest.raises(Refused) as refusal:
        shop.do(resolve_issue(issue_id=issue_id, resolution=" "))
    assert refusal.value.field == "resolution"
    assert read(shop, issue_id).status is OPEN


def test_an_issue_needs_a_title(shop: Shop) -> None:
    with pytest.raises(Refused) as refusal:
        shop.do(raise_issue(stage_id=shop.stages(shop.order())[0].id, title=""))
    assert refusal.value.field == "title"


def test_a_reopened_issue_waits_for_someone_again(shop: Shop) -> None:
    issue_id = raised(shop)
    for to in (ACKNOWLEDGED, RESOLVED, OPEN):
        step(shop, issue_id, to)
    issue = read(shop, issue_id)
    assert (issue.status, issue.acknowledged_at, issue.resolved_at) == (OPEN, None, None)


@pytest.mark.parametrize("role", list(Role))
def test_everyone_raises_issues_but_only_some_handle_them(shop: Shop, role: Role) -> None:
    issue_id = raised(shop, role)
    if role in PERMISSIONS[Permission.HANDLE_ISSUES]:
        step(shop, issue_id, ACKNOWLEDGED, role)
    else:
        with pytest.raises(Denied):
            step(shop, issue_id, ACKNOWLEDGED, role)


def test_a_resolution_can_be_taken_back(shop: Shop) -> None:
    issue_id = raised(shop)
    outcome = step(shop, issue_id, RESOLVED)
    shop.do(undo(change_id=outcome.change_id))
    issue = read(shop, issue_id)
    assert (issue.status, issue.resolution, issue.resolved_at) == (OPEN, "", None)
