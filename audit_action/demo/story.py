"""Which story does the demo tell? Three commits by two people and a co-author, reviewed and merged."""

from __future__ import annotations

import json
from dataclasses import dataclass

from audit_action.demo.told import Account, Ran
from audit_action.demo.world import World

REPOSITORY = "brickyard/storefront"

MARGARET = Account(login="mhamilton", id=5101, name="Margaret Hamilton", email="margaret@brickyard.example")
KATHERINE = Account(login="kjohnson", id=5102, name="Katherine Johnson", email="katherine@brickyard.example")
ADA = Account(login="adalovelace", id=5103, name="Ada Lovelace", email="ada@brickyard.example")
GRACE = Account(login="ghopper", id=5104, name="Grace Hopper", email="grace@brickyard.example")
BARBARA = Account(login="bliskov", id=5105, name="Barbara Liskov", email="barbara@brickyard.example")
RADIA = Account(login="rperlman", id=5106, name="Radia Perlman", email="radia@brickyard.example")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A world, and the job that deploys it: the text of its event file and its GITHUB_* variables."""

    world: World
    event: str
    variables: dict[str, str]


def tell() -> Story:
    """Customers of a storefront get an e-mail address: a pull request, pushed to main by its merge."""
    world = World(REPOSITORY, MARGARET, KATHERINE, ADA, GRACE, BARBARA, RADIA)
    before = world.commit(GRACE, "Serve the storefront")
    first = world.commit(MARGARET, "Create the customers table", before, signature="VALID")
    second = world.commit(
        KATHERINE, "Add an e-mail address to customers\n\n" + _co_author(ADA), first, signature="VALID"
    )
    pull = world.open(MARGARET, "Give every customer an e-mail address", [first, second], number=42)
    early = world.review(pull, RADIA, "APPROVED")
    third = world.commit(MARGARET, "Retire the old orders table", second, signature="VALID")
    pull.commits.append(third)
    world.dismiss(pull, early, GRACE)
    world.review(pull, BARBARA, "APPROVED")
    merge = world.merge(pull, GRACE, before)
    run = Ran(id=7_310_042, sha=merge, attempts=(GRACE,), status="in_progress")
    world.runs.append(run)
    return Story(
        world=world,
        event=json.dumps(_push(world, before, merge), ensure_ascii=False),
        variables={
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_SHA": merge,
            "GITHUB_WORKFLOW": "Migrate",
            "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/{run.workflow}@refs/heads/main",
            "GITHUB_JOB": "migrate",
            "GITHUB_RUN_ID": str(run.id),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_ACTOR": GRACE.login,
            "GITHUB_TRIGGERING_ACTOR": GRACE.login,
            "GITHUB_SERVER_URL": "https://github.com",
        },
    )


def _push(world: World, before: str, after: str) -> dict[str, object]:
    """The payload of a push, with what Actions leaves out of it left out."""
    new = [each for each in world.ancestors(after) if each not in world.ancestors(before)]
    commits = [_listed(world, each) for each in new]
    return {
        "ref": "refs/heads/main",
        "before": before,
        "after": after,
        "created": False,
        "deleted": False,
        "forced": False,
        "commits": commits,
        "head_commit": commits[-1],
        "pusher": {"name": GRACE.login, "email": GRACE.email},
        "sender": {"login": GRACE.login, "id": GRACE.id, "type": "User"},
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
    }


def _listed(world: World, sha: str) -> dict[str, object]:
    change = world.changes[sha]
    people = {"author": change.author, "committer": change.committer}
    return {
        "id": sha,
        "message": change.message,
        "timestamp": change.at.isoformat(),
        "distinct": True,
        **{part: {"name": name, "email": email} for part, (name, email) in people.items()},
    }


def _co_author(account: Account) -> str:
    return f"Co-authored-by: {account.name} <{account.email}>"
