"""Who exactly? One scenario for each kind of person, opinion and approval."""

from __future__ import annotations

from telling import ADA, BOB, CLEO, DAN, DEPENDABOT, EVE, Scenario, pull_request, push, scenario, world

from audit_action.demo.told import GITHUB, Account, Approval, Pull, Ran
from audit_action.demo.world import World


def deployed(told: World, base: str, tip: str, **expect: str) -> Scenario:
    return Scenario(world=told, sha=tip, payload=push(told, base, tip), expect=expect)


def reviewed() -> tuple[World, str, Pull]:
    """Ada's pull request, open."""
    told, first = world()
    return told, first, told.open(ADA, "One", [told.commit(ADA, "One", first)])


def merged(told: World, first: str, pull: Pull, **expect: str) -> Scenario:
    return deployed(told, first, told.merge(pull, CLEO, first), **expect)


@scenario("people: one account with two e-mails is one person")
def two_emails() -> Scenario:
    told, first = world()
    told.accounts["ada@home.example"] = ADA
    one = told.commit(ADA, "At work", first)
    two = told.commit(("Ada L.", "ada@home.example"), "At home", one)
    return deployed(told, first, two, authors="ada author 2")


@scenario("people: two unknown ones with one name are two")
def two_unknown() -> Scenario:
    told, first = world()
    one = told.commit(("dev", "dev@one.example"), "One", first)
    two = told.commit(("dev", "dev@two.example"), "Two", one)
    three = told.commit(("dev", "DEV@two.example"), "Three", two)
    return deployed(
        told,
        first,
        three,
        authors="dev <dev@one.example> author 1, dev <dev@two.example> author 2",
    )


@scenario("people: a trailer that GitHub does not resolve is known by its e-mail from elsewhere")
def matched_elsewhere() -> Scenario:
    told, first = world()
    one = told.commit(BOB, "One", first)
    two = told.commit(ADA, "Two\n\n   co-authored-by:  Robert  <BOB@brickyard.example>  ", one)
    return deployed(told, first, two, authors="bob author+co-author 2, ada author 1")


@scenario("people: noreply addresses, with and without the numeric id")
def noreply() -> Scenario:
    told, first = world()
    gone = ("Zoe", "77+zoe@users.noreply.github.com")
    one = told.commit(gone, "One", first)
    two = told.commit(("Zoe", "zoe@users.noreply.github.com"), "Two", one)
    three = told.commit(("Ada", ADA.noreply), "Three", two)
    four = told.commit(ADA, "Four", three)
    return deployed(told, first, four, authors="zoe author 1, zoe author 1, ada author 2")


@scenario("people: a bot is known by REST, where GraphQL says nobody")
def bot() -> Scenario:
    told, first = world()
    bump = told.commit((DEPENDABOT.name, DEPENDABOT.noreply), "Bump", first, committer=GITHUB)
    pull = told.open(DEPENDABOT, "Bump", [bump])
    told.review(pull, ADA, "APPROVED")
    merge = told.squash(pull, CLEO, first)
    return deployed(told, first, merge, authors="dependabot[bot] author 1", reviewers="#1 ada APPROVED fresh")


@scenario("people: a bot with an address of its own is known by REST alone")
def bot_with_address() -> Scenario:
    told, first = world()
    renovate = Account(login="renovate", id=29139614, email="bot@renovate.example", type="Bot")
    told.accounts[renovate.email] = renovate
    bump = told.commit(("Renovate Bot", renovate.email), "Bump", first, committer=GITHUB)
    return deployed(told, first, bump, authors="renovate[bot] author 1")


@scenario("people: GitHub itself is nobody's committer")
def web_flow() -> Scenario:
    told, first = world()
    edited = told.commit(ADA, "Edited on the web", first, committer=GITHUB, signature="VALID")
    update = told.commit(BOB, "Merge branch 'main'", edited, first, committer=GITHUB)
    return deployed(told, first, update, authors="ada author 1", signatures="valid, unsigned")


@scenario("people: deleted accounts stay apart")
def deleted() -> Scenario:
    told, first = world()
    one = told.commit(("Gone", "gone@brickyard.example"), "One", first)
    pull = told.open(None, "One", [one])
    told.review(pull, None, "APPROVED")
    told.review(pull, None, "CHANGES_REQUESTED")
    merge = told.merge(pull, None, first)
    return deployed(
        told,
        first,
        merge,
        authors="Gone <gone@brickyard.example> author 1",
        mergers="#1 (deleted)",
        reviewers="#1 (deleted) APPROVED fresh, #1 (deleted) CHANGES_REQUESTED fresh",
    )


@scenario("people: an imported placeholder is the one who claimed it")
def mannequin() -> Scenario:
    told, first, pull = reviewed()
    told.review(pull, Account(login="bob-old", id=70, type="Mannequin", claimant=BOB), "APPROVED")
    told.review(pull, Account(login="someone-old", id=71, type="Mannequin"), "APPROVED")
    return merged(
        told, first, pull, reviewers="#1 bob APPROVED fresh, #1 someone-old(imported) APPROVED fresh"
    )


@scenario("people: co-authors in the middle of a squash list")
def squash_list() -> Scenario:
    told, first = world()
    message = (
        "Everything (#9)\n\n* One\n\nCo-authored-by: Bob <bob@brickyard.example>\n\n* Two\n\n"
        "Co-authored-by: Dan <dan@brickyard.example>\nCo-authored-by: Bob <bob@brickyard.example>\n\n* Three"
    )
    one = told.commit(ADA, message, first, committer=GITHUB)
    return deployed(told, first, one, authors="ada author 1, bob co-author 1, dan co-author 1")


@scenario("people: a committer who is not the author")
def committer() -> Scenario:
    told, first = world()
    applied = told.commit(("Pat", "pat@elsewhere.example"), "A patch by mail", first, committer=BOB)
    return deployed(told, first, applied, authors="Pat <pat@elsewhere.example> author 1, bob committer 1")


@scenario("reviews: the latest opinion wins, and a comment never overrides it")
def latest() -> Scenario:
    told, first, pull = reviewed()
    told.review(pull, BOB, "APPROVED")
    told.review(pull, BOB, "CHANGES_REQUESTED")
    told.review(pull, DAN, "CHANGES_REQUESTED")
    told.review(pull, DAN, "APPROVED")
    told.review(pull, DAN, "COMMENTED")
    told.review(pull, EVE, "COMMENTED")
    return merged(
        told,
        first,
        pull,
        reviewers="#1 bob CHANGES_REQUESTED fresh, #1 dan APPROVED fresh, #1 eve COMMENTED fresh",
        lacks="",
    )


@scenario("reviews: a dismissal clears, and the opinion before does not come back")
def dismissed() -> Scenario:
    told, first, pull = reviewed()
    told.review(pull, BOB, "APPROVED")
    second = told.review(pull, BOB, "CHANGES_REQUESTED")
    told.dismiss(pull, second, EVE)
    return merged(told, first, pull, reviewers="#1 bob DISMISSED fresh by eve", lacks="")


@scenario("reviews: stale after a later commit")
def stale() -> Scenario:
    told, first, pull = reviewed()
    told.review(pull, BOB, "APPROVED")
    pull.commits.append(told.commit(ADA, "One more", pull.commits[-1]))
    told.review(pull, DAN, "APPROVED")
    return merged(told, first, pull, reviewers="#1 bob APPROVED stale, #1 dan APPROVED fresh")


@scenario("reviews: stale after a force-push, though GitHub moved the review to the new commit")
def forced() -> Scenario:
    told, first, pull = reviewed()
    early = told.review(pull, BOB, "APPROVED")
    pull.commits = [told.commit(ADA, "One, again", first)]
    early.commit = pull.commits[-1]
    told.happen(pull, "HeadRefForcePushedEvent", ADA)
    told.review(pull, DAN, "APPROVED")
    return merged(told, first, pull, reviewers="#1 bob APPROVED stale, #1 dan APPROVED fresh")


@scenario("reviews: stale after a force-push to a commit that is older than the review")
def forced_back() -> Scenario:
    told, first, pull = reviewed()
    older = told.commit(ADA, "Another way", first)
    told.review(pull, BOB, "APPROVED", commit=older)
    told.happen(pull, "HeadRefForcePushedEvent", ADA)
    pull.commits = [older]
    return merged(told, first, pull, reviewers="#1 bob APPROVED stale")


@scenario("reviews: of a commit that is gone, nobody knows how fresh")
def unknown_freshness() -> Scenario:
    told, first, pull = reviewed()
    told.review(pull, BOB, "APPROVED").commit = "gone"
    return merged(told, first, pull, reviewers="#1 bob APPROVED unknown")


@scenario("reviews: approval by an author, a co-author, a committer and the one who opened it")
def own_approval() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One\n\nCo-authored-by: Bob <bob@brickyard.example>", first, committer=DAN)
    pull = told.open(EVE, "One", [one])
    for each in (ADA, BOB, DAN, EVE):
        told.review(pull, each, "APPROVED")
    told.review(pull, CLEO, "APPROVED", can_write=False)
    return merged(
        told,
        first,
        pull,
        reviewers=", ".join(f"#1 {name} APPROVED fresh author" for name in ("ada", "bob", "dan", "eve"))
        + ", #1 cleo APPROVED fresh cannot-write",
    )


@scenario("reviews: what was said after the merge did not let it in")
def late() -> Scenario:
    told, first, pull = reviewed()
    told.review(pull, BOB, "CHANGES_REQUESTED")
    merge = told.merge(pull, CLEO, first)
    told.review(pull, BOB, "APPROVED")
    told.review(pull, DAN, "APPROVED")
    return deployed(
        told, first, merge, reviewers="#1 bob CHANGES_REQUESTED fresh, #1 dan APPROVED fresh late"
    )


@scenario("people: who let the job into its environment")
def approvers() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    told.approvals += [
        Approval(run_id=900, by=DAN, environments=("production", "eu")),
        Approval(run_id=900, by=BOB, environments=("staging",), state="rejected"),
        Approval(run_id=901, by=EVE, environments=("production",)),
    ]
    return deployed(
        told,
        first,
        one,
        approvers="dan approved production, dan approved eu, bob rejected staging",
    )


@scenario("people: everybody who started the run again")
def again() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One", first)
    told.runs.append(Ran(id=900, sha=one, attempts=(CLEO, BOB, DAN, EVE), status="failure"))
    return Scenario(
        world=told,
        sha=one,
        payload=push(told, first, one),
        attempt=4,
        triggering_actor="eve",
        expect={"started": "cleo eve", "again": "bob, dan, eve"},
    )


@scenario("people: names that mean harm are kept as they are")
def hostile() -> Scenario:
    told, first = world()
    name = "::error::$(touch x) `x` <!-- @eve --> | \u202e"
    one = told.commit((name, "x@y.example"), "::warning::x", first)
    return deployed(told, first, one, authors=f"{name} <x@y.example> author 1", commits="::warning::x")


@scenario("no API: the event file gives names and e-mails, and says what it cannot")
def event_file_alone() -> Scenario:
    told, first = world()
    one = told.commit(ADA, "One\n\nCo-authored-by: Zoe <77+zoe@users.noreply.github.com>", first)
    return Scenario(
        world=told,
        sha=one,
        payload=push(told, first, one),
        token=False,
        expect={
            "range": "push, unknown, low, 1/1",
            "authors": "Ada <ada@brickyard.example> author 1, zoe co-author 1",
            "lacks": "pull_requests; approvers",
            "requests": "0",
        },
    )


@scenario("no API: a pull request by itself has only its own name")
def event_file_of_pull_request() -> Scenario:
    told, first, pull = reviewed()
    told.merge(pull, CLEO, first)
    return Scenario(
        world=told,
        sha=pull.merge,
        event="pull_request",
        payload=pull_request(told, 1),
        token=False,
        expect={"range": "head commit alone, unknown, low, 0/0", "authors": "", "requests": "0"},
    )
