"""How does GitHub's JSON become facts? GraphQL's and REST's shapes of the same things."""

from __future__ import annotations

from dataclasses import replace

from audit_action.github_facts import (
    AssociatedPullRequest,
    CommitFacts,
    Comparison,
    PullRequestFacts,
    Review,
    Step,
    StepKind,
)
from audit_action.json_paths import at, flag, items, moment, number, text
from audit_action.model import Approver, Json, Person, PersonKind, Relation, ReviewState, Unavailable

GHOST = Person(kind=PersonKind.GHOST)
_KINDS = {"Bot": PersonKind.BOT, "Mannequin": PersonKind.MANNEQUIN}
_GITHUB = "noreply@github.com"  # the committer of what is made on the web


def account(value: Json) -> Person | None:
    """Somebody with an account, as GraphQL's Actor or REST's simple-user; None for null and `{}`.

    REST shows a deleted account as the user `ghost`; GraphQL shows it as null.
    """
    login = text(value, "login")
    if not login:
        return None
    if login == "ghost":
        return GHOST
    claimant = at(value, "claimant")
    if text(claimant, "login"):
        value, login = claimant, text(claimant, "login")
    kind = _KINDS.get(text(value, "__typename") or text(value, "type"), PersonKind.USER)
    if login.endswith("[bot]"):
        kind, login = PersonKind.BOT, login.removesuffix("[bot]")
    number_ = number(value, "databaseId") or number(value, "id")
    return Person(name=text(value, "name"), email=text(value, "email"), login=login, id=number_, kind=kind)


def git_actor(value: Json, user: Json = None) -> Person:
    """Git's name and e-mail, with the account that GitHub matched to the e-mail."""
    found = account(user if user is not None else at(value, "user"))
    name, email = text(value, "name"), text(value, "email")
    if found is None:
        return Person(name=name, email=email, kind=PersonKind.UNMATCHED)
    return replace(found, name=name or found.name, email=email)


def commit(value: Json) -> CommitFacts:
    """GraphQL's Commit."""
    signature = text(value, "signature", "state").lower()
    listed = at(value, "associatedPullRequests")
    return CommitFacts(
        sha=text(value, "oid"),
        message=text(value, "message"),
        authors=tuple(git_actor(each) for each in items(value, "authors", "nodes")),
        committer=git_actor(at(value, "committer")) if at(value, "committer") else None,
        committed_at=moment(value, "committedDate"),
        parents=tuple(text(each, "oid") for each in items(value, "parents", "nodes")),
        signature=signature or "unsigned",
        made_by_github=bool(flag(value, "committedViaWeb")) or text(value, "committer", "email") == _GITHUB,
        pull_requests=None if listed is None else tuple(_associated(each) for each in items(listed, "nodes")),
    )


def _associated(value: Json) -> AssociatedPullRequest:
    return AssociatedPullRequest(
        number=number(value, "number") or 0,
        merged=bool(flag(value, "merged")),
        base_ref=text(value, "baseRefName"),
        repository=text(value, "baseRepository", "nameWithOwner"),
        merge_commit=text(value, "mergeCommit", "oid"),
    )


def rest_commit(value: Json) -> CommitFacts:
    """REST's commit: accounts may be null or `{}`; co-authors are in the message alone."""
    git = at(value, "commit")
    reason = text(git, "verification", "reason")
    return CommitFacts(
        sha=text(value, "sha"),
        message=text(git, "message"),
        authors=(git_actor(at(git, "author"), at(value, "author") or {}),),
        committer=git_actor(at(git, "committer"), at(value, "committer") or {}),
        committed_at=moment(git, "committer", "date"),
        parents=tuple(text(each, "sha") for each in items(value, "parents")),
        signature=reason or "unknown",
        made_by_github=text(value, "committer", "login") == "web-flow"
        or text(git, "committer", "email") == _GITHUB,
    )


def comparison(pages: tuple[Json, ...]) -> Comparison:
    """REST's comparison, from all its pages. Raises ValueError when it is something else."""
    first = pages[0]
    return Comparison(
        relation=Relation(text(first, "status")),
        total=number(first, "total_commits") or 0,
        behind_by=number(first, "behind_by") or 0,
        merge_base=text(first, "merge_base_commit", "sha"),
        commits=tuple(rest_commit(each) for page in pages for each in items(page, "commits")),
    )


def review(value: Json) -> Review | None:
    """GraphQL's PullRequestReview; None for one that is not submitted yet."""
    state = text(value, "state")
    if state not in ReviewState.__members__:
        return None
    return Review(
        id=number(value, "fullDatabaseId") or 0,
        person=account(at(value, "author")) or GHOST,
        state=ReviewState(state),
        submitted_at=moment(value, "submittedAt"),
        commit=text(value, "commit", "oid"),
        commit_date=moment(value, "commit", "committedDate"),
        can_write=flag(value, "authorCanPushToRepository"),
    )


def reviews(values: tuple[Json, ...]) -> tuple[Review, ...]:
    """The submitted ones of them."""
    return tuple(found for each in values if (found := review(each)))


def completed(pull: PullRequestFacts, lacks: dict[Unavailable, None]) -> PullRequestFacts:
    """The pull request; that GitHub shows only some of its commits (250 by REST) is a lack."""
    if len(pull.commits) < pull.commits_total:
        shown = f"{len(pull.commits)} of {pull.commits_total} commits of #{pull.number}"
        lacks[Unavailable(field="authors", reason=f"GitHub showed {shown}")] = None
    return pull


def step(value: Json) -> Step | None:
    """One item of GraphQL's timelineItems; None for a kind that was not asked for."""
    if text(value, "__typename") not in list(StepKind):
        return None
    person = at(value, "enqueuer") or at(value, "enabler") or at(value, "actor")
    return Step(
        kind=StepKind(text(value, "__typename")),
        at=moment(value, "createdAt"),
        person=account(person),
        review=number(value, "review", "fullDatabaseId"),
    )


def pull_request(value: Json) -> PullRequestFacts:
    """GraphQL's PullRequest. A list that GitHub refused is null; `unavailable` says so elsewhere."""
    merge, merged = at(value, "mergeCommit"), bool(flag(value, "merged"))
    last = [text(each, "commit", "oid") for each in items(value, "commits", "nodes")][-1:]
    whole = not flag(value, "commits", "pageInfo", "hasNextPage")
    opinionated = at(value, "latestOpinionatedReviews")
    return PullRequestFacts(
        number=number(value, "number") or 0,
        title=text(value, "title"),
        url=text(value, "url"),
        merged=merged,
        merged_at=moment(value, "mergedAt"),
        author=account(at(value, "author")) or GHOST,
        merged_by=(account(at(value, "mergedBy")) or GHOST) if merged else None,
        base_ref=text(value, "baseRefName"),
        head_ref=text(value, "headRefName"),
        # headRefOid of a merged pull request is the later tip of a branch that is used again.
        head_sha=(last[0] if last and whole else "") or text(value, "headRefOid"),
        merge_commit=commit(merge) if merge else None,
        commits=tuple(commit(at(each, "commit")) for each in items(value, "commits", "nodes")),
        commits_total=number(value, "commits", "totalCount") or 0,
        reviews=reviews(items(value, "reviews", "nodes")),
        reviews_total=number(value, "reviews", "totalCount") or 0,
        opinionated=None
        if opinionated is None
        else frozenset(number(each, "fullDatabaseId") or 0 for each in items(opinionated, "nodes")),
        timeline=None
        if at(value, "timelineItems") is None
        else tuple(found for each in items(value, "timelineItems", "nodes") if (found := step(each))),
    )


def approvers(values: tuple[Json, ...], attempt: int | None) -> tuple[Approver, ...]:
    """REST's approvals of a run: who let it into which environment, once for each environment."""
    return tuple(
        Approver(
            person=account(at(each, "user")) or GHOST,
            environment=text(environment, "name"),
            state=text(each, "state"),
            comment=text(each, "comment"),
            seen_at_attempt=attempt,
        )
        for each in values
        for environment in items(each, "environments")
    )
