"""Is the attribution right in every scenario, on the GraphQL schema that GitHub publishes?"""

from __future__ import annotations

import event_scenarios
import github_published
import merge_scenarios
import people_scenarios
import pytest
import range_scenarios
from graphql import build_schema
from telling import TOLD, found_in, in_words

from audit_action.demo.github import SCHEMA

MODULES = (
    range_scenarios,
    event_scenarios,
    merge_scenarios,
    people_scenarios,
)  # importing them tells their scenarios


@pytest.mark.node
@pytest.mark.parametrize("name", TOLD)
def test_scenario(name: str) -> None:
    told = TOLD[name]()
    found = in_words(*found_in(told, github_published.schema()))
    assert {part: found[part] for part in told.expect} == told.expect


@pytest.mark.parametrize("name", [name for name, tell in TOLD.items() if not tell().faults])
def test_small_pages_change_nothing(name: str) -> None:
    """On the demo's part of the schema, so that it runs where npm reaches nothing."""
    told = TOLD[name]()
    found = in_words(*found_in(told, build_schema(SCHEMA.read_text()), page_size=2))
    wanted = {part: said for part, said in told.expect.items() if part != "requests"}
    assert {part: found[part] for part in wanted} == wanted


def test_there_are_enough_of_them() -> None:
    assert len(TOLD) >= 25
    assert all(told().expect for told in TOLD.values())
