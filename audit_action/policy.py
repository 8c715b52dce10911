"""May this run start, and is its outcome acceptable? The workflow's own rules, decided from what is known."""

from __future__ import annotations

from collections.abc import Collection

from audit_action.errors import RefusedByPolicy
from audit_action.model import Attribution, ChangeSet, Freshness, PullRequest, Relation, Reviewer, ReviewState
from audit_action.settings import FailOn

NEEDED_FOR_APPROVALS = ("commits", "authors", "pull_requests", "reviewers")
"""The fields of the attribution without which approvals cannot be counted."""


def valid_approvals(pull_request: PullRequest, reviewers: Collection[Reviewer]) -> tuple[Reviewer, ...]:
    """The approvals of one pull request that are known to count.

    Not those given after the merge, nor by somebody who wrote in it, nor by a login of which GitHub does
    not say that it can write to the repository, nor of an older or unknown state of the branch.
    """
    return tuple(
        each
        for each in reviewers
        if each.pull_request == pull_request.number
        and each.state is ReviewState.APPROVED
        and not each.after_merge
        and not each.is_author
        and each.can_write
        and each.freshness is Freshness.FRESH
    )


def check_approvals(required: int, change_set: ChangeSet, attribution: Attribution) -> None:
    """Raise RefusedByPolicy unless each pull request has `required` valid approvals; 0 asks for nothing."""
    if not required or change_set.relation in (Relation.IDENTICAL, Relation.BEHIND):
        return  # nothing is deployed that was not deployed before
    for unavailable in attribution.unavailable:
        if unavailable.field.split("[")[0] in NEEDED_FOR_APPROVALS:
            needs = f" The token needs {unavailable.permission}." if unavailable.permission else ""
            raise RefusedByPolicy(
                f"require-approvals is {required}, but {unavailable.field} could not be read: "
                f"{unavailable.reason}.{needs} Nothing was run."
            )
    if (missing := change_set.total_commits - len(change_set.commits)) > 0:
        raise RefusedByPolicy(
            f"require-approvals is {required}, but {missing} of {change_set.total_commits} deployed commits "
            "were not listed by GitHub, so their approvals cannot be counted. Deploy in smaller steps, or "
            "lower require-approvals. Nothing was run."
        )
    covered = {sha for each in change_set.pull_requests for sha in _commits_of(each)}
    loose = [each.sha for each in change_set.commits if each.sha not in covered and not each.pull_requests]
    if loose or not change_set.pull_requests:
        which = ", ".join(sha[:7] for sha in loose[:5]) or "the deployed commits"
        raise RefusedByPolicy(
            f"require-approvals is {required}, but {which} came without a pull request, so nobody reviewed "
            "them. Bring them in through a pull request, or lower require-approvals. Nothing was run."
        )
    for pull_request in change_set.pull_requests:
        found = len(valid_approvals(pull_request, attribution.reviewers))
        if found < required:
            raise RefusedByPolicy(
                f"Pull request {pull_request.number} has {found} of {required} required approvals. An "
                "approval counts when it is of the last commit, was given before the merge, and comes from "
                "somebody with write access who wrote no commit of the pull request. Nothing was run."
            )


def findings(fail_on: Collection[FailOn], *, unattributed: int, destructive: int) -> tuple[FailOn, ...]:
    """The findings after a successful migration that the workflow wants to fail for."""
    counts = {FailOn.UNATTRIBUTED: unattributed, FailOn.DESTRUCTIVE: destructive}
    return tuple(each for each in FailOn if each in fail_on and counts[each])


def _commits_of(pull_request: PullRequest) -> set[str]:
    return {each.sha for each in pull_request.commits} | {pull_request.merge_commit}
