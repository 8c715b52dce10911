"""How do the pages look? Templates, and what they may print that is more than text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from audit_action.dashboard import chart, people, state, text
from audit_action.dashboard.filters import Filter
from audit_action.dashboard.kinds import COMMON, VERBS
from audit_action.dashboard.links import Links
from audit_action.dashboard.records import Run
from audit_action.model import Delivery
from audit_action.report import wording

DELIVERIES = {
    Delivery.SESSION: "the session's settings",
    Delivery.APPLICATION_NAME: "the application's name",
    Delivery.OPEN_RUN: "the run being open",
    Delivery.NONE: "nothing: outside any run",
}
"""What a transaction was told apart by (design 4.4)."""


class Renderer:
    """Renders pages whose links are made by `links`."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._environment = _environment()

    def page(self, template: str, values: Mapping[str, object]) -> str:
        """The page as HTML."""
        return self._environment.get_template(f"{template}.html").render(
            {"links": self._links, "wanted": Filter(), **values}
        )


def outcome(run: Run, now: datetime | None = None) -> str:
    """One word for where a run stands; an open one that expired is `expired`."""
    if run.status == "open" and run.expires_at <= (now or datetime.now(UTC)):
        return "expired"
    return run.status


def seconds(run: Run) -> float | None:
    """How long it took; None while it is open."""
    return (run.finished_at - run.started_at).total_seconds() if run.finished_at else None


def title(run: Run) -> str:
    """What a run is called: its pull request, else its workflow."""
    pulls = people.pull_requests(run)
    if len(pulls) == 1 and pulls[0].title:
        return pulls[0].title
    if len(pulls) > 1:
        return (
            f"{pulls[0].title or 'Pull requests'} and {wording.counted(len(pulls) - 1, 'more pull request')}"
        )
    return run.workflow or "Migration run"


def _size(number: int | None) -> str:
    """Bytes as a person says them.

    >>> _size(1536), _size(None)
    ('1.5 kB', 'unknown')
    """
    if number is None:
        return "unknown"
    amount = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"


def _at_most(number: int, cap: int) -> str:
    """A number that was counted up to a cap."""
    return f"{cap - 1:,}+" if number >= cap else f"{number:,}"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("audit_action.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        advice=state.advice,
        approvers=people.approvers,
        at_most=_at_most,
        authors=people.authors,
        bytes=_size,
        claimed=people.claimed,
        commit_url=people.commit_url,
        counted=wording.counted,
        duration=wording.duration,
        everybody=people.everybody,
        line=text.marked,
        mergers=people.mergers,
        moment=text.moment,
        outcome=outcome,
        profile_url=people.profile_url,
        pull_requests=people.pull_requests,
        reviewers=people.reviewers,
        seconds=seconds,
        sentence=text.sentence,
        sql=text.sql,
        starters=people.starters,
        title_of=title,
        web=text.web,
    )
    environment.globals.update(
        Filter=Filter,
        chart=chart.drawn,
        chart_says=chart.summary,
        common_kinds=COMMON,
        deliveries=DELIVERIES,
        day_of=_day_of,
        verbs=VERBS,
    )
    return environment


def _day_of(links: Links) -> object:
    """How a chart's bar finds the timeline of its day."""

    def address(day: date) -> str:
        return links.timeline(Filter(since=day.isoformat(), until=day.isoformat()))

    return address
