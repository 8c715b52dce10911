"""Which commits has this database not seen yet? One scenario for each way to know."""

from __future__ import annotations

from telling import ADA, BOB, CLEO, DAN, Scenario, pull_request, push, scenario, world

from audit_action.demo.github import Fault
from audit_action.demo.told import Deployed, Ran


@scenario("range: the last run on this database is the surest base")
def last_run() -> Scenario:
    told, first = world()
    second = told.commit(ADA, "Failed to deploy", first)
    third = told.commit(BOB, "Deploy both", second)
    told.deployments.append(Deployed(sha=second, environment="production"))
    return Scenario(
        world=told,
        sha=third,
        payload=push(told, second, third),
        last_run_head=first,
        environment="production",
        expect={
            "range": "last run on this database, ahead, high, 2/2",
            "commits": "Failed to deploy, Deploy both",
            "authors": "ada author 1, bob author 1",
            "lacks": "",
        },
    )


@scenario("range: nothing is new in a re-run after a success")
def identical() -> Scenario:
    told, first = world()
    second = told.commit(ADA, "Deployed already", first)
    return Scenario(
        world=told,
        sha=second,
        payload=push(told, first, second),
        last_run_head=second,
        expect={
            "range": "last run on this database, identical, high, 0/0",
            "authors": "",
            "head": "Deployed already",
        },
    )


@scenario("range: a rollback names what it takes away")
def behind() -> Scenario:
    told, first = world()
    second = told.commit(ADA, "Kept", first)
    third = told.commit(BOB, "Taken away", second)
    return Scenario(
        world=told,
        sha=second,
        event="workflow_dispatch",
        last_run_head=third,
        expect={
            "range": "last run on this database, behind, high, 0/0",
            "removed": "Taken away",
            "head": "Kept",
            "authors": "",
        },
    )


@scenario("range: after a force-push, what is new and what is gone")
def diverged() -> Scenario:
    told, first = world()
    old = told.commit(ADA, "Replaced", first)
    new = told.commit(BOB, "Replacement", first)
    return Scenario(
        world=told,
        sha=new,
        payload=push(told, old, new, forced=True),
        last_run_head=old,
        expect={
            "range": "last run on this database, diverged, medium, 1/1",
            "commits": "Replacement",
            "removed": "Replaced",
            "authors": "bob author 1",
        },
    )


@scenario("range: a base that is gone gives way to the next source")
def base_gone() -> Scenario:
    told, first = world()
    second = told.commit(ADA, "New", first)
    return Scenario(
        world=told,
        sha=second,
        payload=push(told, first, second),
        last_run_head="d" * 40,
        expect={
            "range": "push, ahead, medium, 1/1",
            "lacks": "range",
            "why": "ddddddd, the last run on this database, is gone from GitHub "
            "or shares no history with the head",
        },
    )


@scenario("range: histories without a common ancestor are not compared")
def unrelated() -> Scenario:
    told, first = world()
    other = told.commit(ADA, "Another root")
    return Scenario(
        world=told,
        sha=other,
        event="workflow_dispatch",
        last_run_head=first,
        expect={"range": "head commit alone, unknown, low, 1/1", "authors": "ada author 1", "lacks": "range"},
    )


@scenario("range: the last deployment of the environment, but not our own")
def last_deployment() -> Scenario:
    told, first = world()
    second = told.commit(ADA, "Not deployed", first)
    third = told.commit(BOB, "Deploying", second)
    told.deployments += [
        Deployed(sha=first, environment="production", run_id=800),
        Deployed(sha=second, environment="staging", run_id=801),
        Deployed(sha=second, environment="production", state="FAILURE", run_id=802),
        Deployed(sha=third, environment="production", run_id=900),
    ]
    return Scenario(
        world=told,
        sha=third,
        payload=push(told, second, third),
        environment="production",
        expect={"range": "last deployment, ahead, medium, 2/2", "authors": "ada author 1, bob author 1"},
    )


@scenario("range: the last successful run of the workflow on the branch")
def last_workflow_run() -> Scenario:
    told, first = world()
    second = told.commit(ADA, "Failed", first)
    third = told.commit(BOB, "Works", second)
    told.runs += [
        Ran(id=1, sha=first),
        Ran(id=2, sha=second, branch="other"),
        Ran(id=3, sha=second, status="failure"),
        Ran(id=4, sha=second, workflow="test.yml"),
    ]
    return Scenario(
        world=told,
        sha=third,
        payload=push(told, second, third),
        expect={"range": "last workflow run, ahead, medium, 2/2", "commits": "Failed, Works"},
    )


@scenario("range: a release begins at the last release that was deployed")
def release() -> Scenario:
    told, first = world()
    second = told.commit(ADA, "One", first)
    third = told.commit(BOB, "Two", second)
    told.runs += [Ran(id=1, sha=first, branch="v1", event="release"), Ran(id=2, sha=second)]
    return Scenario(
        world=told,
        sha=third,
        event="release",
        payload={"action": "published", "release": {"tag_name": "v2"}},
        ref="refs/tags/v2",
        expect={"range": "last workflow run, ahead, medium, 2/2", "authors": "ada author 1, bob author 1"},
    )


@scenario("range: without anything surer, a push is what it says")
def push_before() -> Scenario:
    told, first = world()
    second = told.commit(ADA, "Pushed", first)
    return Scenario(
        world=told,
        sha=second,
        payload=push(told, first, second),
        expect={"range": "push, ahead, medium, 1/1", "commits": "Pushed"},
    )


@scenario("range: the first push of a branch is its head commit, with its whole pull request")
def first_push() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    two = told.commit(BOB, "Two", one)
    merge = told.merge(told.open(ADA, "Both", [one, two]), CLEO, first)
    return Scenario(
        world=told,
        sha=merge,
        payload=push(told, "", merge),
        ref="refs/heads/release",
        expect={
            "range": "head commit alone, unknown, low, 1/1",
            "authors": "ada author 1, bob author 1",
            "mergers": "#1 cleo",
        },
    )


@scenario("range: more than 250 commits are read page by page")
def many() -> Scenario:
    told, first = world()
    tip = first
    for number in range(260):
        tip = told.commit((ADA, BOB)[number % 2], f"Change {number}", tip)
    return Scenario(
        world=told,
        sha=tip,
        payload=push(told, first, tip),
        last_run_head=first,
        expect={
            "range": "last run on this database, ahead, high, 260/260",
            "authors": "ada author 130, bob author 130",
        },
    )


@scenario("range: a checkout answers where the comparison is refused")
def from_git() -> Scenario:
    told, first = world()
    second = told.commit(ADA, "From the checkout", first)
    fields = (
        second,
        first,
        "Ada",
        ADA.email,
        "Ada",
        ADA.email,
        "2026-03-02T09:00:00+00:00",
        "From the checkout",
    )
    return Scenario(
        world=told,
        sha=second,
        payload=push(told, first, second),
        last_run_head=first,
        git=lambda argv: "".join(f"{each}\0" for each in fields) if f"{first}..{second}" in argv else None,
        faults=(
            Fault(
                on="GET .*/compare/",
                status=403,
                body='{"message": "Resource not accessible by integration"}',
                headers={"X-Accepted-GitHub-Permissions": "contents=read"},
            ),
        ),
        expect={
            "range": "last run on this database, unknown, medium, 1/1",
            "authors": "ada author 1",
            "lacks": "range (contents: read)",
        },
    )


@scenario("range: a merged pull request by itself, as GitHub knows its parents")
def pull_request_alone() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    pull = told.open(ADA, "One", [one])
    onto = told.commit(DAN, "Meanwhile on main", first)
    merge = told.merge(pull, CLEO, onto)
    return Scenario(
        world=told,
        sha=merge,
        event="pull_request",
        payload=pull_request(told, 1),
        expect={
            "range": "pull request, ahead, medium, 2/2",
            "commits": "One, Merge pull request #1 from brickyard/feature-1",
            "authors": "ada author 1",
            "mergers": "#1 cleo",
            "requests": "2",
        },
    )
