"""Which things does everybody here talk about? Records and closed sets; they decide nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum, StrEnum, unique
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


# --- People ------------------------------------------------------------------------------------


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


# --- What is being deployed --------------------------------------------------------------------


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


# --- What happened on GitHub, and in the job ----------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The job that runs us, from the `GITHUB_*` variables. Empty and None: not run by GitHub Actions."""

    repository: str = ""
    event: str = ""
    ref: str = ""
    sha: str = ""
    workflow: str = ""
    workflow_ref: str = ""  # owner/name/.github/workflows/file.yml@ref
    name: str = ""
    run_id: int | None = None
    run_attempt: int | None = None
    actor: str = ""
    triggering_actor: str = ""
    server_url: str = "https://github.com"

    @property
    def run_url(self) -> str:
        """The page of this attempt of the workflow run, or empty text."""
        if not (self.repository and self.run_id):
            return ""
        return (
            f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}/attempts/{self.run_attempt or 1}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What happened: the event, reduced to what decides the range and the people.

    `commits` are those of the event itself: names and e-mails where no API can be asked.
    """

    event: str
    repository: str
    head_sha: str
    action: str = ""
    ref: str = ""
    before: str = ""  # a push's own base; empty for a new ref
    base_sha: str = ""  # the base of a pull request or merge group
    pull_request: int | None = None
    preview: bool = False  # an open pull request: nothing is merged yet
    forced: bool = False
    sender: str = ""
    commits: tuple[Commit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerFiles:
    """Where the Actions runner takes what a step says; None where it named no file.

    `temp` lies inside the container; `temp_outside` is the same folder as the job's other steps see it.
    """

    in_actions: bool = False
    output: Path | None = None
    env: Path | None = None
    state: Path | None = None
    summary: Path | None = None
    temp: Path | None = None
    temp_outside: Path | None = None


# --- The trail ----------------------------------------------------------------------------------


@unique
class RunStatus(StrEnum):
    """Where a migration run stands."""

    OPEN = "open"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    ABANDONED = "abandoned"


@unique
class Delivery(StrEnum):
    """How an event found its migration run (design 4.4)."""

    SESSION = "session"
    APPLICATION_NAME = "application_name"
    OPEN_RUN = "open_run"
    NONE = "none"


@unique
class EventKind(StrEnum):
    """Which event trigger saw it."""

    COMMAND = "command"
    DROP = "drop"
    REWRITE = "rewrite"


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationRun:
    """A row of `audit.migration_run` as begun. Every field is a column of the same name.

    The JSON columns hold the records above as `as_json` writes them.
    """

    repository: str
    environment: str
    workflow: str
    job: str
    run_id: int | None
    run_attempt: int | None
    run_url: str
    event: str
    ref: str
    base_sha: str
    head_sha: str
    range_source: str
    actor: str
    triggering_actor: str
    commits: tuple[Commit, ...] = ()
    pull_requests: tuple[PullRequest, ...] = ()
    authors: tuple[Author, ...] = ()
    mergers: tuple[Merger, ...] = ()
    reviewers: tuple[Reviewer, ...] = ()
    approvers: tuple[Approver, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One row of `audit.history`: one object touched by one command. Field names are column names."""

    transaction_audit_id: UUID
    transaction_id: int
    position: int  # of the event in its transaction, from 1
    message: int  # the position of the first event of the same client message
    event_time: datetime
    event: EventKind
    command_tag: str
    object_type: str | None
    schema_name: str | None
    object_identity: str | None
    previous_identity: str | None
    original: bool | None  # of a drop: named by the statement, not taken along
    rewrite_reason: int | None  # bitmap: 1 persistence, 2 default, 4 type, 8 access method
    statement_text: str | None  # the inner statement, where the command ran inside a function
    query_text: str | None  # the client's message, secrets removed
    redacted: bool
    database_user: str
    application_name: str | None
    client_address: str | None
    delivery: Delivery
    run_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A row of `audit.status()`."""

    check: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationResult:
    """How the migration command ended. `exit_code` is 128 + n when signal n ended it."""

    exit_code: int
    seconds: float
    timed_out: bool = False
    cancelled: bool = False
    left_behind: bool = False  # processes outlived the command, held its output, and were killed
    tail: tuple[str, ...] = ()  # the last lines of its output, secrets masked


# --- Records as JSON ----------------------------------------------------------------------------


def writable(text: str) -> str:
    """The text as PostgreSQL's text and jsonb can hold it: NUL and lone surrogates become U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def as_json(value: object) -> Json:
    """The record as JSON, under its own field names; empty and unknown fields are left out.

    >>> as_json(Person(name="Ada Lovelace", login="ada", id=7))
    {'name': 'Ada Lovelace', 'login': 'ada', 'id': 7, 'kind': 'user'}
    """
    match value:
        case Enum():
            return str(value.value)
        case str():
            return writable(value)
        case None | bool() | int() | float():
            return value
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case Mapping():
            return {str(key): as_json(item) for key, item in value.items()}
        case tuple() | list():
            return [as_json(item) for item in value]
    if is_dataclass(value):
        pairs = ((each.name, getattr(value, each.name)) for each in fields(value))
        return {name: as_json(item) for name, item in pairs if item not in (None, "", ())}
    raise TypeError(f"{type(value).__name__} has no JSON form")
