"""Who is behind a run? The people of its JSON columns, each once, with what they did."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from audit_action.dashboard.records import Run, Sender
from audit_action.json_paths import at, flag, items, number, text
from audit_action.model import Json

COLOURS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A person on a page. `key` finds them again: the login, else the e-mail address, else the name."""

    key: str
    name: str
    login: str = ""
    kind: str = "user"
    parts: tuple[str, ...] = ()  # what they did: "author", "merged #12", "approved #12"
    warned: bool = False  # a part that a reader must look at twice

    @property
    def initials(self) -> str:
        """One or two letters for the avatar."""
        words = [each for each in self.name.replace("-", " ").replace(".", " ").split() if each[0].isalnum()]
        return "".join(each[0] for each in (words[:1] + words[1:][-1:])).upper() or "?"

    @property
    def colour(self) -> int:
        """Which of the avatar colours is theirs, from 0."""
        return hashlib.sha256(self.key.encode()).digest()[0] % COLOURS


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request to link to."""

    number: int
    title: str
    url: str


def authors(run: Run) -> tuple[Shown, ...]:
    """Who wrote it, in the order of the trail."""
    return _once(
        _person(each, ", ".join(map(str, items(each, "roles"))) or "author") for each in items(run.authors)
    )


def mergers(run: Run) -> tuple[Shown, ...]:
    """Who merged it."""
    return _once(_person(each, f"merged {_pull(each)}".strip()) for each in items(run.mergers))


_STATES = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "requested changes on",
    "DISMISSED": "review dismissed on",
    "COMMENTED": "commented on",
}


def reviewers(run: Run) -> tuple[Shown, ...]:
    """Who reviewed it, with what they said in the end."""
    return _once(_reviewer(each) for each in items(run.reviewers))


def _reviewer(review: Json) -> Shown:
    state = text(review, "state")
    notes = [
        note
        for note, holds in (
            ("before the last commit", text(review, "freshness") == "stale"),
            ("also an author", flag(review, "is_author")),
            ("after the merge", flag(review, "after_merge")),
            ("without write access", flag(review, "can_write") is False),
        )
        if holds
    ]
    said = f"{_STATES.get(state, state.lower())} {_pull(review)}".strip()
    shown = _person(review, f"{said} ({', '.join(notes)})" if notes else said)
    return replace(shown, warned=bool(notes) or state in ("CHANGES_REQUESTED", "DISMISSED"))


def approvers(run: Run) -> tuple[Shown, ...]:
    """Who let the job into its environment."""
    return _once(
        _person(each, f"{text(each, 'state') or 'answered for'} {text(each, 'environment')}".strip())
        for each in items(run.approvers)
    )


def starters(run: Run) -> tuple[Shown, ...]:
    """Who started the workflow run, and who started it again."""
    first = [named(run.actor, "started the run")] if run.actor else []
    again = run.triggering_actor if run.triggering_actor != run.actor else None
    return _once([*first, *([named(again, "started it again")] if again else [])])


def everybody(run: Run) -> tuple[Shown, ...]:
    """All of them once, authors first."""
    return _once((*authors(run), *mergers(run), *reviewers(run), *approvers(run), *starters(run)))


def claimed(sender: Sender) -> Shown | None:
    """Whom the session of a transaction said it was for."""
    name, email = sender.application_user_name or "", sender.application_user_email or ""
    if not (name or email):
        return None
    return Shown(key=email or name, name=name or email, parts=("named by the session",))


def named(key: str, *parts: str) -> Shown:
    """Somebody of whom only a login is known."""
    return Shown(key=key, name=key, login=key, parts=parts)


def pull_requests(run: Run) -> tuple[PullRequest, ...]:
    """The pull requests that brought the run's commits."""
    return tuple(
        PullRequest(number=number(each, "number") or 0, title=text(each, "title"), url=text(each, "url"))
        for each in items(run.pull_requests)
    )


def commit_url(run: Run) -> str:
    """The page of the head commit; empty where the run names no server."""
    server, found, _ = (run.run_url or "").partition("/actions/runs/")
    return f"{server}/commit/{run.head_sha}" if found and run.head_sha else ""


def profile_url(run: Run | None, login: str) -> str:
    """The profile on the server of the run; empty where it is not known."""
    server, found, _ = (run.run_url or "").partition(f"/{run.repository}/") if run else ("", "", "")
    return f"{server}/{login}" if found and login else ""


def _person(holder: Json, *parts: str) -> Shown:
    found = at(holder, "person")
    login, name, email = text(found, "login"), text(found, "name"), text(found, "email")
    return Shown(
        key=login or email or name or "?",
        name=name or login or email or "somebody unknown",
        login=login,
        kind=text(found, "kind") or "user",
        parts=parts,
    )


def _pull(holder: Json) -> str:
    found = number(holder, "pull_request")
    return f"#{found}" if found else ""


def _once(people: Iterable[Shown]) -> tuple[Shown, ...]:
    """Each person once, with all their parts; the same login, e-mail address or name is the same person."""
    found: dict[str, Shown] = {}
    for each in people:
        before = found.get(each.key)
        if before is None:
            found[each.key] = each
        else:
            new = tuple(part for part in each.parts if part not in before.parts)
            name = before.name if before.name != before.login else each.name
            found[each.key] = replace(
                before, name=name, parts=before.parts + new, warned=before.warned or each.warned
            )
    return tuple(found.values())
