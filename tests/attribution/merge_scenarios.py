"""How did the change come in, and who let it? One scenario for each way."""

from __future__ import annotations

from telling import ADA, BOB, CLEO, DAN, EVE, Scenario, push, scenario, world

from audit_action.demo.told import GITHUB, MERGE_QUEUE_BOT


@scenario("merge: a merge commit")
def merge_commit() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    two = told.commit(BOB, "Two", one)
    pull = told.open(ADA, "Both", [one, two])
    told.review(pull, DAN, "APPROVED")
    merge = told.merge(pull, CLEO, first)
    return Scenario(
        world=told,
        sha=merge,
        payload=push(told, first, merge),
        expect={
            "pulls": "#1 merge",
            "authors": "ada author 1, bob author 1",
            "mergers": "#1 cleo",
            "reviewers": "#1 dan APPROVED fresh",
            "started": "cleo",
            "lacks": "",
        },
    )


@scenario("merge: a squash credits the people of the squashed commits")
def squash() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    two = told.commit(BOB, "Two\n\nCo-authored-by: Eve <eve@brickyard.example>", one, signature="VALID")
    pull = told.open(ADA, "Both", [one, two])
    merge = told.squash(pull, CLEO, first)
    return Scenario(
        world=told,
        sha=merge,
        payload=push(told, first, merge),
        expect={
            "range": "push, ahead, medium, 1/1",
            "pulls": "#1 squash",
            "authors": "ada author 1, bob author 1, eve co-author 1",
            "mergers": "#1 cleo",
            "originals": "unsigned, valid",
        },
    )


@scenario("merge: a squash by an app, with people in its trailers alone")
def squash_by_app() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    pull = told.open(ADA, "Title", [one])
    merge = told.squash(
        pull, BOB, first, trailers=["Dan <dan@brickyard.example>", "Nobody Known <who@elsewhere.example>"]
    )
    return Scenario(
        world=told,
        sha=merge,
        payload=push(told, first, merge),
        expect={
            "pulls": "#1 squash",
            "authors": "ada author 1, dan co-author 1, Nobody Known <who@elsewhere.example> co-author 1",
        },
    )


@scenario("merge: a rebase keeps the signatures of the originals")
def rebase() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first, signature="VALID")
    two = told.commit(BOB, "Two", one, signature="UNKNOWN_KEY")
    pull = told.open(ADA, "Both", [one, two])
    onto = told.commit(DAN, "Meanwhile", first)
    tip = told.rebase(pull, CLEO, onto)
    return Scenario(
        world=told,
        sha=tip,
        payload=push(told, onto, tip),
        expect={
            "range": "push, ahead, medium, 2/2",
            "pulls": "#1 rebase",
            "authors": "ada author 1, bob author 1",
            "mergers": "#1 cleo",
            "signatures": "unsigned, unsigned",
            "originals": "valid, unknown_key",
        },
    )


@scenario("merge: the one who queued it, not the queue's bot")
def queue() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    pull = told.open(ADA, "One", [one])
    told.review(pull, DAN, "APPROVED")
    told.happen(pull, "AddedToMergeQueueEvent", BOB, subject=BOB)
    told.happen(pull, "RemovedFromMergeQueueEvent", BOB)
    told.happen(pull, "AddedToMergeQueueEvent", CLEO, subject=CLEO)
    merge = told.squash(pull, MERGE_QUEUE_BOT, first)
    told.happen(pull, "RemovedFromMergeQueueEvent", MERGE_QUEUE_BOT, at=pull.merged_at)
    bot = "github-merge-queue[bot]"
    return Scenario(
        world=told,
        sha=merge,
        payload=push(told, first, merge),
        actor=bot,
        triggering_actor=bot,
        expect={
            "pulls": "#1 merge queue",
            "authors": "ada author 1",
            "mergers": f"#1 cleo through {bot}",
            "started": bot,
        },
    )


@scenario("merge: a direct push has no pull request and no merger")
def direct() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "Hotfix", first)
    return Scenario(
        world=told,
        sha=one,
        payload=push(told, first, one),
        actor="ada",
        triggering_actor="ada",
        expect={
            "pulls": "",
            "authors": "ada author 1",
            "mergers": "",
            "notes": "Hotfix without a pull request",
            "started": "ada",
            "lacks": "",
        },
    )


@scenario("merge: several pull requests in one push")
def several() -> Scenario:
    told, first = world()
    one, two = told.commit(ADA, "One", first), told.commit(BOB, "Two", first)
    tip = told.merge(told.open(ADA, "One", [one]), CLEO, first)
    tip = told.squash(told.open(BOB, "Two", [two]), DAN, tip)
    return Scenario(
        world=told,
        sha=tip,
        payload=push(told, first, tip),
        expect={
            "pulls": "#1 merge, #2 squash",
            "authors": "ada author 1, bob author 1",
            "mergers": "#1 cleo, #2 dan",
        },
    )


@scenario("merge: a promotion by merge keeps the pull requests of its parts")
def promotion() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    feature = told.open(ADA, "One", [one], base="develop")
    told.review(feature, BOB, "APPROVED")
    develop = told.merge(feature, CLEO, first)
    release = told.open(DAN, "Release", [one, develop])
    told.review(release, EVE, "APPROVED")
    main = told.merge(release, DAN, first)
    return Scenario(
        world=told,
        sha=main,
        payload=push(told, first, main),
        expect={
            "pulls": "#1 merge, #2 merge",
            "authors": "ada author 1",
            "mergers": "#1 cleo, #2 dan",
            "reviewers": "#1 bob APPROVED fresh, #2 eve APPROVED fresh",
        },
    )


@scenario("merge: a promotion by squash is traced to the pull requests within")
def squash_promotion() -> Scenario:
    told, first = world()
    one, two = told.commit(ADA, "One", first), told.commit(BOB, "Two", first)
    develop = told.squash(told.open(ADA, "First", [one], base="develop"), CLEO, first)
    develop_2 = told.squash(told.open(BOB, "Second", [two], base="develop"), EVE, develop)
    release = told.open(DAN, "Release 2", [develop, develop_2])
    main = told.squash(release, DAN, first)
    return Scenario(
        world=told,
        sha=main,
        payload=push(told, first, main),
        expect={
            "pulls": "#1 squash, #2 squash, #3 squash",
            "mergers": "#1 cleo, #2 eve, #3 dan",
            "authors": "ada author 1, bob author 1, dan author 1",
        },
    )


@scenario("merge: a number in a message that is no pull request is no lack")
def no_such_pull_request() -> Scenario:
    told, first = world()
    imported = told.commit(ADA, "Imported (#999)", first, committer=GITHUB)
    merge = told.merge(told.open(ADA, "One", [imported]), CLEO, first)
    return Scenario(
        world=told,
        sha=merge,
        payload=push(told, first, merge),
        expect={"pulls": "#1 merge", "lacks": "", "requests": "6"},
    )


@scenario("merge: a cherry-pick credits the author and the one who picked it")
def cherry_pick() -> Scenario:
    told, first = world()
    origin = told.commit(ADA, "Fix", first)
    picked = told.commit(ADA, f"Fix\n\n(cherry picked from commit {origin})", first, committer=BOB)
    return Scenario(
        world=told,
        sha=picked,
        payload=push(told, first, picked),
        expect={
            "authors": "ada author 1, bob committer 1",
            "notes": f"Fix picked from {origin[:7]}, Fix without a pull request",
        },
    )


@scenario("merge: who merges one pull request can be a committer in another")
def merger_and_committer() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    two = told.commit(BOB, "Two", first, committer=CLEO)
    tip = told.rebase(told.open(ADA, "One", [one]), CLEO, first)
    tip = told.merge(told.open(BOB, "Two", [two]), DAN, tip)
    return Scenario(
        world=told,
        sha=tip,
        payload=push(told, first, tip),
        expect={"authors": "ada author 1, bob author 1, cleo committer 1", "mergers": "#1 cleo, #2 dan"},
    )


@scenario("merge: a revert is by the one who reverted")
def revert() -> Scenario:
    told, first = world()
    bad = told.commit(ADA, "Bad", first)
    back = told.commit(BOB, f'Revert "Bad"\n\nThis reverts commit {bad}.', bad)
    return Scenario(
        world=told,
        sha=back,
        payload=push(told, bad, back),
        last_run_head=bad,
        expect={
            "authors": "bob author 1",
            "notes": f'Revert "Bad" reverts {bad[:7]}, Revert "Bad" without a pull request',
        },
    )


@scenario("merge: pushed past its pull request")
def indirect() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    pull = told.open(ADA, "One", [one])
    told.review(pull, DAN, "CHANGES_REQUESTED")
    told.merged(pull, BOB, one)
    return Scenario(
        world=told,
        sha=one,
        payload=push(told, first, one),
        expect={
            "pulls": "#1 indirect",
            "mergers": "#1 bob",
            "reviewers": "#1 dan CHANGES_REQUESTED fresh",
        },
    )


@scenario("merge: a merge made by hand is indirect, and its author worked on it")
def by_hand() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    pull = told.open(ADA, "One", [one])
    merge = told.merged(pull, BOB, told.commit(BOB, "Merge feature-1 by hand", first, one))
    return Scenario(
        world=told,
        sha=merge,
        payload=push(told, first, merge),
        expect={"pulls": "#1 indirect", "authors": "ada author 1, bob author 1"},
    )


@scenario("merge: auto-merge names who switched it on last")
def auto_merge() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    pull = told.open(ADA, "One", [one])
    told.happen(pull, "AutoSquashEnabledEvent", BOB, subject=BOB)
    told.happen(pull, "AutoMergeDisabledEvent", BOB)
    told.happen(pull, "AutoSquashEnabledEvent", EVE, subject=EVE)
    merge = told.squash(pull, EVE, first)
    return Scenario(
        world=told,
        sha=merge,
        payload=push(told, first, merge),
        expect={"mergers": "#1 eve auto by eve", "pulls": "#1 squash"},
    )


@scenario("merge: what only carried the commit elsewhere is not credited")
def elsewhere() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One (#77)", first)
    merge = told.merge(told.open(ADA, "One", [one]), CLEO, first)
    back = told.open(EVE, "Back to the release branch", [one, merge], base="release")
    told.merge(back, EVE, told.commit(EVE, "Release", first))
    told.open(EVE, "Still open", [one], base="next")
    fork = told.open(EVE, "In a fork", [one])
    fork.repository = "eve/shop"
    told.merged(fork, EVE, one)
    unrelated = told.open(DAN, "Nothing to do with it", [told.commit(DAN, "Other", first)], number=77)
    told.squash(unrelated, DAN, first)
    return Scenario(
        world=told,
        sha=merge,
        payload=push(told, first, merge),
        expect={
            "pulls": "#1 merge",
            "mergers": "#1 cleo",
            "authors": "ada author 1",
            "lacks": "",
            "requests": "5",
        },
    )


@scenario("merge: the branch went on after the merge")
def reused_branch() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    pull = told.open(ADA, "One", [one])
    told.review(pull, DAN, "APPROVED")
    merge = told.merge(pull, CLEO, first)
    pull.later_head = told.commit(ADA, "Next", one)
    return Scenario(
        world=told,
        sha=merge,
        payload=push(told, first, merge),
        expect={"reviewers": "#1 dan APPROVED fresh"},
    )
