"""Who is behind a change? Authors, mergers, reviewers, approvers, and what could not be found out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique


@unique
class PersonKind(StrEnum):
    """What GitHub knows the person as."""

    USER = "user"
    BOT = "bot"
    MANNEQUIN = "mannequin"  # a placeholder that an import left behind
    GHOST = "ghost"  # the account was deleted
    UNMATCHED = "unmatched"  # name and e-mail of a commit that belong to no account


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody, as GitHub and git name them. Empty text and None mean: not known.

    `name` and `email` of a commit are claims by whoever made the commit; `login` and `id` come from
    GitHub. `login` is without the `[bot]` suffix: `kind` says it.
    """

    name: str = ""
    email: str = ""
    login: str = ""
    id: int | None = None
    kind: PersonKind = PersonKind.USER


@unique
class AuthorRole(StrEnum):
    """How somebody is behind a commit."""

    AUTHOR = "author"
    CO_AUTHOR = "co-author"
    COMMITTER = "committer"  # only where it says something: not GitHub's own web-flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """One person behind the commits of a change set, once, with every role they have in it."""

    person: Person
    roles: tuple[AuthorRole, ...]
    commits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Merger:
    """Who let a pull request into its base branch."""

    person: Person
    pull_request: int
    merged_at: datetime | None = None
    enabled_by: Person | None = None  # who switched auto-merge on
    merged_by: Person | None = None  # GitHub's own word, where a queue's bot did it for `person`


@unique
class ReviewState(StrEnum):
    """The final state of one reviewer's opinion, in GitHub's words."""

    APPROVED = "APPROVED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    DISMISSED = "DISMISSED"
    COMMENTED = "COMMENTED"


@unique
class Freshness(StrEnum):
    """Whether the review saw what was merged."""

    FRESH = "fresh"
    STALE = "stale"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """One reviewer's final opinion on one pull request."""

    person: Person
    pull_request: int
    state: ReviewState
    freshness: Freshness = Freshness.UNKNOWN
    submitted_at: datetime | None = None
    commit: str = ""
    can_write: bool | None = None  # None: GitHub did not say
    is_author: bool = False  # also wrote, co-wrote or committed something in the pull request
    after_merge: bool = False
    dismissed_by: Person | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """Who let the job into a protected environment. GitHub gives no time for it."""

    person: Person
    environment: str
    state: str  # approved, rejected, pending
    comment: str = ""
    seen_at_attempt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """A field that could not be resolved, why, and the permission that would help."""

    field: str
    reason: str
    permission: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The people behind one change set, and what could not be found out about them."""

    authors: tuple[Author, ...] = ()
    mergers: tuple[Merger, ...] = ()
    reviewers: tuple[Reviewer, ...] = ()
    approvers: tuple[Approver, ...] = ()
    actor: str = ""
    triggering_actor: str = ""
    rerun_by: tuple[str, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()
