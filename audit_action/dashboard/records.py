"""Which things do the pages show? Rows as the queries give them, and entries put together from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from audit_action.dashboard.filters import Position
from audit_action.model import Event, Json
from audit_action.report.record import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What one login may do in one database, and what helps reading there."""

    database: str
    login: str
    may_write: bool
    warehouse: bool  # holds the trails of several databases
    words_indexed: bool  # words are found through pg_trgm
    long_history: bool  # there are a thousand runs
    schemas: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry of the timeline, found: a run, or a transaction outside any run."""

    run_id: UUID | None
    transaction_audit_id: UUID | None
    time: datetime
    events: int  # wanted ones; 0: not counted

    @property
    def key(self) -> UUID:
        """The id of the run or the transaction."""
        key = self.run_id or self.transaction_audit_id
        assert key is not None  # the query gives one of both
        return key

    @property
    def position(self) -> Position:
        """Where it stands in the timeline."""
        return Position(time=self.time, id=self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many entries a filter finds, each counted up to a cap."""

    runs: int
    manual: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEvent(Event):
    """An event, and whether it is itself wanted or only of the same message as one."""

    transaction_start: datetime
    wanted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A row of audit.migration_run to show, with what its transactions changed."""

    id: UUID
    started_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    status: str
    exit_code: int | None
    database_user: str
    begun_by: str
    repository: str | None
    environment: str | None
    workflow: str | None
    job: str | None
    workflow_run: int | None
    run_attempt: int | None
    run_url: str | None
    event: str | None
    ref: str | None
    base_sha: str | None
    head_sha: str | None
    range_source: str | None
    actor: str | None
    triggering_actor: str | None
    commits: int
    pull_requests: Json
    authors: Json
    mergers: Json
    reviewers: Json
    approvers: Json
    unavailable: Json
    source: str | None
    transactions: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sent one transaction, and how."""

    id: UUID
    transaction_id: int
    time: datetime
    database_user: str
    login_user: str | None
    role: str | None
    application_user_name: str | None
    application_user_email: str | None
    application_name: str | None
    client_address: str | None
    pid: int | None
    delivery: str
    ambiguous: bool
    claimed_run_id: str | None
    run_id: UUID | None
    head_sha: str | None
    source: str | None
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The commands shown of one transaction."""

    id: UUID
    time: datetime
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the timeline: `run` or, outside any run, `sender`; and the commands to show of it."""

    database: str
    time: datetime
    run: Run | None
    sender: Sender | None
    parts: tuple[Part, ...]
    more: int  # events that are not told here, counted up to a cap
    hits: int = 0  # wanted events, where they were counted

    @property
    def key(self) -> UUID:
        """The id of the run or the transaction."""
        found = self.run or self.sender
        assert found is not None  # it is one of both
        return found.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """How many transactions changed the schema on one day (UTC)."""

    day: date
    in_runs: int
    manual: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One name to offer."""

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Yes or no."""

    yes: bool
