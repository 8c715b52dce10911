"""What is found out about the push of some pull requests? For tests of how GitHub is asked."""

from __future__ import annotations

from audit_action.attribute import find_people
from audit_action.demo.github import Served
from audit_action.demo.told import Account
from audit_action.demo.world import World
from audit_action.github_api import GitHub
from audit_action.model import Attribution, ChangeSet, Job, Trigger

REPOSITORY = "brickyard/shop"
ADA = Account(login="ada", id=1, name="Ada", email="ada@brickyard.example")
BOB = Account(login="bob", id=2, name="Bob", email="bob@brickyard.example")
WORKFLOW = f"{REPOSITORY}/.github/workflows/migrate.yml@refs/heads/main"


def told(pulls: int, commits_each: int) -> tuple[World, str, str]:
    """A main branch with so many squashed, rebased and merged pull requests, each of so many commits."""
    world = World(REPOSITORY, ADA, BOB)
    first = tip = world.commit(ADA, "Begin")
    for number in range(1, pulls + 1):
        commits, on = [], tip
        for each in range(commits_each):
            on = world.commit((ADA, BOB)[each % 2], f"Change {number}.{each}", on)
            commits.append(on)
        pull = world.open(ADA, f"Pull {number}", commits)
        world.review(pull, BOB, "APPROVED")
        tip = world.merge(pull, BOB, tip)
    return world, first, tip


def found(
    served: Served, base: str, head: str, *, budget: float = 30, environment: str = "", last: bool = True
) -> tuple[ChangeSet, Attribution]:
    """What is found out about a push of base..head."""
    trigger = Trigger(event="push", repository=REPOSITORY, head_sha=head, before=base, ref="refs/heads/main")
    job = Job(repository=REPOSITORY, workflow_ref=WORKFLOW, run_id=900, run_attempt=1)
    return find_people(
        trigger,
        job,
        GitHub(token="t", api_url=served.api_url, timeout=5),
        last_run_head=base if last else "",
        environment=environment,
        budget_seconds=budget,
    )
