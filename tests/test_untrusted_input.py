"""Is what others send, in events, answers, messages and names, never a crash and never a command?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_action import attribution, event
from audit_action.attribute import explain
from audit_action.attribution import Evidence
from audit_action.change_range import Range
from audit_action.commit_message import co_authors, log_arguments, named_pull_requests, read_log
from audit_action.errors import BadInput
from audit_action.github_api import parse
from audit_action.github_facts import CommitFacts
from audit_action.model import Job, Person, PersonKind, Trigger, Unavailable

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=8,
)
FIELDS = """
author mergedBy mergeCommit commits nodes commit reviews state timelineItems __typename pageInfo authors user
login databaseId signature parents committer email claimant latestOpinionatedReviews
"""
graphql_names = st.sampled_from(FIELDS.split())
misshapen = st.recursive(
    anything | st.sampled_from(["APPROVED", "MergedEvent", "Bot", "ghost", "2026-01-01T00:00:00Z"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(graphql_names, inside, max_size=6),
    max_leaves=20,
)


@given(misshapen)
def test_no_answer_of_github_is_a_crash(value: Any) -> None:
    parse.commit(value)
    parse.rest_commit(value)
    parse.pull_request(value)
    parse.approvers((value,), 1)


@given(st.sampled_from(["push", "pull_request", "merge_group", "release", "workflow_run"]), anything)
def test_no_event_file_is_a_crash(name: str, payload: Any) -> None:
    try:
        trigger = event.parse(Job(repository="a/b", event=name, sha="a" * 40), json.dumps(payload))
    except BadInput:
        return
    assert trigger.head_sha == "a" * 40


@given(st.text())
def test_no_message_is_a_crash(message: str) -> None:
    assert all(each.name or each.email for each in co_authors(message))
    assert all(number > 0 or str(number) == "0" for number in named_pull_requests(message))


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("x\n\nCo-authored-by: A <a@x.org>", ["A"]),
        ("x\nCo-authored-by: A <a@x.org>\nCo-authored-by: B <b@x.org>", ["A", "B"]),
        ("x\n\n\tCO-AUTHORED-BY:A<a@x.org>  ", ["A"]),
        ("x\n\nCo-authored-by: A <a@x.org>\nCo-authored-by: A2 <A@x.org>", ["A"]),
        ("x\r\n\r\nCo-authored-by: A <a@x.org>\r\n", ["A"]),
        ("x\n\nCo-authored-by: <a@x.org>", [""]),
        ("x\n\nCo-authored-by: nobody", []),
        ("x\n\n> Co-authored-by: A <a@x.org>", []),
        ("Co-authored-by: A <a@x.org> and more", []),
    ],
)
def test_co_author_trailers(message: str, found: list[str]) -> None:
    assert [each.name for each in co_authors(message)] == found


@pytest.mark.parametrize("head", ["--output=/etc/passwd", "HEAD", "main", "a" * 39, "$(touch x)", "0" * 40])
def test_nothing_but_an_object_name_reaches_git(head: str) -> None:
    with pytest.raises(ValueError, match="object name"):
        log_arguments("", head)
    with pytest.raises(ValueError, match="object name"):
        log_arguments(head, "a" * 40)


def test_what_git_did_not_print_so_is_refused() -> None:
    with pytest.raises(ValueError, match="something else"):
        read_log("fatal: bad object\0")
    assert read_log("") == ()


def test_names_cannot_begin_a_line_of_the_explanation() -> None:
    hostile = Person(name="x\n::error::y\x1b[2J\u202e", email="a@b", kind=PersonKind.UNMATCHED)
    facts = CommitFacts(sha="a" * 40, message="m\r::set-output", authors=(hostile,))
    evidence = Evidence(
        trigger=Trigger(event="push", repository="a/b", head_sha="a" * 40),
        found=Range(commits=(facts,), total=1),
        unavailable=(Unavailable(field="f", reason="because\n::error::z"),),
    )
    told = explain(*attribution.resolve(evidence))
    assert all(line.isprintable() and not line.startswith("::") for line in told.splitlines())
