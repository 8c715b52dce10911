"""What is each reviewer's final word on a pull request, and does it count?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import UTC, datetime

from audit_action.github_facts import PullRequestFacts, Review, Step, StepKind
from audit_action.identity import People
from audit_action.model import Freshness, Person, Reviewer, ReviewState

_NEVER = datetime.min.replace(tzinfo=UTC)


def final_reviews(
    pull: PullRequestFacts, people: People, behind_it: frozenset[Hashable]
) -> tuple[Reviewer, ...]:
    """Each reviewer once, in the order of their first review.

    The latest opinion wins, a comment never overrides one, and a dismissal takes the opinion away for good:
    an earlier one does not come back. What was said after the merge did not let it in; it stands only where
    there is nothing else. `behind_it`: the keys of those who wrote or committed something of it.
    """
    by_reviewer: dict[Hashable, list[Review]] = {}
    for review in sorted(pull.reviews, key=lambda each: each.submitted_at or _NEVER):
        by_reviewer.setdefault(people.key(review.person), []).append(review)
    dismissals = {step.review: step for step in pull.timeline or () if step.kind is StepKind.REVIEW_DISMISSED}
    return tuple(
        _reviewer(pull, people, _last_word(reviews, pull), key in behind_it, dismissals)
        for key, reviews in by_reviewer.items()
    )


def _last_word(reviews: list[Review], pull: PullRequestFacts) -> Review:
    in_time = [each for each in reviews if not _after_merge(each, pull)] or reviews
    opinions = [each for each in in_time if each.state is not ReviewState.COMMENTED]
    return (opinions or in_time)[-1]


def _after_merge(review: Review, pull: PullRequestFacts) -> bool:
    return bool(pull.merged_at and review.submitted_at and review.submitted_at > pull.merged_at)


def _reviewer(
    pull: PullRequestFacts,
    people: People,
    review: Review,
    is_author: bool,
    dismissals: Mapping[int | None, Step],
) -> Reviewer:
    dismissed = dismissals.get(review.id) if review.state is ReviewState.DISMISSED else None
    return Reviewer(
        person=people.known(review.person),
        pull_request=pull.number,
        state=review.state,
        freshness=freshness(review, pull),
        submitted_at=review.submitted_at,
        commit=review.commit,
        can_write=review.can_write,
        is_author=is_author,
        after_merge=_after_merge(review, pull),
        dismissed_by=_known(people, dismissed.person if dismissed else None),
    )


def freshness(review: Review, pull: PullRequestFacts) -> Freshness:
    """Whether the review saw the last commit of the pull request.

    GitHub moves a review to a later commit after a base merge or a force-push, so that the same commit
    proves nothing alone: the review must also be younger than the commit and the last force-push.
    """
    if review.commit and pull.head_sha and review.commit != pull.head_sha:
        return Freshness.STALE
    if review.submitted_at is None:
        return Freshness.UNKNOWN
    if review.commit_date and review.submitted_at < review.commit_date:
        return Freshness.STALE
    forced = [step.at for step in pull.timeline or () if step.kind is StepKind.FORCE_PUSHED and step.at]
    if any(review.submitted_at < at and not (pull.merged_at and at > pull.merged_at) for at in forced):
        return Freshness.STALE
    known = review.commit and pull.head_sha and review.commit_date and pull.timeline is not None
    return Freshness.FRESH if known else Freshness.UNKNOWN


def disputed(pull: PullRequestFacts, reviewers: tuple[Reviewer, ...]) -> tuple[Reviewer, ...]:
    """Opinions that GitHub's own list of the latest ones does not hold: one of us is wrong about them."""
    if pull.opinionated is None:
        return ()
    listed = {
        (each.submitted_at, each.commit, each.state) for each in pull.reviews if each.id in pull.opinionated
    }
    counted = (ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED)
    return tuple(
        each
        for each in reviewers
        if each.state in counted
        and not each.after_merge
        and (each.submitted_at, each.commit, each.state) not in listed
    )


def _known(people: People, person: Person | None) -> Person | None:
    return people.known(person) if person else None
