"""How is a report shown in Markdown? Templates, and a ladder of sizes that ends below GitHub's limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, unique
from itertools import islice
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from audit_action.model import Freshness, Person, PersonKind, Reviewer, ReviewState, RunStatus
from audit_action.report.record import Command, Name, Report, Sentence, Source, Transaction, plain
from audit_action.report.safe_text import FILTERS, code, escape, inline, link, shortened

COMMENT_CHARACTERS = 65_536 - 300
"""GitHub refuses more ("body is too long (maximum is 65536 characters)"); the marker needs some of it."""

SUMMARY_BYTES = 1024 * 1024
"""The runner drops a longer job summary whole (actions/runner, FileCommandManager.cs)."""


@unique
class Rung(IntEnum):
    """The sizes of a comment, the largest first."""

    FULL = 0
    COUNTS = 1
    MINIMAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of each list is shown. The JSON always has everything."""

    commands: int
    statement: int  # characters of one statement; 0: no SQL
    strangers: int
    findings: int
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sql:
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    title: str
    commands: tuple[Command, ...]
    sql: tuple[_Sql, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stranger:
    transaction: Transaction
    command: Command


_SUMMARY_LADDER = (
    Limits(commands=5_000, statement=100_000, strangers=1_000, findings=500, people=500),
    Limits(commands=2_000, statement=2_000, strangers=500, findings=200, people=100),
    Limits(commands=500, statement=500, strangers=200, findings=100, people=50),
)
_COMMENT_LADDER = (
    Limits(commands=200, statement=10_000, strangers=50, findings=50, people=50),
    Limits(commands=100, statement=1_000, strangers=25, findings=25, people=25),
    Limits(commands=50, statement=0, strangers=15, findings=15, people=15),
)
_COUNTS = Limits(commands=10, statement=0, strangers=5, findings=5, people=5)


def summary(report: Report) -> str:
    """The job summary: GitHub Flavored Markdown, below 1 MiB in UTF-8."""
    for limits in _SUMMARY_LADDER:
        text = _render("report.md.j2", report, limits)
        if len(text.encode()) < SUMMARY_BYTES:
            return text
    return comment(report, Rung.FULL)


def comments(report: Report) -> tuple[str, ...]:
    """The bodies of the comment, the fullest first, each below the limit: on a 422 take the next."""
    return tuple(dict.fromkeys(comment(report, rung) for rung in Rung))


def comment(report: Report, rung: Rung = Rung.FULL) -> str:
    """The body of the comment on one rung of the ladder, below 65,536 characters with room for a marker.

    A body that would be too long on its rung is the next rung's.
    """
    if rung is Rung.FULL:
        for limits in _COMMENT_LADDER:
            text = _render("report.md.j2", report, limits)
            if fits(text):
                return text
    if rung <= Rung.COUNTS:
        text = _render("report.md.j2", report, _COUNTS)
        if fits(text):
            return text
    return _render("minimal.md.j2", report, _COUNTS)


def fits(body: str) -> bool:
    """Whether a comment may be that long; in UTF-16 units, of which no text has fewer than characters."""
    return len(body.encode("utf-16-le", "surrogatepass")) // 2 <= COMMENT_CHARACTERS


def _render(template: str, report: Report, limits: Limits) -> str:
    groups = tuple(_groups(report, limits))
    shown = sum(len(each.commands) for each in groups)
    strangers = (
        _Stranger(transaction=one, command=each) for one in report.unattributed for each in one.commands
    )
    return _ENVIRONMENT.get_template(template).render(
        report=report,
        limits=limits,
        icon=_icon(report),
        verb=_verb(report),
        head=report.change_set.head_sha[:7],
        range=_range(report),
        several=len(report.change_set.pull_requests) > 1,
        reviewed=report.github_known and bool(report.change_set.pull_requests),
        opened=Markup(" open"),
        dangers_counted=_dangers_counted(report),
        groups=groups,
        hidden=report.counts.commands - shown,
        strangers=tuple(islice(strangers, limits.strangers)),
    )


def heading(report: Report) -> str:
    """The first line as plain text: status, counts, target, duration."""
    counts = report.counts
    changes = (
        f"{counted(counts.commands, 'schema change')} in {counted(counts.transactions, 'transaction')}"
        if counts.commands
        else "no schema change"
    )
    where = f"{report.target} ({report.environment})" if report.environment else report.target
    took = "" if report.seconds is None else f" · {duration(report.seconds)}"
    return f"{_icon(report)} {_verb(report)} {changes} · {where}{took}"


def _icon(report: Report) -> str:
    if report.status is RunStatus.SUCCEEDED:
        return "🔍" if report.preview else "✅"
    return {RunStatus.FAILED: "❌", RunStatus.CANCELLED: "🚫", RunStatus.REFUSED: "⛔"}.get(
        report.status, "❔"
    )


def _verb(report: Report) -> str:
    match report.status:
        case RunStatus.SUCCEEDED:
            return "Previewed" if report.preview else "Applied"
        case RunStatus.FAILED:
            return "Failed after"
        case RunStatus.CANCELLED:
            return "Cancelled after"
        case RunStatus.REFUSED:
            return "Refused, with"
    return f"Migration run {report.status}:"


def _dangers_counted(report: Report) -> str:
    destructive = report.counts.destructive
    risky = len(report.findings) - destructive
    counts = ((destructive, "destructive change"), (risky, "risky change"))
    return " and ".join(counted(number, noun) for number, noun in counts if number)


def _range(report: Report) -> str:
    base, head = report.change_set.base_sha[:7], report.change_set.head_sha[:7]
    return f"{base}..{head}" if base else head


def _groups(report: Report, limits: Limits) -> Iterator[_Group]:
    """Transactions of several commands one by one, runs of single-command transactions together."""
    left = limits.commands
    pending: list[Command] = []
    first = 1
    total = len(report.transactions)

    def gathered(until: int) -> Iterator[_Group]:
        if pending:
            last = until - 1
            title = (
                f"Transaction {first}"
                if first == last
                else f"Transactions {first} to {last}, one command each"
            )
            yield _group(title if total > 1 else "", tuple(pending), limits)
            pending.clear()

    for number, each in enumerate(report.transactions, start=1):
        if left <= 0:
            break
        if len(each.commands) == 1:
            if not pending:
                first = number
            pending += each.commands
            left -= 1
            continue
        yield from gathered(number)
        commands = each.commands[:left]
        left -= len(commands)
        yield _group(f"Transaction {number}" if total > 1 else "", commands, limits)
    else:
        number = total + 1
    yield from gathered(first + len(pending))


def _group(title: str, commands: tuple[Command, ...], limits: Limits) -> _Group:
    return _Group(
        title=title, commands=commands, sql=tuple(_sql(commands, limits)) if limits.statement else ()
    )


def _sql(commands: tuple[Command, ...], limits: Limits) -> Iterator[_Sql]:
    """The distinct texts behind commands: statements as one script, messages apart and said to be so."""
    script: list[str] = []
    seen: set[str] = set()
    for each in commands:
        if not each.text or each.text in seen:
            continue
        seen.add(each.text)
        text = shortened(each.text, limits.statement)
        if each.source is not Source.MESSAGE:
            script.append(text + ";")
            continue
        if script:
            yield _Sql(text="\n\n".join(script))
            script = []
        yield _Sql(
            text=text,
            note="Sent as one message; which of its statements did which change is not certain:",
        )
    if script:
        yield _Sql(text="\n\n".join(script))


# --- Filters ------------------------------------------------------------------------------------


def _sentence(sentence: Sentence) -> Markup:
    if len(plain(sentence)) > 2_000:
        return inline(plain(sentence))
    return Markup("").join(code(each.text) if isinstance(each, Name) else inline(each) for each in sentence)


def counted(number: int, noun: str) -> str:
    """The number with its noun: 1 change, 2 changes, 20,000 changes."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Seconds as a person says them: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def moment(time: datetime) -> str:
    """A time to the minute, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


@pass_context
def _person(context: Context, person: Person) -> Markup:
    """The name, linked to the profile where there is one; never with an `@`."""
    server = context["report"].job.server_url
    name = escape(person.name or person.login or person.email or "somebody unknown")
    if person.kind is PersonKind.GHOST:
        return name + Markup(" (account deleted)")
    if not person.login:
        return name + (Markup(" (no GitHub account found)") if person.kind is PersonKind.UNMATCHED else "")
    page = f"apps/{person.login}" if person.kind is PersonKind.BOT else person.login
    shown = escape(person.login)
    if person.name and person.name != person.login:
        return name + Markup(" (") + link(shown, f"{server}/{page}") + Markup(")")
    return link(shown, f"{server}/{page}")


_REVIEWS = {
    ReviewState.APPROVED: "✅ approved by",
    ReviewState.CHANGES_REQUESTED: "❌ changes requested by",
    ReviewState.DISMISSED: "⚪ dismissed review of",
    ReviewState.COMMENTED: "💬 comment of",
}


@pass_context
def _review(context: Context, reviewer: Reviewer) -> Markup:
    notes = review_notes(reviewer)
    said = escape(_REVIEWS[reviewer.state]) + " " + _person(context, reviewer.person)
    return said + (Markup(" (") + inline(", ".join(notes)) + Markup(")") if notes else "")


def query(run_id: UUID) -> str:
    """What to ask the database for everything about a run."""
    return f"select * from audit.history where run_id = '{run_id}'"  # noqa: S608  # shown, and a UUID


def review_notes(reviewer: Reviewer) -> list[str]:
    """What else a reader must know about an opinion."""
    notes = (
        ("before the last commit", reviewer.freshness is Freshness.STALE),
        ("also an author", reviewer.is_author),
        ("after the merge", reviewer.after_merge),
        ("without write access", reviewer.can_write is False),
    )
    return [note for note, applies in notes if applies]


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("audit_action"),
        autoescape=True,
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters.update(
        FILTERS,
        counted=counted,
        duration=duration,
        moment=moment,
        person=_person,
        query=query,
        review=_review,
        sentence=_sentence,
    )
    return environment


_ENVIRONMENT = _environment()
