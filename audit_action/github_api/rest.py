"""How is a server asked whose GraphQL does not know all our fields? By REST: more requests, the same facts.

A GitHub Enterprise Server is as old as its last upgrade: up to 3.19 it has no merge queue, and one field
that it does not know makes it refuse the whole document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit_action.github_api import parse
from audit_action.github_api.client import READ_PULL_REQUESTS, Client, Refused
from audit_action.github_facts import (
    AssociatedPullRequest,
    CommitFacts,
    Found,
    PullRequestFacts,
    Review,
    Step,
    StepKind,
)
from audit_action.json_paths import at, flag, items, moment, number, text
from audit_action.model import Json, ReviewState, Unavailable

_COMMITS_ASKED = 50  # one request for each
_PULL_REQUESTS_ASKED = 10  # five requests for each

_STEPS = {
    "merged": StepKind.MERGED,
    "added_to_merge_queue": StepKind.QUEUED,
    "removed_from_merge_queue": StepKind.UNQUEUED,
    "auto_merge_enabled": StepKind.AUTO_MERGE,
    "auto_squash_enabled": StepKind.AUTO_SQUASH,
    "auto_rebase_enabled": StepKind.AUTO_REBASE,
    "auto_merge_disabled": StepKind.AUTO_MERGE_OFF,
    "review_dismissed": StepKind.REVIEW_DISMISSED,
    "head_ref_force_pushed": StepKind.FORCE_PUSHED,
}


def commits(client: Client, repository: str, shas: Sequence[str]) -> Found:
    """The newest of these commits, with the pull requests that contain them."""
    found: list[CommitFacts] = []
    missing = _too_many("pull_requests", len(shas), _COMMITS_ASKED, "commits")
    for sha in shas[-_COMMITS_ASKED:]:
        path = f"/repos/{repository}/commits/{sha}"
        try:
            facts = parse.rest_commit(client.get(path)) if len(shas) == 1 else CommitFacts(sha=sha)
            listed = client.pages(f"{path}/pulls", per_page=100)
        except Refused as refused:
            missing[refused.of("pull_requests", READ_PULL_REQUESTS)] = None
            break
        pulls = tuple(_associated(each) for page in listed for each in items(page))
        found.append(replace(facts, pull_requests=pulls))
    return Found(commits=tuple(found), unavailable=tuple(missing))


def pull_requests(client: Client, repository: str, numbers: Sequence[int]) -> Found:
    """The newest of these pull requests, with what REST knows of them: not who may write."""
    found: list[PullRequestFacts] = []
    missing = _too_many("pull_requests", len(numbers), _PULL_REQUESTS_ASKED, "pull requests")
    for each in sorted(numbers)[-_PULL_REQUESTS_ASKED:]:
        try:
            pull = _pull_request(client, repository, each)
        except Refused as refused:
            missing[refused.of("pull_requests", READ_PULL_REQUESTS)] = None
            break
        found.append(parse.completed(pull, missing))
    return Found(pull_requests=tuple(found), unavailable=tuple(missing))


def _too_many(field: str, wanted: int, most: int, things: str) -> dict[Unavailable, None]:
    reason = f"this server is asked for the newest {most} of {wanted} {things}: its GraphQL API is too old"
    return {Unavailable(field=field, reason=reason): None} if wanted > most else {}


def _pull_request(client: Client, repository: str, pull: int) -> PullRequestFacts:
    path = f"/repos/{repository}/pulls/{pull}"
    value = client.get(path)
    merge = text(value, "merge_commit_sha") if flag(value, "merged") else ""
    commits = _all(client, f"{path}/commits")
    reviews = _all(client, f"{path}/reviews")
    timeline = _all(client, f"/repos/{repository}/issues/{pull}/timeline")
    own = tuple(parse.rest_commit(each) for each in commits)
    dates = {each.sha: each.committed_at for each in own}
    submitted = [each for each in reviews if text(each, "state") in ReviewState.__members__]
    return PullRequestFacts(
        number=pull,
        title=text(value, "title"),
        url=text(value, "html_url"),
        merged=bool(flag(value, "merged")),
        merged_at=moment(value, "merged_at"),
        author=parse.account(at(value, "user")) or parse.GHOST,
        merged_by=(parse.account(at(value, "merged_by")) or parse.GHOST) if merge else None,
        base_ref=text(value, "base", "ref"),
        head_ref=text(value, "head", "ref"),
        head_sha=own[-1].sha if own else text(value, "head", "sha"),
        merge_commit=parse.rest_commit(client.get(f"/repos/{repository}/commits/{merge}")) if merge else None,
        commits=own,
        commits_total=number(value, "commits") or len(own),
        reviews=tuple(
            Review(
                id=number(each, "id") or 0,
                person=parse.account(at(each, "user")) or parse.GHOST,
                state=ReviewState(text(each, "state")),
                submitted_at=moment(each, "submitted_at"),
                commit=text(each, "commit_id"),
                commit_date=dates.get(text(each, "commit_id")),
            )
            for each in submitted
        ),
        timeline=tuple(_step(each) for each in timeline if text(each, "event") in _STEPS),
    )


def _all(client: Client, path: str) -> tuple[Json, ...]:
    return tuple(each for page in client.pages(path, per_page=100) for each in items(page))


def _step(value: Json) -> Step:
    return Step(
        kind=_STEPS[text(value, "event")],
        at=moment(value, "created_at"),
        person=parse.account(at(value, "actor")),
        review=number(value, "dismissed_review", "review_id"),
    )


def _associated(value: Json) -> AssociatedPullRequest:
    return AssociatedPullRequest(
        number=number(value, "number") or 0,
        merged=bool(text(value, "merged_at")),
        base_ref=text(value, "base", "ref"),
        repository=text(value, "base", "repo", "full_name"),
        merge_commit=text(value, "merge_commit_sha"),
    )
