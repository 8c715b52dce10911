"""Do the folds hold for whatever people and reviews there are: nobody lost, and no two people made one?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from audit_action import attribution, event
from audit_action.attribute import explain, find_people
from audit_action.attribution import Evidence
from audit_action.change_range import Range
from audit_action.demo.github import serving
from audit_action.demo.story import tell
from audit_action.github_api import GitHub
from audit_action.github_facts import CommitFacts, PullRequestFacts, Review
from audit_action.identity import People
from audit_action.model import (
    Freshness,
    Job,
    MergeMethod,
    Person,
    PersonKind,
    RangeSource,
    ReviewState,
    Trigger,
)
from audit_action.reviews import final_reviews

START = datetime(2026, 1, 1, tzinfo=UTC)
names = st.sampled_from(["Ada", "Bob", "dev", ""])
emails = st.sampled_from(
    ["ada@x.example", "ADA@x.example", "bob@x.example", "", "7+ada@users.noreply.github.com", "dev@localhost"]
)
unmatched = st.builds(Person, name=names, email=emails, kind=st.just(PersonKind.UNMATCHED))
accounts = st.builds(
    Person,
    name=names,
    email=emails,
    login=st.sampled_from(["ada", "bob", "Ada"]),
    id=st.sampled_from([7, 8, None]),
    kind=st.sampled_from([PersonKind.USER, PersonKind.BOT]),
)
ghosts = st.builds(Person, kind=st.just(PersonKind.GHOST))
people = st.one_of(unmatched, accounts, ghosts)


# --- identity ------------------------------------------------------------------------------------


@given(st.lists(people, max_size=8))
def test_two_accounts_are_never_one(everybody: list[Person]) -> None:
    known = People(everybody)
    for one in everybody:
        for other in everybody:
            if one.id is not None and other.id is not None and PersonKind.GHOST not in (one.kind, other.kind):
                assert (known.key(one) == known.key(other)) == (one.id == other.id)


@given(st.lists(unmatched, max_size=8), st.lists(ghosts, max_size=3))
def test_unknown_people_are_never_one(strangers: list[Person], deleted: list[Person]) -> None:
    known = People([*strangers, *deleted])
    for place, one in enumerate(strangers):
        for other in strangers[place + 1 :]:
            claims = {(each.name, each.email.casefold()) for each in (one, other)}
            noreply = all("noreply" in each.email for each in (one, other))
            assert known.key(one) != known.key(other) or len(claims) == 1 or noreply
            if not one.name and not one.email:
                assert known.key(one) != known.key(other)
    assert len(known.once(deleted)) == len(deleted)


@given(st.lists(people, max_size=8), st.randoms())
def test_who_is_one_does_not_depend_on_the_order(everybody: list[Person], random: Any) -> None:
    shuffled = everybody.copy()
    random.shuffle(shuffled)
    one, other = People(everybody), People(shuffled)
    for a in everybody:
        for b in everybody:
            assert (one.key(a) == one.key(b)) == (other.key(a) == other.key(b))


def test_an_email_of_two_accounts_belongs_to_neither() -> None:
    shared = "team@x.example"
    ada, bob = (Person(login=login, id=n, email=shared) for n, login in enumerate(("ada", "bob")))
    stranger = Person(name="Team", email=shared, kind=PersonKind.UNMATCHED)
    known = People([ada, bob, stranger])
    assert len(known.once([ada, bob, stranger])) == 3


def test_an_address_of_an_account_that_was_renamed_keeps_github_s_login() -> None:
    old = Person(name="Ada", email="7+oldname@users.noreply.github.com", kind=PersonKind.UNMATCHED)
    now = Person(name="Ada", login="newname", id=7)
    (one,) = People([old, now]).once([old, now])
    assert (one.login, one.id) == ("newname", 7)


# --- reviews ---------------------------------------------------------------------------------------

reviewers = st.sampled_from([Person(login=login, id=n) for n, login in enumerate(("ada", "bob", "cleo"))])
rows = st.lists(st.tuples(reviewers, st.sampled_from(list(ReviewState))), max_size=10)


def reviewed(listed: list[tuple[Person, ReviewState]], **more: Any) -> dict[str, ReviewState]:
    reviews = tuple(
        Review(id=n, person=person, state=state, submitted_at=START + timedelta(minutes=n))
        for n, (person, state) in enumerate(listed)
    )
    pull = PullRequestFacts(number=1, reviews=reviews, **more)
    found = final_reviews(pull, People(each.person for each in reviews), frozenset())
    assert len({each.person.login for each in found}) == len(found)
    return {each.person.login: each.state for each in found}


@given(rows)
def test_each_reviewer_s_last_opinion_stands(listed: list[tuple[Person, ReviewState]]) -> None:
    expected: dict[str, ReviewState] = {}
    for person, state in listed:
        if state is not ReviewState.COMMENTED or person.login not in expected:
            expected[person.login] = state
    assert reviewed(listed) == expected


@given(rows, reviewers)
def test_a_comment_changes_nobody_s_opinion(listed: list[tuple[Person, ReviewState]], who: Person) -> None:
    before = reviewed(listed)
    after = reviewed([*listed, (who, ReviewState.COMMENTED)])
    assert after == {who.login: ReviewState.COMMENTED} | before


@given(rows, rows)
def test_nothing_after_the_merge_changes_an_opinion(
    before: list[tuple[Person, ReviewState]], after: list[tuple[Person, ReviewState]]
) -> None:
    merged_at = START + timedelta(minutes=len(before)) - timedelta(seconds=1)
    at_merge = reviewed(before)
    found = reviewed([*before, *after], merged=True, merged_at=merged_at)
    assert {login: found[login] for login in at_merge} == at_merge


# --- nobody is lost --------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> tuple[CommitFacts, ...]:
    many = draw(st.integers(1, 6))
    return tuple(
        CommitFacts(
            sha=f"{n:040x}",
            message="Change",
            authors=tuple(draw(st.lists(st.one_of(unmatched, accounts), min_size=1, max_size=3))),
            committer=draw(st.none() | unmatched | accounts),
            parents=("a",) * draw(st.integers(1, 2)),
            made_by_github=draw(st.booleans()),
        )
        for n in range(many)
    )


@given(histories())
def test_everybody_behind_a_commit_is_an_author_once(history: tuple[CommitFacts, ...]) -> None:
    trigger = Trigger(event="push", repository="a/b", head_sha=history[-1].sha)
    found = Range(source=RangeSource.LAST_RUN, commits=history, total=len(history))
    change_set, behind = attribution.resolve(Evidence(trigger=trigger, found=found))
    named = [
        person
        for each in history
        if not (each.made_by_github and len(each.parents) > 1)
        for person in (
            *each.authors,
            *([each.committer] if each.committer and not each.made_by_github else []),
        )
    ]
    known = People(
        [person for each in history for person in each.authors]
        + [each.committer for each in history if each.committer and not each.made_by_github]
    )
    anonymous = Person(kind=PersonKind.UNMATCHED)
    wanted = {known.key(each) for each in named if each != anonymous}
    assert {known.key(each.person) for each in behind.authors if each.person != anonymous} == wanted
    assert all(1 <= each.commits <= len(history) for each in behind.authors)
    assert len(change_set.commits) == len(history)


# --- the whole ---------------------------------------------------------------------------------------


def test_the_demo_s_story_is_told_whole() -> None:
    story = tell()
    job = Job(
        repository=story.variables["GITHUB_REPOSITORY"],
        event="push",
        ref="refs/heads/main",
        sha=story.variables["GITHUB_SHA"],
        workflow_ref=story.variables["GITHUB_WORKFLOW_REF"],
        run_id=int(story.variables["GITHUB_RUN_ID"]),
        run_attempt=1,
        actor="ghopper",
        triggering_actor="ghopper",
    )
    with serving(story.world) as served:
        github = GitHub(token="t", api_url=served.api_url)
        change_set, behind = find_people(
            event.parse(job, story.event), job, github, last_run_head="", environment=""
        )
    assert change_set.range_source is RangeSource.PUSH_BEFORE
    assert [len(each.commits) for each in change_set.pull_requests] == [3]
    assert change_set.pull_requests[0].method is MergeMethod.MERGE
    assert {each.person.name: each.commits for each in behind.authors} == {
        "Margaret Hamilton": 2,
        "Katherine Johnson": 1,
        "Ada Lovelace": 1,
    }
    assert [each.person.name for each in behind.mergers] == ["Grace Hopper"]
    assert [(each.person.name, each.state, each.freshness) for each in behind.reviewers] == [
        ("Radia Perlman", ReviewState.DISMISSED, Freshness.STALE),
        ("Barbara Liskov", ReviewState.APPROVED, Freshness.FRESH),
    ]
    assert behind.unavailable == ()
    assert "Barbara Liskov" in explain(change_set, behind)
