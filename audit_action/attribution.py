"""Who is behind this change set? What GitHub, git and the event said, folded into people with their parts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from audit_action import merges, reviews
from audit_action.authorship import behind
from audit_action.change_range import Range
from audit_action.commit_message import co_authors, headline, picked_from, reverted
from audit_action.github_facts import CommitFacts, PullRequestFacts
from audit_action.identity import People
from audit_action.model import (
    Approver,
    Attribution,
    ChangeSet,
    Commit,
    Confidence,
    Merger,
    Person,
    PullRequest,
    RangeSource,
    Relation,
    Reviewer,
    Trigger,
    Unavailable,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that was found out about one deployment."""

    trigger: Trigger
    found: Range
    head: CommitFacts | None = None
    removed: tuple[CommitFacts, ...] = ()
    pull_requests: tuple[PullRequestFacts, ...] = ()
    approvers: tuple[Approver, ...] = ()
    actor: str = ""
    triggering_actor: str = ""
    rerun_by: tuple[str, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()


def resolve(evidence: Evidence) -> tuple[ChangeSet, Attribution]:
    """The change set and the people behind it."""
    people = People(_everybody(evidence))
    pulls = tuple(_pull_request(each, people) for each in evidence.pull_requests)
    commits = tuple(_commits(evidence, people)) or evidence.found.listed
    removed = tuple(_commit(each, people) for each in evidence.removed)
    total = max(evidence.found.total, len(commits))
    change_set = ChangeSet(
        head_sha=evidence.trigger.head_sha,
        head=_head(evidence, commits, people),
        base_sha=evidence.found.base_sha,
        range_source=evidence.found.source,
        confidence=_confidence(evidence, complete=len(commits) == total),
        relation=evidence.found.relation,
        commits=commits,
        removed=removed,
        pull_requests=pulls,
        total_commits=total,
    )
    reviewers = [
        (pull, reviews.final_reviews(pull, people, _behind(pull, people))) for pull in evidence.pull_requests
    ]
    found_mergers = (merges.merger(each, people) for each in evidence.pull_requests)
    mergers = tuple(sorted((each for each in found_mergers if each), key=_merged_at))
    attribution = Attribution(
        authors=behind(commits, _originals(evidence, people), people, _rebased_by(evidence, people)),
        mergers=mergers,
        reviewers=tuple(each for _, found in reviewers for each in found),
        approvers=tuple(replace(each, person=people.known(each.person)) for each in evidence.approvers),
        actor=evidence.actor,
        triggering_actor=evidence.triggering_actor,
        rerun_by=evidence.rerun_by,
        unavailable=_unique((*evidence.unavailable, *_cut(commits, total), *_disputes(reviewers))),
    )
    return change_set, attribution


def detailed(
    compared: tuple[CommitFacts, ...], details: tuple[CommitFacts, ...], own: PullRequestFacts | None
) -> tuple[CommitFacts, ...]:
    """The commits of the range with what GraphQL told of them, here or with their pull request."""
    known = {each.sha: each for each in own.commits} if own else {}
    if own and own.merge_commit:
        known[own.merge_commit.sha] = own.merge_commit
    known |= {each.sha: each for each in details}
    return tuple(with_account_of(known[each.sha], each) if each.sha in known else each for each in compared)


def with_account_of(git: CommitFacts, compared: CommitFacts | None) -> CommitFacts:
    """GraphQL's commit with the accounts that only REST shows: it names bots, GraphQL's GitActor cannot."""
    if compared is None:
        return git
    if not git.authors:  # only its pull requests are known
        return replace(compared, pull_requests=git.pull_requests)
    authors = git.authors
    if compared.authors and _says_more(compared.authors[0], git.authors[0]):
        authors = (compared.authors[0], *git.authors[1:])
    committer = git.committer or compared.committer
    if git.committer and compared.committer and _says_more(compared.committer, git.committer):
        committer = compared.committer
    signature = git.signature if git.signature != "unknown" else compared.signature
    return replace(git, authors=authors, committer=committer, signature=signature)


def _says_more(one: Person, other: Person) -> bool:
    return bool(one.login) and not other.login


def _everybody(evidence: Evidence) -> Iterator[Person]:
    pulls = evidence.pull_requests
    own = [each for pull in pulls for each in pull.commits]
    squashes = [pull.merge_commit for pull in pulls if pull.merge_commit]
    head = [evidence.head] if evidence.head else []
    for commit in [*evidence.found.commits, *own, *squashes, *head, *evidence.removed]:
        yield from _named(commit)
        if commit.committer and not commit.made_by_github:
            yield commit.committer
    for pull in pulls:
        steps = [step.person for step in pull.timeline or ()]
        named = [pull.author, pull.merged_by, *(each.person for each in pull.reviews), *steps]
        yield from (person for person in named if person)
    yield from (each.person for each in evidence.approvers)
    for listed in evidence.found.listed:
        yield from listed.authors


def _named(commit: CommitFacts) -> tuple[Person, ...]:
    """Author and co-authors: GitHub's list, and the trailers that it does not take for such."""
    known = {each.email.casefold() for each in commit.authors}
    more = (each for each in co_authors(commit.message) if each.email.casefold() not in known)
    return (*commit.authors, *more)


def _commit(facts: CommitFacts, people: People, pull_requests: Iterable[int] = ()) -> Commit:
    authors = people.once(_named(facts))
    committer = None
    if facts.committer and not facts.made_by_github:
        alone = not authors or people.key(facts.committer) != people.key(authors[0])
        committer = people.known(facts.committer) if alone else None
    return Commit(
        sha=facts.sha,
        headline=headline(facts.message),
        authors=authors,
        committer=committer,
        committed_at=facts.committed_at,
        parents=max(1, len(facts.parents)),
        signature=facts.signature,
        pull_requests=tuple(sorted(set(pull_requests))),
        made_by_github=facts.made_by_github,
        reverts=reverted(facts.message),
        cherry_picked_from=picked_from(facts.message),
    )


def _commits(evidence: Evidence, people: People) -> Iterator[Commit]:
    bringing: dict[str, set[int]] = {}
    kept = {pull.number for pull in evidence.pull_requests}
    for pull in evidence.pull_requests:
        for sha in merges.brought(pull, evidence.found.commits):
            bringing.setdefault(sha, set()).add(pull.number)
    for commit in evidence.found.commits:
        associated = {each.number for each in commit.pull_requests or ()} & kept
        yield _commit(commit, people, bringing.get(commit.sha, set()) | associated)


def _head(evidence: Evidence, commits: tuple[Commit, ...], people: People) -> Commit | None:
    for commit in commits:
        if commit.sha == evidence.trigger.head_sha:
            return commit
    return _commit(evidence.head, people) if evidence.head else None


def _pull_request(pull: PullRequestFacts, people: People) -> PullRequest:
    return PullRequest(
        number=pull.number,
        title=pull.title,
        url=pull.url,
        author=people.known(pull.author) if pull.author else None,
        merged=pull.merged,
        merged_at=pull.merged_at,
        method=merges.method(pull),
        base_ref=pull.base_ref,
        head_ref=pull.head_ref,
        head_sha=pull.head_sha,
        merge_commit=pull.merge_commit.sha if pull.merge_commit else "",
        commits=tuple(_commit(each, people, (pull.number,)) for each in pull.commits),
    )


def _behind(pull: PullRequestFacts, people: People) -> frozenset[Hashable]:
    """Who opened the pull request, or wrote, co-wrote or committed something of it."""
    named = [person for each in pull.commits for person in _named(each)]
    named += [each.committer for each in pull.commits if each.committer and not each.made_by_github]
    return frozenset(people.key(each) for each in [*named, *([pull.author] if pull.author else [])])


def _originals(evidence: Evidence, people: People) -> dict[str, tuple[Commit, ...]]:
    """The commits that one deployed commit stands for: those before a squash, or those of the pull request
    where only its tip or its merge is known to be deployed."""
    found: dict[str, tuple[Commit, ...]] = {}
    for pull in evidence.pull_requests:
        merge = pull.merge_commit
        alone = merge and merges.brought(pull, evidence.found.commits) == {merge.sha}
        whole = evidence.found.source is RangeSource.HEAD_ONLY
        if merge and alone and (len(merge.parents) == 1 or whole):
            own = [each for each in pull.commits if each.sha != merge.sha]
            found[merge.sha] = tuple(_commit(each, people) for each in own)
    return found


def _rebased_by(evidence: Evidence, people: People) -> dict[str, Hashable]:
    """Whom GitHub made the committer of a commit by rebasing it: the one who merged."""
    return {
        commit.sha: people.key(pull.merged_by)
        for pull in evidence.pull_requests
        if pull.merged_by and merges.is_rebase(pull)
        for commit in merges.rebased(pull, evidence.found.commits)
    }


_BY_SOURCE = {
    RangeSource.LAST_RUN: Confidence.HIGH,
    RangeSource.HEAD_ONLY: Confidence.LOW,
}


def _confidence(evidence: Evidence, *, complete: bool) -> Confidence:
    """How sure it is that the range is what this database has not seen yet."""
    found = _BY_SOURCE.get(evidence.found.source, Confidence.MEDIUM)
    doubtful = evidence.found.relation in (Relation.DIVERGED, Relation.UNKNOWN) or not complete
    forced = evidence.found.source is RangeSource.PUSH_BEFORE and evidence.trigger.forced
    # The base in the event file of a merged pull request may be older than what its branch had by then.
    if evidence.found.source is RangeSource.PULL_REQUEST and not evidence.pull_requests:
        return Confidence.LOW
    if found is Confidence.HIGH:
        return Confidence.MEDIUM if doubtful else Confidence.HIGH
    return Confidence.LOW if doubtful or forced else found


def _merged_at(merger: Merger) -> datetime:
    return merger.merged_at or datetime.max.replace(tzinfo=UTC)


def _cut(commits: tuple[Commit, ...], total: int) -> Iterator[Unavailable]:
    if len(commits) < total:
        yield Unavailable(field="commits", reason=f"{len(commits)} of {total} commits are known")


def _disputes(
    found: Iterable[tuple[PullRequestFacts, tuple[Reviewer, ...]]],
) -> Iterator[Unavailable]:
    for pull, reviewers in found:
        for each in reviews.disputed(pull, reviewers):
            name = each.person.login or "a deleted account"
            reason = f"GitHub does not list {each.state} of {name} on #{pull.number} among the latest reviews"
            yield Unavailable(field="reviewers", reason=reason)


def _unique(found: Iterable[Unavailable]) -> tuple[Unavailable, ...]:
    return tuple(dict.fromkeys(found))
