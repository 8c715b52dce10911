"""What does GitHub's GraphQL API answer about a world? Objects that graphql-core resolves by field name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import GraphQLError, GraphQLSchema, graphql_sync

from audit_action.demo import answers
from audit_action.demo.answers import stamp
from audit_action.demo.told import Account, Change, Happened, Pull, ReviewTold
from audit_action.demo.world import World

Node = dict[str, Any]


def execute(
    world: World, schema: GraphQLSchema, page_size: int, request: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer to a GraphQL request, in the form that GitHub gives its errors."""
    root = {"repository": lambda _, owner, name, **__: _repository(world, f"{owner}/{name}", page_size)}
    done = graphql_sync(
        schema, str(request.get("query")), root_value=root, variable_values=request.get("variables")
    )
    answer: dict[str, Any] = {}
    if done.data is not None:
        answer["data"] = done.data
    if done.errors:
        answer["errors"] = [_error(each) for each in done.errors]
    return answer


def operation(query: str) -> str:
    """The name of the query, for the request log."""
    match = re.search(r"\b(?:query|mutation)\s+(\w+)", query)
    return match[1] if match else ""


def _error(error: GraphQLError) -> dict[str, Any]:
    formatted: dict[str, Any] = dict(error.formatted)
    kind = (error.extensions or {}).get("type")
    return {"type": kind, **formatted} if kind else formatted


def _repository(world: World, name: str, page_size: int) -> Node:
    if name.casefold() != world.repository.casefold():
        message = f"Could not resolve to a Repository with the name '{name}'."
        raise GraphQLError(message, extensions={"type": "NOT_FOUND"})
    pages = _Pages(page_size)

    def pull_request(_: object, number: int) -> Node:
        if number not in world.pulls:
            message = f"Could not resolve to a PullRequest with the number of {number}."
            raise GraphQLError(message, extensions={"type": "NOT_FOUND"})
        return _pull_request(world, world.pulls[number], pages)

    def git_object(_: object, oid: str) -> Node | None:
        return _commit(world, world.changes[oid], pages) if oid in world.changes else None

    def deployments(_: object, environments: Sequence[str], **rest: Any) -> Node:
        newest = [each for each in reversed(world.deployments) if each.environment in environments]
        nodes: list[Node] = [
            {
                "commitOid": each.sha,
                "state": each.state,
                "latestStatus": {"logUrl": f"https://github.com/{name}/actions/runs/{each.run_id}/job/1"},
            }
            for each in newest
        ]
        return pages.of(nodes)(_, **rest)

    return {"object": git_object, "pullRequest": pull_request, "deployments": deployments}


class _Pages:
    """Connections in pages no larger than asked for; those that a client must page through are smaller."""

    def __init__(self, size: int) -> None:
        self.size = size

    def small(self, nodes: Sequence[Node]) -> Callable[..., Node]:
        return self.of(nodes, self.size)

    def of(self, nodes: Sequence[Node], most: int = 100) -> Callable[..., Node]:
        def connection(
            _: object,
            first: int | None = None,
            last: int | None = None,
            after: str | None = None,
            before: str | None = None,
            **__: Any,
        ) -> Node:
            asked = first if first is not None else last
            if asked is None or not 1 <= asked <= 100:
                raise GraphQLError(f"`first` or `last` must be from 1 to 100, not {asked}")
            size = min(asked, most)
            start, end = (int(after) if after else 0), (int(before) if before else len(nodes))
            if first is not None:
                end = min(end, start + size)
            else:
                start = max(start, end - size)
            return {
                "totalCount": len(nodes),
                "nodes": nodes[start:end],
                "pageInfo": {
                    "hasNextPage": end < len(nodes),
                    "hasPreviousPage": start > 0,
                    "startCursor": str(start),
                    "endCursor": str(end),
                },
            }

        return connection


def _actor(account: Account | None) -> Node | None:
    if account is None:
        return None
    node: Node = {
        "__typename": account.type,
        "login": account.login,
        "databaseId": account.id,
        "name": account.name or None,
        "email": account.email or None,
    }
    return node | {"claimant": _actor(account.claimant)}


def _git_actor(world: World, who: tuple[str, str]) -> Node:
    """`user` is typed User: a bot cannot be there."""
    account = world.account_of(who[1])
    user = _actor(account) if account and account.type == "User" else None
    return {"name": who[0], "email": who[1], "user": user}


_TRAILER = re.compile(r"^co-authored-by: (.+) <(.+)>$", re.I | re.M)


def _commit(world: World, change: Change, pages: _Pages) -> Node:
    co_authors = [(each[1], each[2]) for each in _TRAILER.finditer(change.message)]
    return {
        "__typename": "Commit",
        "oid": change.sha,
        "message": change.message,
        "committedDate": stamp(change.at),
        "committedViaWeb": change.on_the_web,
        "parents": pages.of([{"oid": each} for each in change.parents]),
        "committer": _git_actor(world, change.committer),
        "authors": pages.of([_git_actor(world, each) for each in [change.author, *co_authors]]),
        "signature": {"__typename": "GpgSignature", "state": change.signature} if change.signature else None,
        "associatedPullRequests": pages.of(_associated(world, change.sha)),
    }


def _associated(world: World, sha: str) -> list[Node]:
    return [
        {
            "number": each.number,
            "merged": bool(each.merged_at),
            "baseRefName": each.base,
            "baseRepository": {"nameWithOwner": each.repository},
            "mergeCommit": {"oid": each.merge} if each.merge else None,
        }
        for each in world.pulls_with(sha)
    ]


def _review(world: World, told: ReviewTold) -> Node:
    change = world.changes.get(told.commit)
    return {
        "fullDatabaseId": str(told.id),
        "state": told.state,
        "submittedAt": stamp(told.at),
        "authorCanPushToRepository": told.can_write,
        "author": _actor(told.by),
        "commit": {"oid": told.commit, "committedDate": stamp(change.at)} if change else None,
    }


def _step(told: Happened) -> Node:
    return {
        "__typename": told.type,
        "createdAt": stamp(told.at),
        "actor": _actor(told.actor),
        "enqueuer": _actor(told.subject),
        "enabler": _actor(told.subject),
        "review": {"fullDatabaseId": str(told.review)} if told.review else None,
    }


def _opinionated(pull: Pull) -> list[ReviewTold]:
    latest = {
        each.by.id if each.by else each.id: each
        for each in pull.reviews
        if each.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
    }
    return list(latest.values())


def _pull_request(world: World, told: Pull, pages: _Pages) -> Node:
    merge = world.changes.get(told.merge)
    commits = [{"commit": _commit(world, world.changes[each], pages)} for each in told.commits]
    return {
        "__typename": "PullRequest",
        "number": told.number,
        "title": told.title,
        "url": f"https://github.com/{told.repository}/pull/{told.number}",
        "merged": bool(told.merged_at),
        "mergedAt": stamp(told.merged_at) if told.merged_at else None,
        "baseRefName": told.base,
        "headRefName": told.head,
        "headRefOid": told.later_head or told.commits[-1],
        "author": _actor(told.author),
        "mergedBy": _actor(told.merged_by),
        "mergeCommit": _commit(world, merge, pages) if merge else None,
        "latestOpinionatedReviews": pages.of([_review(world, each) for each in _opinionated(told)]),
        "timelineItems": pages.of([_step(each) for each in told.timeline]),
        "reviews": pages.small([_review(world, each) for each in told.reviews]),
        "commits": pages.small(commits),
        "comments": pages.small(_comments(world, told.number)),
    }


def _comments(world: World, number: int) -> list[Node]:
    return [
        {
            "fullDatabaseId": str(each.id),
            "viewerDidAuthor": each.by == world.viewer,
            "createdAt": stamp(each.at),
            "url": answers.comment_url(world, each),
            "body": each.body,
        }
        for each in world.comments
        if each.pull == number
    ]
