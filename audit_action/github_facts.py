"""What does GitHub say, before anything is decided? Records that the edge returns and attribution reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from audit_action.model import Person, Relation, ReviewState, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociatedPullRequest:
    """A pull request that contains a commit. GitHub lists open ones and those of other repositories too."""

    number: int
    merged: bool = False
    base_ref: str = ""
    repository: str = ""  # owner/name of its base
    merge_commit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitFacts:
    """One commit. `pull_requests` is None where GitHub was not asked or did not say.

    `authors` is GitHub's reading of git's author and the co-author trailers, author first.
    """

    sha: str
    message: str = ""
    authors: tuple[Person, ...] = ()
    committer: Person | None = None
    committed_at: datetime | None = None
    parents: tuple[str, ...] = ()
    signature: str = "unknown"
    made_by_github: bool = False  # a merge, squash or edit on the web, not somebody's push
    pull_requests: tuple[AssociatedPullRequest, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One submitted review, as it stands now: a dismissal changes it in place."""

    id: int
    person: Person
    state: ReviewState
    submitted_at: datetime | None = None
    commit: str = ""
    commit_date: datetime | None = None
    can_write: bool | None = None


@unique
class StepKind(StrEnum):
    """What happened on the way of a pull request, in the words of GraphQL's PullRequestTimelineItems."""

    MERGED = "MergedEvent"
    QUEUED = "AddedToMergeQueueEvent"
    UNQUEUED = "RemovedFromMergeQueueEvent"
    AUTO_MERGE = "AutoMergeEnabledEvent"
    AUTO_SQUASH = "AutoSquashEnabledEvent"
    AUTO_REBASE = "AutoRebaseEnabledEvent"
    AUTO_MERGE_OFF = "AutoMergeDisabledEvent"
    REVIEW_DISMISSED = "ReviewDismissedEvent"
    FORCE_PUSHED = "HeadRefForcePushedEvent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One item of a pull request's timeline. `person`: the enqueuer or enabler, else the actor."""

    kind: StepKind
    at: datetime | None
    person: Person | None = None
    review: int | None = None  # of a dismissal


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestFacts:
    """One pull request with its commits (before squash or rebase), reviews and timeline, oldest first."""

    number: int
    title: str = ""
    url: str = ""
    merged: bool = False
    merged_at: datetime | None = None
    author: Person | None = None
    merged_by: Person | None = None
    base_ref: str = ""
    head_ref: str = ""
    head_sha: str = ""
    merge_commit: CommitFacts | None = None  # the merge, the squash, or the tip of a rebase
    commits: tuple[CommitFacts, ...] = ()
    commits_total: int = 0
    reviews: tuple[Review, ...] = ()
    reviews_total: int = 0
    opinionated: frozenset[int] | None = None  # ids of GitHub's own latestOpinionatedReviews
    timeline: tuple[Step, ...] | None = None  # None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """base...head: the commits that head has and their merge base has not, oldest first.

    `behind_by` counts what base has and head has not.
    """

    relation: Relation
    total: int
    behind_by: int = 0
    merge_base: str = ""
    commits: tuple[CommitFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """One attempt of a workflow run."""

    attempt: int
    actor: str = ""
    triggering_actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What several questions brought: the answers by key, and what GitHub refused."""

    commits: tuple[CommitFacts, ...] = ()
    pull_requests: tuple[PullRequestFacts, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()
