"""Which words do all renderings share? The first line, numbers, times, people's names, opinions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from audit_action.inherited import pgappname_of_the_user
from audit_action.model import Author, AuthorRole, Freshness, Person, Reviewer, ReviewState, RunStatus
from audit_action.report.record import Report, Transaction

_ICONS = {
    RunStatus.SUCCEEDED: "✅",
    RunStatus.FAILED: "❌",
    RunStatus.CANCELLED: "🚫",
    RunStatus.REFUSED: "⛔",
}
_OUTCOMES = {
    RunStatus.SUCCEEDED: ("Applied", "No schema change"),
    RunStatus.FAILED: ("Failed after", "Failed, with no schema change committed"),
    RunStatus.CANCELLED: ("Cancelled after", "Cancelled, with no schema change committed"),
    RunStatus.REFUSED: ("Refused after", "Refused: the migration was not run"),
}
_REVIEWS = {
    ReviewState.APPROVED: ("✅", "approved"),
    ReviewState.CHANGES_REQUESTED: ("❌", "requested changes"),
    ReviewState.DISMISSED: ("⚪", "dismissed"),
    ReviewState.COMMENTED: ("💬", "commented"),
}


def icon(report: Report) -> str:
    """One sign for how it went."""
    if report.preview and report.status is RunStatus.SUCCEEDED:
        return "🔍"
    return _ICONS.get(report.status, "❔")


def outcome(report: Report) -> str:
    """How it went and how much: "Applied 4 schema changes in 2 transactions"."""
    verb, nothing = _OUTCOMES.get(report.status, (f"Run {report.status}, with", f"Run {report.status}"))
    if report.preview and report.status is RunStatus.SUCCEEDED:
        verb, nothing = "Preview:", "Preview: no schema change"
    counts = report.counts
    if not counts.commands:
        return nothing
    changes = counted(counts.commands, "schema change")
    return f"{verb} {changes} in {counted(counts.transactions, 'transaction')}"


def first_line(report: Report) -> str:
    """The first line as plain text: status, counts, target, duration."""
    where = f"{report.target} ({report.environment})" if report.environment else report.target
    took = "" if report.seconds is None else f" · {duration(report.seconds)}"
    return f"{icon(report)} {outcome(report)} · {where}{took}"


def dangers(report: Report) -> str:
    """How many findings of which weight: "1 destructive change and 2 risky changes"."""
    destructive = report.counts.destructive
    counts = ((destructive, "destructive change"), (len(report.findings) - destructive, "risky change"))
    return " and ".join(counted(number, noun) for number, noun in counts if number)


def counted(number: int, noun: str) -> str:
    """The number with its noun.

    >>> counted(1, "change"), counted(20_000, "change")
    ('1 change', '20,000 changes')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def kinds(identities: Sequence[str]) -> str:
    """What came along, by kind: "a sequence and 2 indexes". An identity begins with its kind.

    >>> kinds(["sequence public.a_id_seq", "index public.a_pkey", "index public.a_b_key"])
    'a sequence and 2 indexes'
    """
    found = Counter(each.split(" ")[0] for each in identities)
    said = [
        f"{number} {kind}{'es' if kind.endswith('x') else 's'}" if number > 1 else _one(kind)
        for kind, number in found.items()
    ]
    return " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))


def _one(kind: str) -> str:
    return f"an {kind}" if kind[:1] in "aeiou" else f"a {kind}"


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration(0.41), duration(12.4), duration(185), duration(7800)
    ('0.4 s', '12 s', '3 min 5 s', '2 h 10 min')
    """
    whole = round(seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def moment(time: datetime) -> str:
    """A time to the minute, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def query(run_id: UUID) -> str:
    """What to ask the database for everything about a run."""
    return f"select * from audit.history where run_id = '{run_id}'"  # noqa: S608  # shown, and a UUID


def application(transaction: Transaction) -> str:
    """The name the client gave itself, without what we put before it to find the run."""
    return pgappname_of_the_user(transaction.application_name)


def name(person: Person) -> str:
    """What a person is called."""
    return person.name or person.login or person.email or "somebody unknown"


def role(author: Author) -> str:
    """What somebody is besides or instead of an author; empty for a plain author."""
    return "" if AuthorRole.AUTHOR in author.roles else author.roles[0].value


def opinion(reviewer: Reviewer) -> tuple[str, str, tuple[str, ...]]:
    """A sign, the word for the state, and what else a reader must know about it."""
    notes = (
        ("before the last commit", reviewer.freshness is Freshness.STALE),
        ("also an author", reviewer.is_author),
        ("after the merge", reviewer.after_merge),
        ("without write access", reviewer.can_write is False),
    )
    sign, word = _REVIEWS[reviewer.state]
    return sign, word, tuple(note for note, applies in notes if applies)
