"""Is what happened read rightly from the event file, for every event, and is nonsense refused?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from audit_action import event
from audit_action.errors import BadInput
from audit_action.model import Job, PersonKind, Trigger

A, B, C = "a" * 40, "b" * 40, "c" * 40
NONE = "0" * 40
BOT = "dependabot[bot]"
ADA = {"name": "Ada Lovelace", "email": "ada@example.org", "username": "ada"}
GITHUB = {"name": "GitHub", "email": "noreply@github.com", "username": "web-flow"}


def parse(name: str, payload: Any = None, *, ref: str = "refs/heads/main", sha: str = A) -> Trigger:
    job = Job(repository="brickyard/shop", event=name, ref=ref, sha=sha, actor="ada")
    return event.parse(job, "" if payload is None else json.dumps(payload))


def commit(sha: str = A, message: str = "Add a table", **people: Any) -> dict[str, Any]:
    return {"id": sha, "message": message, "author": ADA, "committer": ADA} | people


def push(**changes: Any) -> dict[str, Any]:
    usual = {
        "before": B,
        "after": A,
        "created": False,
        "deleted": False,
        "forced": False,
        "ref": "refs/heads/main",
    }
    return usual | {"commits": [commit()], "head_commit": commit(), "sender": {"login": "ada"}} | changes


def pull_request(action: str, **changes: Any) -> dict[str, Any]:
    pull = {"number": 7, "merged": False, "head": {"sha": B, "ref": "x"}, "base": {"sha": C, "ref": "main"}}
    return {"action": action, "number": 7, "sender": {"login": "ada"}, "pull_request": pull | changes}


def test_a_push_brings_its_base_and_its_commits() -> None:
    trigger = parse("push", push())
    assert (trigger.head_sha, trigger.before, trigger.forced, trigger.sender) == (A, B, False, "ada")
    (only,) = trigger.commits
    assert only.headline == "Add a table"
    assert only.authors[0].login == "ada"
    assert only.committer is None


def test_the_first_push_of_a_branch_has_no_base() -> None:
    assert parse("push", push(before=NONE, created=True)).before == ""


def test_a_forced_push_is_known_as_such() -> None:
    assert parse("push", push(forced=True)).forced


def test_an_annotated_tag_stands_for_its_commit_not_for_the_tag_object() -> None:
    tag = push(before=NONE, after=C, created=True, commits=[], ref="refs/tags/v1", head_commit=commit(B))
    trigger = parse("push", tag, ref="refs/tags/v1", sha=C)
    assert (trigger.head_sha, trigger.before) == (B, "")
    assert [each.sha for each in trigger.commits] == [B]


@pytest.mark.parametrize(
    ("name", "payload", "said"),
    [
        ("push", push(deleted=True, after=NONE, head_commit=None, commits=[]), "was deleted"),
        ("push", {"after": NONE}, "was deleted"),
        ("delete", {"ref": "old", "ref_type": "branch"}, "old was deleted"),
        ("pull_request", pull_request("closed"), "closed without being merged"),
        ("pull_request_target", pull_request("closed"), "closed without being merged"),
        ("merge_group", {"action": "destroyed"}, "dissolved"),
        ("release", {"action": "deleted"}, "was deleted"),
        ("release", {"action": "unpublished"}, "was unpublished"),
    ],
)
def test_events_with_nothing_to_deploy_are_refused(name: str, payload: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parse(name, payload)


def test_an_event_without_a_commit_is_refused() -> None:
    with pytest.raises(BadInput, match="names no commit"):
        parse("repository_dispatch", {}, sha="")


@pytest.mark.parametrize("payload", ["{", "[]", '"text"', "[" * 100_000])
def test_a_broken_event_file_is_refused(payload: str) -> None:
    with pytest.raises(BadInput, match="event file"):
        event.parse(Job(repository="a/b", event="push", sha=A), payload)


@pytest.mark.parametrize("name", ["pull_request", "pull_request_target"])
def test_an_open_pull_request_is_a_preview_of_its_own_head(name: str) -> None:
    trigger = parse(name, pull_request("synchronize"))
    assert (trigger.head_sha, trigger.base_sha, trigger.pull_request) == (B, C, 7)
    assert trigger.preview


@pytest.mark.parametrize("name", ["pull_request", "pull_request_target"])
def test_a_merged_pull_request_is_its_merge_commit(name: str) -> None:
    trigger = parse(name, pull_request("closed", merged=True, merge_commit_sha=A), sha=C)
    assert (trigger.head_sha, trigger.pull_request, trigger.preview) == (A, 7, False)


def test_a_merge_group_is_what_the_queue_made() -> None:
    ref = f"refs/heads/gh-readonly-queue/main/pr-104-{C}"
    group = {"head_sha": B, "base_sha": C, "head_ref": ref, "head_commit": commit(B)}
    trigger = parse("merge_group", {"action": "checks_requested", "merge_group": group}, ref=ref)
    assert (trigger.head_sha, trigger.base_sha, trigger.pull_request, trigger.preview) == (B, C, 104, True)


def test_another_workflow_s_run_is_deployed_at_its_own_commit() -> None:
    run = {"head_sha": B, "head_branch": "main", "head_commit": commit(B)}
    assert parse("workflow_run", {"action": "completed", "workflow_run": run}).head_sha == B


@pytest.mark.parametrize("name", ["deployment", "deployment_status"])
def test_a_deployment_is_of_its_own_commit(name: str) -> None:
    trigger = parse(name, {"deployment": {"sha": B, "ref": "release"}}, ref="")
    assert (trigger.head_sha, trigger.ref) == (B, "release")


@pytest.mark.parametrize(
    "name", ["workflow_dispatch", "schedule", "repository_dispatch", "release", "issue_comment"]
)
def test_other_events_deploy_the_commit_of_the_run(name: str) -> None:
    assert parse(name, {"action": "published", "sender": {"login": "ada"}}).head_sha == A
    assert parse(name).head_sha == A


def test_outside_of_github_actions_nothing_is_needed() -> None:
    assert event.parse(Job(), "").head_sha == ""


def test_github_s_own_merge_is_no_commit_of_a_committer() -> None:
    merge = commit(message="Merge pull request #5 from ada/x", committer=GITHUB)
    (only,) = parse("push", push(commits=[merge])).commits
    assert (only.made_by_github, only.parents, only.committer) == (True, 2, None)


@pytest.mark.parametrize(
    ("author", "login", "number", "kind"),
    [
        ({"name": "Ada", "email": "a@x.org"}, "", None, PersonKind.UNMATCHED),
        ({"name": "Ada", "email": "7+ada@users.noreply.github.com"}, "ada", 7, PersonKind.USER),
        ({"name": "Ada", "email": "ada@users.noreply.github.com"}, "ada", None, PersonKind.USER),
        (
            {"name": "A", "email": "7+ada@users.noreply.github.com", "username": "bob"},
            "bob",
            None,
            PersonKind.USER,
        ),
        (
            {
                "name": "x",
                "email": "49699333+dependabot[bot]@users.noreply.github.com",
                "username": "dependabot[bot]",
            },
            "dependabot",
            49699333,
            PersonKind.BOT,
        ),
        ({}, "", None, PersonKind.UNMATCHED),
    ],
)
def test_people_of_a_payload(author: Any, login: str, number: int | None, kind: PersonKind) -> None:
    person = parse("push", push(commits=[commit(author=author)])).commits[0].authors[0]
    assert (person.login, person.id, person.kind) == (login, number, kind)


@pytest.mark.parametrize(
    "broken", [{"commits": "x"}, {"commits": [None, 3, {"id": 5}]}, {"head_commit": 7}, {"sender": []}]
)
def test_missing_and_misshapen_parts_are_tolerated(broken: dict[str, Any]) -> None:
    assert parse("push", push(**broken)).head_sha == A


def test_text_that_no_database_can_hold_is_made_harmless() -> None:
    hostile = {"name": "a\ud800b\x00c", "email": "x@y.z"}
    (only,) = parse("push", push(commits=[commit(author=hostile)])).commits
    assert only.authors[0].name.encode() == b"a\xef\xbf\xbdbc"
