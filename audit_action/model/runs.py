"""What does the trail hold? Migration runs, the events of the database, and how a command ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from uuid import UUID

from audit_action.model.changes import Commit, PullRequest
from audit_action.model.people import Approver, Author, Merger, Reviewer, Unavailable


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
class Claim:
    """What sessions of a run's login claimed while the run was open; empty text: nothing.

    `belongs`: their events belong to that run; `belongs_to_some`: to any run.
    """

    belongs: bool
    belongs_to_some: bool
    delivery: Delivery
    ambiguous: bool
    claimed_run_id: str
    user_name: str
    user_email: str
    commit: str
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A row of `audit.status()`."""

    check: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The newest block of the ledger. Kept outside of the database, its digest proves the trail up to it."""

    number: int
    digest: str  # sha256, 64 hexadecimal digits


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFinding:
    """A row of `audit.verify()`: what does not hold, or what a reader should know although it does."""

    block: int | None
    subject: str
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
