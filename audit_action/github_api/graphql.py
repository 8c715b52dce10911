"""How are many commits and pull requests read in few requests? By GraphQL, in batches, page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from audit_action.github_api import parse, queries
from audit_action.github_api.client import READ_CONTENTS, READ_PULL_REQUESTS, Client, Refused, Why
from audit_action.github_api.client import partial_refusal as refused_part
from audit_action.github_facts import Found, PullRequestFacts
from audit_action.json_paths import at, flag, items, text
from audit_action.model import Json, Unavailable

_COMMITS_AT_ONCE = 50  # 150 lists: two points of GraphQL's rate limit
_PULL_REQUESTS_AT_ONCE = 10  # halved when it takes GitHub too long

Key = TypeVar("Key", str, int)

# A refused field of GraphQL, and what of ours it takes along.
_FIELD_OF = {
    "associatedPullRequests": ("pull_requests", READ_PULL_REQUESTS),
    "pullRequest": ("pull_requests", READ_PULL_REQUESTS),
    "reviews": ("reviewers", READ_PULL_REQUESTS),
    "latestOpinionatedReviews": ("reviewers", READ_PULL_REQUESTS),
    "timelineItems": ("mergers", READ_PULL_REQUESTS),
    "mergedBy": ("mergers", READ_PULL_REQUESTS),
}


def names(repository: str) -> dict[str, Json]:
    """The variables that name a repository in every query."""
    owner, _, name = repository.partition("/")
    return {"owner": owner, "name": name}


def commits(client: Client, repository: str, shas: Sequence[str]) -> Found:
    """These commits with GitHub's co-authors and the pull requests that contain them.

    Raises Refused when the server does not know the query; any other refusal is in the answer.
    """
    lacks: dict[Unavailable, None] = {}
    found = _batches(client, repository, shas, _COMMITS_AT_ONCE, queries.commits, (READ_CONTENTS, lacks))
    return Found(commits=tuple(map(parse.commit, found)), unavailable=tuple(lacks))


def pull_requests(client: Client, repository: str, numbers: Sequence[int]) -> Found:
    """These pull requests with all their commits, reviews and what happened to them; as `commits`."""
    lacks: dict[Unavailable, None] = {}
    found = _batches(
        client,
        repository,
        numbers,
        _PULL_REQUESTS_AT_ONCE,
        queries.pull_requests,
        (READ_PULL_REQUESTS, lacks),
    )
    pulls = tuple(_whole(client, repository, each, lacks) for each in found)
    return Found(pull_requests=pulls, unavailable=tuple(lacks))


def _batches(
    client: Client,
    repository: str,
    keys: Sequence[Key],
    size: int,
    document: Callable[[int], str],
    lacking: tuple[str, dict[Unavailable, None]],
) -> list[Json]:
    """The things of those keys, so many in one query; half as many where that takes GitHub too long."""
    permission, lacks = lacking
    found: list[Json] = []
    waiting = [keys[start : start + size] for start in range(0, len(keys), size)]
    while waiting:
        batch = waiting.pop(0)
        variables = names(repository) | {f"k{n}": key for n, key in enumerate(batch)}
        try:
            data, errors = client.query(document(len(batch)), variables)
            for refused in map(refused_part, errors):
                if refused.why is Why.OVERLOADED and len(batch) > 1:  # the answer may be cut anywhere
                    raise refused
        except Refused as refused:
            if refused.why is Why.UNSUPPORTED:
                raise
            if refused.why is Why.OVERLOADED and len(batch) > 1:
                half = len(batch) // 2
                waiting[:0] = [batch[:half], batch[half:]]
            else:
                lacks[refused.of("pull_requests", permission)] = None
            continue
        answers = at(data, "repository")
        found += [each for n in range(len(batch)) if (each := at(answers, f"k{n}")) is not None]
        lacks.update((lack, None) for error in errors if (lack := _lack(error, permission)))
    return found


def _lack(error: Json, permission: str) -> Unavailable | None:
    """What an error beside the data means. A thing that does not exist, whatever named it, is no lack."""
    path = items(error, "path")
    refused = refused_part(error)
    if refused.why is Why.NOT_FOUND and len(path) == 2:
        return None
    field = "pull_requests"
    for step in path:
        if isinstance(step, str) and step in _FIELD_OF:
            field, permission = _FIELD_OF[step]
    return refused.of(field, permission)


def _whole(client: Client, repository: str, value: Json, lacks: dict[Unavailable, None]) -> PullRequestFacts:
    """The pull request with the commits and reviews of its later pages."""
    pull = parse.pull_request(value)

    def more(document: str, cursor: str) -> Json:
        variables = names(repository) | {"number": pull.number, "cursor": cursor}
        data, errors = client.query(document, variables)
        if errors:
            raise refused_part(errors[0])
        return at(data, "repository", "pullRequest")

    try:
        cursor = _cursor(value, "commits", "hasNextPage", "endCursor")
        while cursor:
            page = more(queries.MORE_COMMITS, cursor)
            own = (parse.commit(at(each, "commit")) for each in items(page, "commits", "nodes"))
            pull = replace(pull, commits=(*pull.commits, *own))
            cursor = _cursor(page, "commits", "hasNextPage", "endCursor")
        cursor = _cursor(value, "reviews", "hasPreviousPage", "startCursor")
        while cursor:
            page = more(queries.MORE_REVIEWS, cursor)
            pull = replace(pull, reviews=parse.reviews(items(page, "reviews", "nodes")) + pull.reviews)
            cursor = _cursor(page, "reviews", "hasPreviousPage", "startCursor")
    except Refused as refused:
        lacks[refused.of("pull_requests", READ_PULL_REQUESTS)] = None
    return parse.completed(pull, lacks)


def _cursor(value: Json, connection: str, more: str, cursor: str) -> str:
    return text(value, connection, "pageInfo", cursor) if flag(value, connection, "pageInfo", more) else ""
