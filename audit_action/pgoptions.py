"""How does Postgres hear who it is? The session settings of a run, written as PGOPTIONS.

The server takes the options apart in pg_split_opts() of src/backend/utils/init/postinit.c: white space
ends an argument, a backslash makes the next character ordinary, quotes mean nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from audit_action.model import Attribution, Author, ChangeSet, Json, Merger, Person, Reviewer, writable

STARTUP_PACKET_BYTES = 4000
"""The tightest limit measured: PgBouncer 1.18 refuses packets above 4,092 bytes, a server above 10,000."""

_REST_OF_PACKET = 230  # protocol, a user and a database of 63 bytes each, our application_name, the keys
_RUN_ID = "audit.run_id"
_LISTS = ("audit.authors", "audit.merger", "audit.reviewers")


def escape(value: str) -> str:
    r"""A backslash before every white-space character and every backslash; nothing else.

    NUL, which no environment can hold, and lone surrogates become U+FFFD.

    >>> print(escape("Ada Lovelace -c role=postgres"))
    Ada\ Lovelace\ -c\ role=postgres
    """
    return re.sub(r"([\\\s])", r"\\\1", writable(value))


def encode(settings: Mapping[str, str], inherited: str = "", budget: int = STARTUP_PACKET_BYTES) -> str:
    """PGOPTIONS for these settings, in front of them whatever the user had set.

    The whole startup packet stays within `budget` bytes: lists give up items from their end for a
    `{"more": N}`, other settings that do not fit are left out whole, the run's id last of all. What the
    user had set is never shortened.
    """
    room = budget - _REST_OF_PACKET - len(inherited.encode())
    parts: list[str] = []
    for (name, value), share in _by_size(settings):
        part = _fit(name, value, room // share)
        if part or name == _RUN_ID:
            part = part or _argument(name, value)
            parts.append(part)
            room -= len(part.encode()) + 1
    return " ".join([inherited, *parts] if inherited.strip() else parts)


def session_settings(
    *, run_id: UUID, run_url: str, change_set: ChangeSet, attribution: Attribution
) -> dict[str, str]:
    """The settings of design 4.3 for one run, most important first; those without a value are absent.

    `audit.user_name` and `audit.user_email` are the head commit's author, as in the article.
    """
    author = change_set.head.authors[0] if change_set.head and change_set.head.authors else Person()
    settings = {
        _RUN_ID: str(run_id),
        "audit.commit": change_set.head_sha,
        "audit.user_name": author.name or author.login,
        "audit.user_email": author.email,
        "audit.run_url": run_url,
        "audit.pull_requests": ",".join(str(each.number) for each in change_set.pull_requests),
        "audit.merger": _json([_merger(each) for each in attribution.mergers]),
        "audit.authors": _json([_author(each) for each in attribution.authors]),
        "audit.reviewers": _json([_reviewer(each) for each in attribution.reviewers]),
    }
    return {name: value for name, value in settings.items() if value and value != "[]"}


def _by_size(settings: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], int]]:
    """Each setting with the number of parts to cut the room into before it takes one.

    Single values come first and may use all there is; then the lists, the shortest first, so that four
    hundred authors cannot push out the one reviewer.
    """
    lists = sorted((name for name in _LISTS if name in settings), key=lambda name: len(settings[name]))
    for name, value in settings.items():
        if name not in _LISTS:
            yield (name, value), 1
    for taken, name in enumerate(lists):
        yield (name, settings[name]), len(lists) - taken


def _fit(name: str, value: str, room: int) -> str:
    """The argument for one setting in at most `room` bytes, or empty text."""
    whole = _argument(name, value)
    if len(whole.encode()) < room:
        return whole
    if name not in _LISTS:
        return ""
    items = json.loads(value)
    for kept in range(len(items) - 1, -1, -1):
        shorter = _argument(name, _json([*items[:kept], {"more": len(items) - kept}]))
        if len(shorter.encode()) < room:
            return shorter
    return ""


def _argument(name: str, value: str) -> str:
    return f"-c {name}={escape(value)}"


def _json(items: Sequence[Json]) -> str:
    return json.dumps(items, ensure_ascii=True, separators=(",", ":"))


def _person(person: Person) -> dict[str, Json]:
    fields: dict[str, Json] = {"name": person.name, "login": person.login, "id": person.id}
    return {name: value for name, value in fields.items() if value}


def _author(author: Author) -> dict[str, Json]:
    return _person(author.person) | {"email": author.person.email, "role": author.roles[0].value}


def _merger(merger: Merger) -> dict[str, Json]:
    return _person(merger.person) | {"pull_request": merger.pull_request}


def _reviewer(reviewer: Reviewer) -> dict[str, Json]:
    return _person(reviewer.person) | {
        "pull_request": reviewer.pull_request,
        "state": reviewer.state.value,
        "freshness": reviewer.freshness.value,
    }
