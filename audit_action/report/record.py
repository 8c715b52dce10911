"""What does a report hold? The one value behind every rendering; it decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import TypeAlias
from uuid import UUID

from audit_action.model import Attribution, ChangeSet, Delivery, Event, Job, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """Something of the database's own inside a sentence: an object, a column, a type. Shown as code."""

    text: str


Sentence: TypeAlias = "tuple[str | Name, ...]"
"""What a person would say, in pieces: our own words, and names that are not ours."""


def plain(sentence: Sequence[str | Name]) -> str:
    """The sentence as one text, without marks.

    >>> plain(("Dropped table ", Name(text="public.a")))
    'Dropped table public.a'
    """
    return "".join(piece.text if isinstance(piece, Name) else piece for piece in sentence)


@unique
class Source(StrEnum):
    """What the text shown with a command is."""

    STATEMENT = "statement"  # the one statement that did it
    INNER = "inner"  # the statement inside a function or DO block, as PostgreSQL reports it
    MESSAGE = "message"  # everything the client sent: which part did it is not certain
    NONE = "none"  # no text was recorded


@unique
class Danger(StrEnum):
    """What cannot be taken back, or hurts while it runs."""

    DROP = "drop"
    DROP_COLUMN = "drop column"
    TRUNCATE = "truncate"
    REWRITE = "rewrite"
    NOT_NULL = "not null"
    BLOCKING_INDEX = "blocking index"
    DISABLED = "disabled protection"
    PRIVILEGE = "privilege"


DESTRUCTIVE = frozenset({Danger.DROP, Danger.DROP_COLUMN, Danger.TRUNCATE})
"""The dangers that lose what was stored. They are what the output `destructive` counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A danger, what did it, and a word of why it matters."""

    danger: Danger
    sentence: Sentence
    why: str

    @property
    def destructive(self) -> bool:
        """Whether something that was stored is gone."""
        return self.danger in DESTRUCTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command as a person would tell it. `events` are its rows of the trail, in order."""

    sentence: Sentence
    source: Source
    text: str  # without the ending semicolon; empty when source is NONE
    tag: str
    folded: tuple[str, ...] = ()  # identities of what came along: a serial's sequence, a key's index
    taken_along: int = 0  # objects dropped with the named one
    findings: tuple[Finding, ...] = ()
    events: tuple[Event, ...]

    @property
    def destructive(self) -> bool:
        """Whether it lost something that was stored."""
        return any(each.destructive for each in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """The commands of one transaction, and who sent them."""

    id: UUID
    transaction_id: int
    time: datetime
    database_user: str
    application_name: str
    client_address: str
    delivery: Delivery
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The numbers that are step outputs. `drift` is None where nothing was compared."""

    transactions: int
    commands: int
    destructive: int
    unattributed: int
    drift: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What is known about a migration that did not succeed."""

    exit_code: int
    reason: str  # prose: how it ended
    message: str = ""  # PostgreSQL's own ERROR line, where the output has one
    statement: str = ""  # the failing statement, where the output names it
    location: str = ""  # file:line, where the output names it
    tail: tuple[str, ...] = ()  # the last masked lines of the output


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything a reader is told about one migration run."""

    run_id: UUID | None
    status: RunStatus
    preview: bool
    job: Job
    environment: str
    target: str
    seconds: float | None  # None: nothing was run
    exit_code: int | None
    change_set: ChangeSet
    attribution: Attribution
    github_known: bool  # False: GitHub was not asked, so nobody beyond the commits is known
    transactions: tuple[Transaction, ...]
    unattributed: tuple[Transaction, ...]
    unattributed_since: datetime | None
    findings: tuple[Finding, ...]  # of the run's own commands, the destructive first
    drift: tuple[str, ...] | None
    failure: Failure | None
    warnings: tuple[str, ...]
    counts: Counts
