"""Does GitHub answer in few requests, and does each refusal stay a single missing field?"""

from __future__ import annotations

import json

import github_published
import pytest
from graphql import GraphQLSchema, build_schema, parse, validate
from pushes import ADA, BOB, REPOSITORY, found, told

from audit_action.attribute import find_people
from audit_action.demo.github import SCHEMA, Fault, serving
from audit_action.demo.told import Deployed
from audit_action.demo.world import World
from audit_action.github_api import GitHub, queries
from audit_action.model import Job, Relation, Trigger

FORBIDDEN = json.dumps({"message": "Resource not accessible by integration", "status": "403"})
DOCUMENTS = {
    "commits": queries.commits(50),
    "pull requests": queries.pull_requests(10),
    "more commits": queries.MORE_COMMITS,
    "more reviews": queries.MORE_REVIEWS,
    "deployments": queries.LAST_DEPLOYMENTS,
    "comments": queries.COMMENTS,
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text())


# --- the documents -------------------------------------------------------------------------------


@pytest.mark.node
@pytest.mark.parametrize("name", DOCUMENTS)
def test_github_accepts_our_queries(name: str) -> None:
    assert validate(github_published.schema(), parse(DOCUMENTS[name])) == []


@pytest.mark.node
def test_our_part_of_the_schema_is_github_s() -> None:
    ours, theirs = build_schema(SCHEMA.read_text()), github_published.schema()
    wrong = []
    for name, kind in ours.type_map.items():
        if name.startswith("__"):
            continue
        other = theirs.type_map.get(name)
        wrong += [] if type(other) is type(kind) else [name]
        wrong += [f"{name}.{value}" for value in getattr(kind, "values", {}) if value not in other.values]
        for field, mine in getattr(kind, "fields", {}).items():
            published = getattr(other, "fields", {}).get(field)
            wrong += [] if published and str(published.type) == str(mine.type) else [f"{name}.{field}"]
            for argument, declared in getattr(mine, "args", {}).items():
                known = published.args.get(argument) if published else None
                same = known and str(known.type) == str(declared.type)
                wrong += [] if same else [f"{name}.{field}({argument})"]
    assert wrong == []


# --- cost ----------------------------------------------------------------------------------------


def test_fifty_commits_in_ten_pull_requests_cost_five_requests(schema: GraphQLSchema) -> None:
    world, base, head = told(10, 4)  # and ten merges
    with serving(world, schema=schema) as served:
        change_set, people = found(served, base, head)
    assert (len(change_set.commits), len(change_set.pull_requests)) == (50, 10)
    assert (len(people.mergers), len(people.reviewers), people.unavailable) == (10, 10, ())
    assert [each.what.rpartition("/")[2] for each in served.log] == [
        f"{base}...{head}",
        "DeployedCommits",
        "DeployedPullRequests",
        "approvals",
    ]


def test_six_requests_when_the_base_must_be_looked_for_first(schema: GraphQLSchema) -> None:
    world, base, head = told(10, 4)
    with serving(world, schema=schema) as served:
        change_set, _ = found(served, base, head, last=False, environment="production")
    assert len(change_set.commits) == 50
    assert len(served.log) == 6


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_a_pull_request_of_a_hundred_commits_costs_three(how: str, schema: GraphQLSchema) -> None:
    world = World(REPOSITORY, ADA, BOB)
    first = on = world.commit(ADA, "Begin")
    commits = []
    for each in range(100):
        on = world.commit((ADA, BOB)[each % 2], f"Change {each}", on)
        commits.append(on)
    pull = world.open(ADA, "All of it", commits)
    onto = world.commit(BOB, "Meanwhile", first)
    head = {"merge": world.merge, "squash": world.squash, "rebase": world.rebase}[how](pull, BOB, onto)
    trigger = Trigger(
        event="pull_request", repository=REPOSITORY, head_sha=head, base_sha=first, pull_request=1
    )
    job = Job(repository=REPOSITORY, run_id=900, run_attempt=1)
    with serving(world, schema=schema) as served:
        github = GitHub(token="t", api_url=served.api_url)
        _, people = find_people(trigger, job, github, last_run_head=onto, environment="")
    assert {each.person.login: each.commits for each in people.authors} == {"ada": 50, "bob": 50}
    assert people.unavailable == ()
    assert len(served.log) <= 3


def test_six_hundred_commits_cost_pages_not_commits(schema: GraphQLSchema) -> None:
    world, base, head = told(1, 599)
    with serving(world, schema=schema) as served:
        change_set, people = found(served, base, head)
    assert len(change_set.commits) == change_set.total_commits == 600
    assert sum(each.commits for each in people.authors) == 599
    assert served.count("compare") == 1 + 6  # 250 of them, then all in pages of 100
    assert served.count("DeployedCommits") == 12  # 50 at a time
    assert served.count("MoreCommits") == 5  # 100 at a time, after the first
    assert len(served.log) == 7 + 12 + 1 + 5 + 1


# --- what is refused -------------------------------------------------------------------------------

PERMISSION = {"X-Accepted-GitHub-Permissions": "contents=read"}
EITHER = {"X-Accepted-GitHub-Permissions": "pull_requests=read,issues=read; actions=read"}
RATE = json.dumps({"message": "API rate limit exceeded for installation."})
LIMITED = json.dumps({"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]})
COMPARE, COMMITS, PULLS, APPROVALS = "GET .*/compare/", "DeployedCommits", "DeployedPullRequests", "approvals"


@pytest.mark.parametrize(
    ("fault", "lacking", "said"),
    [
        (Fault(on=COMPARE, status=401, body='{"message": "Bad credentials"}'), "commits", "not valid (401)"),
        (Fault(on=COMPARE, status=403, body=FORBIDDEN, headers=PERMISSION), "commits", "not accessible"),
        (Fault(on=COMPARE, status=404, body='{"message": "Not Found"}'), "range", "is gone from GitHub"),
        (Fault(on=COMPARE, status=422, body='{"message": "Validation Failed"}'), "commits", "(422)"),
        (Fault(on=COMPARE, status=429, body=RATE), "commits", "rate limit"),
        (Fault(on=COMPARE, status=500, body="{}"), "commits", "(500)"),
        (Fault(on=COMPARE, status=502, body="<html>"), "commits", "GitHub failed (502)"),
        (Fault(on=COMPARE, body='{"status": "ahead", '), "commits", "could not be read"),
        (Fault(on=COMPARE, body="<html>"), "commits", "could not be read"),
        (Fault(on=COMPARE, body="[]"), "commits", "could not be read"),
        (Fault(on=COMPARE, body="7"), "commits", "could not be read"),
        (Fault(on=APPROVALS, status=403, body=FORBIDDEN, headers=EITHER), "approvers", "not accessible"),
        (Fault(on=APPROVALS, body='{"message": "?"}'), "approvers", "could not be read"),
        (Fault(on=COMMITS, body=LIMITED), "pull_requests", "rate limit is used up (RATE_LIMITED)"),
        (Fault(on=COMMITS, status=403, body=FORBIDDEN), "pull_requests", "not accessible"),
        (Fault(on=COMMITS, body='{"data": '), "pull_requests", "could not be read"),
        (Fault(on=COMMITS, body="[]"), "pull_requests", "no data"),
        (Fault(on=COMMITS, null="associatedPullRequests"), "pull_requests", "not accessible"),
        (Fault(on=PULLS, null="reviews"), "reviewers", "not accessible"),
        (Fault(on=PULLS, null="mergedBy"), "mergers", "not accessible"),
        (Fault(on=PULLS, status=502, body='{"data": null}'), "pull_requests", "GitHub failed (502)"),
        (Fault(on="LastDeployments", body=LIMITED), "range", "RATE_LIMITED"),
    ],
    ids=lambda value: f"{value.on} {value.status} {value.null}" if isinstance(value, Fault) else "",
)
def test_a_refusal_is_one_missing_field(fault: Fault, lacking: str, said: str, schema: GraphQLSchema) -> None:
    world, base, head = told(1, 2)
    with serving(world, schema=schema, faults=[fault]) as served:
        change_set, people = found(served, base, head, last=False, environment="production")
    assert {each.field for each in people.unavailable} == {lacking}
    assert all(said in each.reason for each in people.unavailable)
    assert change_set.head_sha == head
    assert people.authors, "the rest is found all the same"


def test_a_next_page_on_another_host_is_not_followed(schema: GraphQLSchema) -> None:
    world, base, head = told(1, 3)
    elsewhere = Fault(on=COMPARE, headers={"Link": '<https://elsewhere.example/x>; rel="next"'})
    with serving(world, schema=schema, page_size=2, faults=[elsewhere]) as served:
        _, people = found(served, base, head)
    assert [each.reason for each in people.unavailable] == [
        "GitHub's answer leads somewhere else or has no form (AssertionError)"
    ]


@pytest.mark.parametrize(
    ("fault", "permission"),
    [
        (Fault(on=COMPARE, status=403, body=FORBIDDEN, headers=PERMISSION), "contents: read"),
        (Fault(on=COMPARE, status=403, body=FORBIDDEN), "contents: read"),
        (
            Fault(on=APPROVALS, status=403, body=FORBIDDEN, headers=EITHER),
            "pull-requests: read and issues: read, or actions: read",
        ),
        (Fault(on=APPROVALS, status=403, body=FORBIDDEN), "actions: read"),
        (Fault(on=APPROVALS, status=404, body='{"message": "Not Found"}'), "actions: read"),
        (Fault(on=COMMITS, null="associatedPullRequests"), "pull-requests: read"),
        (Fault(on=PULLS, null="latestOpinionatedReviews"), "pull-requests: read"),
        (Fault(on=APPROVALS, status=500, body="{}"), ""),
    ],
)
def test_the_missing_permission_is_named(fault: Fault, permission: str, schema: GraphQLSchema) -> None:
    world, base, head = told(1, 2)
    with serving(world, schema=schema, faults=[fault]) as served:
        _, people = found(served, base, head)
    assert {each.permission for each in people.unavailable} == {permission}


def test_a_refused_field_takes_no_other_along(schema: GraphQLSchema) -> None:
    world, base, head = told(2, 2)
    with serving(world, schema=schema, faults=[Fault(on=PULLS, null="reviews")]) as served:
        change_set, people = found(served, base, head)
    assert people.reviewers == ()
    assert [each.person.login for each in people.mergers] == ["bob", "bob"]
    assert [len(each.commits) for each in change_set.pull_requests] == [2, 2]


def test_a_host_that_nobody_reaches_leaves_the_event(schema: GraphQLSchema) -> None:
    trigger = Trigger(event="push", repository=REPOSITORY, head_sha="a" * 40, before="b" * 40)
    github = GitHub(token="t", api_url="http://127.0.0.1:9", timeout=1)
    change_set, people = find_people(trigger, Job(), github, last_run_head="", environment="")
    assert (change_set.commits, change_set.relation) == ((), Relation.UNKNOWN)
    assert {each.field for each in people.unavailable} == {"commits", "pull_requests"}
    assert all("could not be reached" in each.reason for each in people.unavailable)


def test_without_github_s_association_its_merge_commits_name_the_pull_requests(schema: GraphQLSchema) -> None:
    world, base, head = told(3, 2)
    with serving(world, schema=schema, faults=[Fault(on=COMMITS, null="associatedPullRequests")]) as served:
        change_set, people = found(served, base, head)
    assert [each.number for each in change_set.pull_requests] == [1, 2, 3]
    assert len(people.mergers) == 3
    assert {each.field for each in people.unavailable} == {"pull_requests"}


# --- truncation ------------------------------------------------------------------------------------


def test_commits_that_github_does_not_show_are_missed(schema: GraphQLSchema) -> None:
    world, base, head = told(1, 3)
    short = Fault(on="GET .*compare", headers={"Link": ""})
    with serving(world, schema=schema, page_size=2, faults=[short]) as served:
        change_set, people = found(served, base, head)
    assert (len(change_set.commits), change_set.total_commits) == (2, 4)
    assert [each.reason for each in people.unavailable] == ["2 of 4 commits are known"]
    assert change_set.confidence == "medium"


def test_our_own_deployment_is_not_the_last_one(schema: GraphQLSchema) -> None:
    world, base, head = told(1, 1)
    world.deployments += [
        Deployed(sha=base, environment="production", run_id=90),
        Deployed(sha=head, environment="production", run_id=900),
    ]
    with serving(world, schema=schema) as served:
        github = GitHub(token="t", api_url=served.api_url)
        assert github.last_deployment(REPOSITORY, "production", 900) == base
        assert github.last_deployment(REPOSITORY, "staging", 900) == ""
