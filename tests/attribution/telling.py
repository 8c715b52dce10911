"""How is a scenario told, and its attribution written down in a few words?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLSchema

from audit_action import event
from audit_action.attribute import find_people
from audit_action.demo.github import Fault, Served, serving
from audit_action.demo.told import Account
from audit_action.demo.world import World
from audit_action.github_api import GitHub
from audit_action.model import Attribution, Author, ChangeSet, Job, Merger, Person, PersonKind, Reviewer

REPOSITORY = "brickyard/shop"


def person(login: str, number: int, **more: Any) -> Account:
    return Account(login=login, id=number, name=login.title(), email=f"{login}@brickyard.example", **more)


ADA, BOB, CLEO, DAN, EVE = (
    person("ada", 1),
    person("bob", 2),
    person("cleo", 3),
    person("dan", 4),
    person("eve", 5),
)
DEPENDABOT = Account(login="dependabot", id=49699333, name="dependabot[bot]", type="Bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What happened, what started the job, and what must be found. Only what is expected is compared."""

    world: World
    sha: str
    expect: dict[str, str]
    event: str = "push"
    payload: dict[str, Any] = field(default_factory=dict)
    ref: str = "refs/heads/main"
    last_run_head: str = ""
    environment: str = ""
    run_id: int = 900
    attempt: int = 1
    actor: str = "cleo"
    triggering_actor: str = "cleo"
    git: Callable[[Sequence[str]], str | None] | None = None
    faults: tuple[Fault, ...] = ()
    token: bool = True


TOLD: dict[str, Callable[[], Scenario]] = {}


def scenario(name: str) -> Callable[[Callable[[], Scenario]], Callable[[], Scenario]]:
    def keep(tell: Callable[[], Scenario]) -> Callable[[], Scenario]:
        assert name not in TOLD
        TOLD[name] = tell
        return tell

    return keep


def world() -> tuple[World, str]:
    """A repository with everybody, and its first commit."""
    told = World(REPOSITORY, ADA, BOB, CLEO, DAN, EVE, DEPENDABOT)
    return told, told.commit(CLEO, "Begin")


def push(told: World, before: str, after: str, **changes: Any) -> dict[str, Any]:
    """The payload of a push."""
    new = (
        [each for each in told.ancestors(after) if each not in told.ancestors(before)] if before else [after]
    )
    listed = [
        {
            "id": sha,
            "message": told.changes[sha].message,
            "author": dict(zip(("name", "email"), told.changes[sha].author, strict=True)),
            "committer": dict(zip(("name", "email"), told.changes[sha].committer, strict=True)),
        }
        for sha in new
    ]
    usual = {"before": before or "0" * 40, "after": after, "commits": listed, "head_commit": listed[-1]}
    return usual | {"created": not before, "deleted": False, "forced": False} | changes


def pull_request(told: World, number: int, action: str = "closed") -> dict[str, Any]:
    """The payload of a pull request: a snapshot of what REST would say."""
    pull = told.pulls[number]
    return {
        "action": action,
        "number": number,
        "pull_request": {
            "number": number,
            "merged": bool(pull.merged_at),
            "merge_commit_sha": pull.merge or None,
            "head": {"sha": pull.commits[-1], "ref": pull.head},
            "base": {"sha": told.changes[pull.commits[0]].parents[0], "ref": pull.base},
        },
    }


def job_of(told: Scenario) -> Job:
    return Job(
        repository=REPOSITORY,
        event=told.event,
        ref=told.ref,
        sha=told.sha,
        workflow_ref=f"{REPOSITORY}/.github/workflows/migrate.yml@{told.ref}",
        run_id=told.run_id,
        run_attempt=told.attempt,
        actor=told.actor,
        triggering_actor=told.triggering_actor,
    )


def found_in(
    told: Scenario, schema: GraphQLSchema, *, page_size: int = 100
) -> tuple[ChangeSet, Attribution, Served]:
    """What is found out about a scenario, and the server that was asked."""
    job = job_of(told)
    trigger = event.parse(job, json.dumps(told.payload))
    with serving(told.world, schema=schema, page_size=page_size, faults=told.faults) as served:
        github = GitHub(token="t", api_url=served.api_url) if told.token else None
        change_set, people = find_people(
            trigger,
            job,
            github,
            last_run_head=told.last_run_head,
            environment=told.environment,
            local_git=told.git,
        )
    return change_set, people, served


def in_words(change_set: ChangeSet, people: Attribution, served: Served) -> dict[str, str]:
    """The result in a few words for each part."""
    commits = f"{len(change_set.commits)}/{change_set.total_commits}"
    source = f"{change_set.range_source}, {change_set.relation}, {change_set.confidence}"
    return {
        "range": f"{source}, {commits}",
        "commits": ", ".join(each.headline for each in change_set.commits),
        "removed": ", ".join(each.headline for each in change_set.removed),
        "head": change_set.head.headline if change_set.head else "",
        "pulls": ", ".join(f"#{each.number} {each.method}" for each in change_set.pull_requests),
        "authors": ", ".join(map(_author, people.authors)),
        "mergers": ", ".join(map(_merger, people.mergers)),
        "reviewers": ", ".join(map(_reviewer, people.reviewers)),
        "approvers": ", ".join(
            f"{who(each.person)} {each.state} {each.environment}" for each in people.approvers
        ),
        "started": " ".join(dict.fromkeys([people.actor, people.triggering_actor])),
        "again": ", ".join(people.rerun_by),
        "lacks": "; ".join(_lack(each.field, each.permission) for each in people.unavailable),
        "why": "; ".join(each.reason for each in people.unavailable),
        "signatures": ", ".join(each.signature for each in change_set.commits),
        "originals": ", ".join(each.signature for pull in change_set.pull_requests for each in pull.commits),
        "notes": ", ".join(_notes(change_set)),
        "requests": str(len(served.log)),
    }


def who(someone: Person) -> str:
    if someone.kind is PersonKind.UNMATCHED:
        return f"{someone.name} <{someone.email}>"
    if someone.kind is PersonKind.GHOST:
        return "(deleted)"
    return someone.login + {PersonKind.BOT: "[bot]", PersonKind.MANNEQUIN: "(imported)"}.get(someone.kind, "")


def _author(author: Author) -> str:
    return f"{who(author.person)} {'+'.join(author.roles)} {author.commits}"


def _merger(merger: Merger) -> str:
    by = f" through {who(merger.merged_by)}" if merger.merged_by else ""
    auto = f" auto by {who(merger.enabled_by)}" if merger.enabled_by else ""
    return f"#{merger.pull_request} {who(merger.person)}{by}{auto}"


def _reviewer(reviewer: Reviewer) -> str:
    flags = {
        "author": reviewer.is_author,
        "late": reviewer.after_merge,
        "cannot-write": reviewer.can_write is False,
        "write-unknown": reviewer.can_write is None,
        f"by {who(reviewer.dismissed_by)}" if reviewer.dismissed_by else "": bool(reviewer.dismissed_by),
    }
    told = [f"#{reviewer.pull_request} {who(reviewer.person)} {reviewer.state} {reviewer.freshness}"]
    return " ".join([*told, *(flag for flag, true in flags.items() if true)])


def _lack(field_: str, permission: str) -> str:
    return f"{field_} ({permission})" if permission else field_


def _notes(change_set: ChangeSet) -> Iterator[str]:
    names = {each.sha: each.headline for each in (*change_set.commits, *change_set.removed)}
    for each in change_set.commits:
        if each.reverts:
            yield f"{each.headline} reverts {names.get(each.reverts, each.reverts[:7])}"
        if each.cherry_picked_from:
            yield f"{each.headline} picked from {each.cherry_picked_from[:7]}"
        if not each.pull_requests:
            yield f"{each.headline} without a pull request"
