"""How is a report shown where there is no Markdown? In a terminal, and as the job's annotations."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, unique

from audit_action.model import Author, Person, Reviewer
from audit_action.report.record import Report, plain
from audit_action.report.safe_text import shortened, terminal_line
from audit_action.report.wording import application, counted, first_line, moment, name, opinion, query, role

MAX_ANNOTATIONS = 10
"""The runner keeps ten of each kind a step (actions/runner, ExecutionContext.cs)."""


@unique
class Level(StrEnum):
    """The workflow command that shows an annotation."""

    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A line at the top of the workflow run's page. The runner edge escapes it for the command."""

    level: Level
    title: str
    message: str


def annotations(report: Report) -> tuple[Annotation, ...]:
    """Destructive and unattributed findings, at most ten; the last says how many more there are."""
    found = [
        Annotation(
            level=Level.WARNING,
            title="Destructive schema change",
            message=terminal_line(shortened(f"{plain(each.sentence)}: {each.why}", 1_000)),
        )
        for each in report.findings
        if each.destructive
    ] + [
        Annotation(
            level=Level.WARNING,
            title="Schema change outside any migration run",
            message=terminal_line(
                shortened(f"{plain(command.sentence)}, by {each.database_user} at {moment(each.time)}", 1_000)
            ),
        )
        for each in report.unattributed
        for command in each.commands
    ]
    if len(found) <= MAX_ANNOTATIONS:
        return tuple(found)
    rest = len(found) - MAX_ANNOTATIONS + 1
    last = Annotation(
        level=Level.WARNING,
        title="Schema changes",
        message=f"{counted(rest, 'more finding')} in the job summary",
    )
    return (*found[: MAX_ANNOTATIONS - 1], last)


def terminal(report: Report) -> str:
    """The report as plain text, for a terminal and for the job's log."""
    return "\n".join(terminal_line(each) for each in _lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield first_line(report)
    yield ""
    yield from _people(report)
    if report.failure:
        yield ""
        yield report.failure.reason
        yield from (f"  {each}" for each in (report.failure.message, report.failure.statement) if each)
    if report.findings:
        yield ""
        for each in report.findings:
            yield f"{'!!' if each.destructive else ' !'} {plain(each.sentence)}: {each.why}"
    for number, one in enumerate(report.transactions, start=1):
        yield ""
        yield f"Transaction {number}  {moment(one.time)}  {one.database_user}"
        for command in one.commands:
            yield f"  - {plain(command.sentence)}"
    if report.unattributed:
        yield ""
        yield f"{counted(report.counts.unattributed, 'change')} outside any migration run:"
        for one in report.unattributed:
            who = ", ".join(filter(None, (one.database_user, one.client_address, application(one))))
            yield from (f"  ? {moment(one.time)}  {plain(each.sentence)}  ({who})" for each in one.commands)
    yield from (f"  ? {difference}" for difference in report.drift or ())
    if report.warnings:
        yield ""
        yield from (f"Note: {warning}" for warning in report.warnings)
    if report.run_id:
        yield ""
        yield f"In the database: {query(report.run_id)}"


def _people(report: Report) -> Iterator[str]:
    people = report.attribution
    yield f"  Authors      {', '.join(map(_author, people.authors)) or 'not known'}"
    if people.mergers:
        yield f"  Merged by    {', '.join(_person(each.person) for each in people.mergers)}"
    if people.reviewers:
        yield f"  Reviewed by  {', '.join(map(_review, people.reviewers))}"
    if people.approvers:
        approvals = (f"{each.state} by {_person(each.person)}" for each in people.approvers)
        yield f"  Deployment   {', '.join(approvals)}"
    if not report.github_known:
        yield "  GitHub was not asked, because there is no token."
    for each in people.unavailable:
        yield f"  Not known: {each.field} ({each.reason})"


def _author(author: Author) -> str:
    return _person(author.person) + (f" [{role(author)}]" if role(author) else "")


def _person(person: Person) -> str:
    called = name(person)
    return f"{called} ({person.login})" if person.login and person.login != called else called


def _review(reviewer: Reviewer) -> str:
    _, word, notes = opinion(reviewer)
    return f"{_person(reviewer.person)} [{', '.join((word, *notes))}]"
