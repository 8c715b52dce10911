"""Does a policy refuse exactly what it says, and whatever it cannot know?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit_action.errors import RefusedByPolicy
from audit_action.model import (
    Attribution,
    ChangeSet,
    Commit,
    Freshness,
    Person,
    PullRequest,
    Relation,
    Reviewer,
    ReviewState,
    Unavailable,
)
from audit_action.policy import check_approvals, findings
from audit_action.settings import FailOn

APPROVAL = Reviewer(
    person=Person(login="barbara", id=5),
    pull_request=12,
    state=ReviewState.APPROVED,
    freshness=Freshness.FRESH,
    can_write=True,
)
PULL_REQUEST = PullRequest(number=12, merge_commit="m1", commits=(Commit(sha="c1"),))
DEPLOYED = ChangeSet(
    head_sha="m1",
    commits=(Commit(sha="c1", pull_requests=(12,)), Commit(sha="m1", pull_requests=(12,))),
    pull_requests=(PULL_REQUEST,),
)


def check(required: int, *reviewers: Reviewer, change_set: ChangeSet = DEPLOYED, **known: object) -> None:
    check_approvals(required, change_set, replace(Attribution(reviewers=reviewers), **known))


def test_no_policy_asks_for_nothing() -> None:
    check(0, change_set=ChangeSet(head_sha="x"), unavailable=(Unavailable(field="reviewers", reason="403"),))


@pytest.mark.parametrize("relation", [Relation.IDENTICAL, Relation.BEHIND])
def test_a_run_again_and_a_rollback_deploy_nothing_new(relation: Relation) -> None:
    check(1, change_set=ChangeSet(head_sha="x", relation=relation))


def test_one_valid_approval_is_enough_for_one() -> None:
    check(1, APPROVAL)


@pytest.mark.parametrize(
    "flaw",
    [
        {"state": ReviewState.CHANGES_REQUESTED},
        {"state": ReviewState.DISMISSED},
        {"state": ReviewState.COMMENTED},
        {"freshness": Freshness.STALE},
        {"freshness": Freshness.UNKNOWN},
        {"can_write": False},
        {"can_write": None},
        {"is_author": True},
        {"after_merge": True},
        {"pull_request": 13},
    ],
    ids=str,
)
def test_an_approval_with_a_flaw_does_not_count(flaw: dict[str, object]) -> None:
    with pytest.raises(RefusedByPolicy, match="Pull request 12 has 0 of 1 required approvals"):
        check(1, replace(APPROVAL, **flaw))


def test_every_pull_request_needs_its_own() -> None:
    second = PullRequest(number=13, merge_commit="m2")
    with pytest.raises(RefusedByPolicy, match="Pull request 13 has 0 of 1"):
        check(1, APPROVAL, change_set=replace(DEPLOYED, pull_requests=(PULL_REQUEST, second)))


@pytest.mark.parametrize(
    "change_set",
    [
        ChangeSet(head_sha="d1", commits=(Commit(sha="d1"),)),
        replace(DEPLOYED, commits=(*DEPLOYED.commits, Commit(sha="d1"))),
        ChangeSet(head_sha="d1"),
    ],
    ids=["a direct push", "a direct push beside a pull request", "nothing known"],
)
def test_commits_without_a_pull_request_were_reviewed_by_nobody(change_set: ChangeSet) -> None:
    with pytest.raises(RefusedByPolicy, match="without a pull request"):
        check(1, APPROVAL, change_set=change_set)


def test_commits_that_were_not_listed_cannot_be_counted() -> None:
    with pytest.raises(RefusedByPolicy, match="3 of 5 deployed commits"):
        check(1, APPROVAL, change_set=replace(DEPLOYED, total_commits=5))


@pytest.mark.parametrize("field", ["commits", "authors", "reviewers", "pull_requests", "pull_requests[12]"])
def test_what_the_policy_needs_and_could_not_be_read_refuses_with_the_permission(field: str) -> None:
    lack = Unavailable(field=field, reason="GitHub refused", permission="pull_requests=read")
    with pytest.raises(RefusedByPolicy, match="The token needs pull_requests=read"):
        check(1, APPROVAL, unavailable=(lack,))


def test_what_the_policy_does_not_need_may_be_missing() -> None:
    check(1, APPROVAL, unavailable=(Unavailable(field="approvers", reason="403"),))


@pytest.mark.parametrize(
    ("fail_on", "unattributed", "destructive", "found"),
    [
        ((), 1, 1, ()),
        ((FailOn.UNATTRIBUTED,), 1, 0, (FailOn.UNATTRIBUTED,)),
        ((FailOn.UNATTRIBUTED,), 0, 1, ()),
        (tuple(FailOn), 2, 2, tuple(FailOn)),
    ],
)
def test_findings_are_those_asked_for(
    fail_on: tuple[FailOn, ...], unattributed: int, destructive: int, found: tuple[FailOn, ...]
) -> None:
    assert findings(fail_on, unattributed=unattributed, destructive=destructive) == found
