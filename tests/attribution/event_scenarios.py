"""What is deployed by which event? One scenario for each."""

from __future__ import annotations

from telling import ADA, BOB, CLEO, DAN, EVE, Scenario, pull_request, push, scenario, world

from audit_action.demo.told import GITHUB


@scenario("event: a merge group is a preview of everything in the queue")
def merge_group() -> Scenario:
    told, first = world()
    one, two = told.commit(ADA, "One", first), told.commit(BOB, "Two", first)
    a, b = told.open(ADA, "One", [one]), told.open(BOB, "Two", [two])
    told.happen(a, "AddedToMergeQueueEvent", CLEO, subject=CLEO)
    told.happen(b, "AddedToMergeQueueEvent", DAN, subject=DAN)
    built = told.commit(ADA, "Merge pull request #1 from brickyard/feature-1", first, one, committer=GITHUB)
    head = told.commit(BOB, "Merge pull request #2 from brickyard/feature-2", built, two, committer=GITHUB)
    ref = f"refs/heads/gh-readonly-queue/main/pr-2-{first}"
    group = {"head_sha": head, "base_sha": first, "head_ref": ref}
    return Scenario(
        world=told,
        sha=head,
        event="merge_group",
        payload={"action": "checks_requested", "merge_group": group},
        ref=ref,
        expect={
            "range": "merge group, ahead, medium, 4/4",
            "authors": "ada author 1, bob author 1",
            "mergers": "#1 cleo, #2 dan",
        },
    )


@scenario("event: an open pull request is a preview in two requests")
def preview() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    pull = told.open(ADA, "One", [one])
    told.review(pull, DAN, "APPROVED")
    return Scenario(
        world=told,
        sha="e" * 40,
        event="pull_request",
        payload=pull_request(told, 1, "synchronize"),
        ref="refs/pull/1/merge",
        environment="preview",
        expect={
            "range": "pull request, ahead, medium, 1/1",
            "pulls": "#1 unknown",
            "authors": "ada author 1",
            "mergers": "",
            "reviewers": "#1 dan APPROVED fresh",
            "requests": "2",
            "lacks": "",
        },
    )


@scenario("event: a preview is of its own pull request, not of others that its commits are in")
def stacked() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "Prepare (#2)", first)
    told.open(ADA, "One", [one])
    told.open(BOB, "Two", [one, told.commit(BOB, "On top", one)])
    return Scenario(
        world=told,
        sha="e" * 40,
        event="pull_request",
        payload=pull_request(told, 1, "opened"),
        last_run_head=first,
        expect={
            "range": "last run on this database, ahead, high, 1/1",
            "pulls": "#1 unknown",
            "authors": "ada author 1",
        },
    )


@scenario("event: pull_request_target is the pull request, not the default branch it runs on")
def target() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    told.open(ADA, "One", [one])
    return Scenario(
        world=told,
        sha=told.commit(EVE, "Default branch", first),
        event="pull_request_target",
        payload=pull_request(told, 1, "opened"),
        expect={"commits": "One", "authors": "ada author 1"},
    )


@scenario("event: a merged pull request brings what the database had not seen either")
def merged_after_failure() -> Scenario:
    told, first = world()
    failed = told.commit(BOB, "Failed before", first)
    one = told.commit(ADA, "One", failed)
    merge = told.merge(told.open(ADA, "One", [one]), CLEO, failed)
    return Scenario(
        world=told,
        sha=merge,
        event="pull_request",
        payload=pull_request(told, 1),
        last_run_head=first,
        expect={
            "range": "last run on this database, ahead, high, 3/3",
            "authors": "bob author 1, ada author 1",
            "notes": "Failed before without a pull request",
        },
    )


@scenario("event: a merged pull request after a rebase, by itself")
def merged_by_rebase() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    two = told.commit(BOB, "Two", one)
    pull = told.open(ADA, "Both", [one, two])
    tip = told.rebase(pull, CLEO, told.commit(DAN, "Meanwhile", first))
    return Scenario(
        world=told,
        sha=tip,
        event="pull_request",
        payload=pull_request(told, 1),
        expect={
            "range": "pull request, ahead, medium, 2/2",
            "commits": "One, Two",
            "pulls": "#1 rebase",
            "requests": "3",
        },
    )


@scenario("event: a merge that GitHub does not show yet is missed by name")
def not_yet() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    told.open(ADA, "One", [one])
    payload = pull_request(told, 1)
    payload["pull_request"] |= {"merged": True, "merge_commit_sha": "e" * 40}
    return Scenario(
        world=told,
        sha="e" * 40,
        event="pull_request",
        payload=payload,
        expect={
            "authors": "ada author 1",
            "lacks": "mergers",
            "why": "GitHub does not show #1 as merged yet",
        },
    )


@scenario("event: a schedule deploys what came since the last run")
def schedule() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    return Scenario(
        world=told,
        sha=one,
        event="schedule",
        last_run_head=first,
        actor="eve",
        triggering_actor="eve",
        expect={"range": "last run on this database, ahead, high, 1/1", "authors": "ada author 1"},
    )


@scenario("event: a tag deploys its commit")
def tag() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    payload = push(told, "", one) | {"after": "f" * 40, "commits": []}
    return Scenario(
        world=told,
        sha="f" * 40,
        payload=payload,
        ref="refs/tags/v1",
        last_run_head=first,
        expect={"range": "last run on this database, ahead, high, 1/1", "authors": "ada author 1"},
    )


@scenario("event: another workflow's run is deployed at its own commit")
def workflow_run() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "Built", first)
    run = {"head_sha": one, "head_branch": "main", "head_commit": {"id": one}}
    return Scenario(
        world=told,
        sha=told.commit(EVE, "Pushed since", one),
        event="workflow_run",
        payload={"action": "completed", "workflow_run": run},
        last_run_head=first,
        expect={"commits": "Built", "authors": "ada author 1"},
    )


@scenario("event: a deployment deploys its own commit")
def deployment() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    return Scenario(
        world=told,
        sha=first,
        event="deployment",
        payload={"action": "created", "deployment": {"sha": one, "ref": "main"}},
        ref="",
        last_run_head=first,
        expect={"commits": "One", "authors": "ada author 1"},
    )
