"""Is a failing or slow GitHub asked again where that helps, and left alone where it does not?"""

from __future__ import annotations

import json

import pytest
from graphql import GraphQLSchema, build_schema
from pushes import found, told

from audit_action.demo.github import SCHEMA, Fault, serving

COMPARE, COMMITS, PULLS, APPROVALS = "GET .*/compare/", "DeployedCommits", "DeployedPullRequests", "approvals"
RATE = json.dumps({"message": "API rate limit exceeded for installation."})


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text())


@pytest.mark.parametrize("on", [COMPARE, COMMITS, PULLS, APPROVALS])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_one_failure_of_the_server_is_asked_again(on: str, status: int, schema: GraphQLSchema) -> None:
    world, base, head = told(1, 2)
    with serving(world, schema=schema, faults=[Fault(on=on, status=status, body="{}", times=1)]) as served:
        _, people = found(served, base, head)
    assert people.unavailable == ()
    assert served.count(on) == 2


def test_a_query_that_takes_too_long_is_halved(schema: GraphQLSchema) -> None:
    world, base, head = told(4, 1)
    with serving(world, schema=schema, faults=[Fault(on=PULLS, status=502, body="{}", times=2)]) as served:
        change_set, people = found(served, base, head)
    assert (len(change_set.pull_requests), people.unavailable) == (4, ())
    assert served.count(PULLS) == 2 + 2  # twice whole, then two halves


def test_an_answer_that_github_cut_short_is_asked_for_in_halves(schema: GraphQLSchema) -> None:
    world, base, head = told(4, 1)
    cut = {
        "data": {"repository": {"k0": None}},
        "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "?"}],
    }
    with serving(world, schema=schema, faults=[Fault(on=PULLS, body=json.dumps(cut), times=1)]) as served:
        change_set, people = found(served, base, head)
    assert (len(change_set.pull_requests), people.unavailable) == (4, ())
    assert served.count(PULLS) == 3


def test_no_server_makes_us_wait_for_long(schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit_action.github_api.client._LONGEST_WAIT", 0.01)
    world, base, head = told(1, 1)
    busy = Fault(on=COMPARE, status=429, body=RATE, headers={"Retry-After": "3600"}, times=1)
    with serving(world, schema=schema, faults=[busy]) as served:
        _, people = found(served, base, head)
    assert people.unavailable == ()
    assert served.count(COMPARE) == 2


def test_a_rate_limit_that_lasts_is_not_waited_for(schema: GraphQLSchema) -> None:
    world, base, head = told(1, 1)
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4102444800"}
    limited = Fault(on=COMPARE, status=403, body=RATE, headers=used_up)
    with serving(world, schema=schema, faults=[limited]) as served:
        _, people = found(served, base, head)
    assert "rate limit is used up" in people.unavailable[0].reason


def test_after_the_time_budget_the_run_goes_on_with_what_is_known(schema: GraphQLSchema) -> None:
    world, base, head = told(1, 2)
    with serving(world, schema=schema, faults=[Fault(on=PULLS, seconds=20)]) as served:
        change_set, people = found(served, base, head, budget=2)
    assert len(change_set.commits) == 3
    assert [each.person.login for each in people.authors] == ["ada", "bob"]
    assert [(each.field, "time budget" in each.reason) for each in people.unavailable] == [
        ("pull_requests", True),
        ("approvers", True),
    ]
    assert served.count(APPROVALS) == 0
