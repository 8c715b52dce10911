"""How is a report shown in Markdown? Templates, and a ladder of sizes that ends below GitHub's limits."""

from __future__ import annotations

import re
from enum import IntEnum, unique

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from audit_action.model import Person, PersonKind, Reviewer
from audit_action.report import wording
from audit_action.report.layout import Limits, groups, least_size, sessions, strangers
from audit_action.report.record import Name, Report, Sentence, plain
from audit_action.report.safe_text import code, escape, fence, inline, link, shortened

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


_SUMMARY_LADDER = (
    Limits(commands=5_000, statement=50_000, strangers=1_000, findings=500, people=500, line=2_000),
    Limits(commands=2_000, statement=2_000, strangers=500, findings=200, people=100, line=1_000),
    Limits(commands=500, statement=500, strangers=200, findings=100, people=50, line=500),
)
_COMMENT_LADDER = (
    Limits(commands=200, statement=10_000, strangers=50, findings=50, people=50, line=1_000),
    Limits(commands=100, statement=1_000, strangers=25, findings=25, people=25, line=500),
    Limits(commands=75, statement=300, strangers=25, findings=25, people=25, line=500),
    Limits(commands=250, statement=0, strangers=25, findings=25, people=25, line=500),
    Limits(commands=50, statement=0, strangers=15, findings=15, people=15, line=200),
)
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

_COUNTS = Limits(commands=10, statement=0, strangers=5, findings=5, people=5, line=100)


def summary(report: Report) -> str:
    """The job summary: GitHub Flavored Markdown, below 1 MiB in UTF-8."""
    for limits in _SUMMARY_LADDER:
        if least_size(report.transactions, limits) < SUMMARY_BYTES:
            text = _render("report.md.j2", report, limits)
            if len(text.encode()) < SUMMARY_BYTES:
                return text
    return comment(report)


def comments(report: Report) -> tuple[str, ...]:
    """The bodies of the comment, the fullest first, each below the limit: on a 422 take the next."""
    return tuple(dict.fromkeys(comment(report, rung) for rung in Rung))


def comment(report: Report, rung: Rung = Rung.FULL) -> str:
    """The body of the comment on one rung of the ladder, below 65,536 characters with room for a marker.

    A body that would be too long on its rung is the next rung's.
    """
    ladder = {Rung.FULL: (*_COMMENT_LADDER, _COUNTS), Rung.COUNTS: (_COUNTS,), Rung.MINIMAL: ()}
    for limits in ladder[rung]:
        if least_size(report.transactions, limits) < COMMENT_CHARACTERS:
            text = _render("report.md.j2", report, limits)
            if fits(text):
                return text
    return _render("minimal.md.j2", report, _COUNTS)


def fits(body: str) -> bool:
    """Whether a comment may be that long; in UTF-16 units, of which no text has fewer than characters."""
    return len(body.encode("utf-16-le")) // 2 <= COMMENT_CHARACTERS


def _render(template: str, report: Report, limits: Limits) -> str:
    shown = groups(report.transactions, limits)
    tail = report.failure.tail if report.failure else ()
    total = sum(len(each.commands) for each in report.transactions)
    return _ENVIRONMENT.get_template(template).render(
        report=report,
        limits=limits,
        groups=shown,
        tail="\n".join(shortened(each, limits.line) for each in tail),
        hidden=total - sum(len(each.commands) for each in shown),
        strangers=strangers(report.unattributed, limits),
        sessions=sessions(report.transactions, limits),
    )


# --- Filters: what a template prints that is more than text ------------------------------------------


def _sentence(sentence: Sentence) -> Markup:
    if len(plain(sentence)) > 2_000:
        return inline(plain(sentence))
    return Markup("").join(code(each.text) if isinstance(each, Name) else inline(each) for each in sentence)


@pass_context
def _person(context: Context, person: Person) -> Markup:
    """The name, linked to the profile where there is one; never with an `@`."""
    name = escape(wording.name(person))
    if person.kind is PersonKind.GHOST:
        return name + " (account deleted)"
    if not person.login:
        return name
    return _profile(context, name, person.login, app=person.kind is PersonKind.BOT)


@pass_context
def _login(context: Context, login: str) -> Markup:
    """An account name, linked to its page; an app's has a suffix that its page does not."""
    return _profile(context, escape(login), login.removesuffix("[bot]"), app=login.endswith("[bot]"))


def _profile(context: Context, shown: Markup, login: str, *, app: bool) -> Markup:
    if not _LOGIN.fullmatch(login):
        return shown
    return link(shown, f"{context['report'].job.server_url}/{'apps/' if app else ''}{login}")


@pass_context
def _review(context: Context, reviewer: Reviewer) -> Markup:
    sign, word, notes = wording.opinion(reviewer)
    said = Markup("{} {} {}").format(sign, _person(context, reviewer.person), word)
    return said + (Markup(" ({})").format(inline(", ".join(notes))) if notes else "")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("audit_action"),
        autoescape=True,
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        application=wording.application,
        code=code,
        counted=wording.counted,
        dangers=wording.dangers,
        duration=wording.duration,
        fence=fence,
        icon=wording.icon,
        kinds=wording.kinds,
        link=link,
        login=_login,
        moment=wording.moment,
        outcome=wording.outcome,
        person=_person,
        query=wording.query,
        review=_review,
        role=wording.role,
        sentence=_sentence,
    )
    return environment


_ENVIRONMENT = _environment()
