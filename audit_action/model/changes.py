"""What is being deployed? Commits, the pull requests that brought them, and the range."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from audit_action.model.people import Person


@unique
class MergeMethod(StrEnum):
    """How a pull request came into its base branch."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"
    QUEUE = "merge queue"
    INDIRECT = "indirect"  # GitHub marked it merged because its head became reachable
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit; `authors` begins with git's author, the co-authors follow."""

    sha: str
    headline: str = ""
    authors: tuple[Person, ...] = ()
    committer: Person | None = None
    committed_at: datetime | None = None
    parents: int = 1
    signature: str = "unknown"  # GitHub's GitSignatureState in lower case, unsigned or unknown
    pull_requests: tuple[int, ...] = ()
    made_by_github: bool = False  # a merge, squash or edit on the web, not somebody's push
    reverts: str = ""
    cherry_picked_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request that brought commits of the change set; `commits` are those before squash or rebase."""

    number: int
    title: str = ""
    url: str = ""
    author: Person | None = None
    merged: bool = False
    merged_at: datetime | None = None
    method: MergeMethod = MergeMethod.UNKNOWN
    base_ref: str = ""
    head_ref: str = ""
    head_sha: str = ""
    merge_commit: str = ""
    commits: tuple[Commit, ...] = ()


@unique
class RangeSource(StrEnum):
    """Where the base of the range came from, the surest first."""

    LAST_RUN = "last run on this database"
    LAST_DEPLOYMENT = "last deployment"
    LAST_WORKFLOW_RUN = "last workflow run"
    PUSH_BEFORE = "push"
    PULL_REQUEST = "pull request"
    MERGE_GROUP = "merge group"
    HEAD_ONLY = "head commit alone"


@unique
class Confidence(StrEnum):
    """How sure it is that the range is what this database has not seen yet."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@unique
class Relation(StrEnum):
    """GitHub's word for head against base; `unknown` where they could not be compared."""

    IDENTICAL = "identical"
    AHEAD = "ahead"
    BEHIND = "behind"  # a rollback
    DIVERGED = "diverged"  # a force-push, or another branch
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """The commits being deployed (base..head) and the pull requests that brought them."""

    head_sha: str
    head: Commit | None = None  # the head commit, also where it is not new to this database
    base_sha: str = ""
    range_source: RangeSource = RangeSource.HEAD_ONLY
    confidence: Confidence = Confidence.LOW
    relation: Relation = Relation.UNKNOWN
    commits: tuple[Commit, ...] = ()
    removed: tuple[Commit, ...] = ()
    pull_requests: tuple[PullRequest, ...] = ()
    total_commits: int = 0  # more than len(commits): the list was cut, and the report says so
