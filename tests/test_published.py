"""Is the stand-in's GitHub the one that GitHub describes, and are its example events understood?"""

from __future__ import annotations

import json
from typing import Any

import github_published
import pytest
from jsonschema import Draft202012Validator

from audit_action import event
from audit_action.demo import answers
from audit_action.demo.story import KATHERINE, tell
from audit_action.demo.told import Approval, Comment
from audit_action.errors import BadInput
from audit_action.model import Job

REPO = "/repos/{owner}/{repo}"
BODIES = {
    f"{REPO}/compare/{{basehead}}": "comparison",
    f"{REPO}/commits/{{ref}}": "commit",
    f"{REPO}/pulls/{{pull_number}}": "pull",
    f"{REPO}/commits/{{commit_sha}}/pulls": "pulls of a commit",
    f"{REPO}/pulls/{{pull_number}}/reviews": "reviews",
    f"{REPO}/issues/{{issue_number}}/timeline": "timeline",
    f"{REPO}/actions/runs/{{run_id}}/attempts/{{attempt_number}}": "run",
    f"{REPO}/actions/workflows/{{workflow_id}}/runs": "runs",
    f"{REPO}/actions/runs/{{run_id}}/approvals": "approvals",
    f"{REPO}/issues/{{issue_number}}/comments": "comments",
    "/user": "user",
}


def served(what: str) -> Any:
    """The body that the stand-in sends, out of the demo's story."""
    world = tell().world
    pull = world.pulls[42]
    run = world.runs[0]
    world.approvals.append(Approval(run_id=run.id, by=KATHERINE, environments=("production",)))
    comment = Comment(id=7, pull=42, by=KATHERINE, body="hello", at=world.now)
    merge = world.changes[pull.merge]
    made = {
        "comparison": lambda: answers.comparison(world, merge.parents[0], merge.sha),
        "commit": lambda: answers.commit(world, merge),
        "pull": lambda: answers.pull(world, pull),
        "pulls of a commit": lambda: [answers.pull(world, pull, item=True)],
        "reviews": lambda: [answers.review(each) for each in pull.reviews],
        "timeline": lambda: [answers.step(each) for each in pull.timeline],
        "run": lambda: answers.run(run, 1),
        "runs": lambda: {"total_count": 1, "workflow_runs": [answers.run(run, 1)]},
        "approvals": lambda: answers.approvals(world, run.id),
        "comments": lambda: [answers.comment(world, comment)],
        "user": lambda: answers.user(KATHERINE),
    }
    return json.loads(json.dumps(made[what]()))


def loosened(schema: Any, *, known: bool) -> Any:
    """The schema, in which no field is required, and in objects no field is allowed that it does not name.

    The stand-in serves only the fields that are read: each must exist, and be of the described type.
    """
    if isinstance(schema, list):
        return [loosened(each, known=known) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for key, value in schema.items():
        if key == "required" and isinstance(value, list):
            continue
        key = "anyOf" if key == "oneOf" else key  # without `required`, several may match
        inside = known and key not in ("allOf", "anyOf")
        if key in ("properties", "schemas"):
            made[key] = {name: loosened(each, known=known) for name, each in value.items()}
        else:
            made[key] = loosened(value, known=inside)
    if schema.get("nullable") and "type" in made:
        made["type"] = [made["type"], "null"]
    if known and "properties" in made:
        made["additionalProperties"] = False
    return made


@pytest.mark.node
@pytest.mark.parametrize("server", ["api.github.com", "ghes-3.17"])
@pytest.mark.parametrize(("path", "what"), BODIES.items())
def test_rest_answers_are_as_github_describes_them(path: str, what: str, server: str) -> None:
    description = github_published.openapi(server)
    response = description["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    components = loosened({"schemas": description["components"]["schemas"]}, known=True)
    schema = {**loosened(response, known=True), "components": components}
    errors = list(Draft202012Validator(schema).iter_errors(served(what)))
    assert errors == []


@pytest.mark.node
def test_a_wrong_answer_would_be_found() -> None:
    """The check above can fail: a field that GitHub does not have, and one of another type."""
    description = github_published.openapi()
    path = f"{REPO}/pulls/{{pull_number}}"
    response = description["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    components = loosened({"schemas": description["components"]["schemas"]}, known=True)
    validator = Draft202012Validator({**loosened(response, known=True), "components": components})
    assert not validator.is_valid(served("pull") | {"merger": None})
    assert not validator.is_valid(served("pull") | {"number": "42"})


@pytest.mark.node
def test_github_s_own_example_events_are_understood() -> None:
    seen, refused = set(), set()
    for name, payload in github_published.payloads():
        job = Job(repository="Codertocat/Hello-World", event=name, ref="refs/heads/main", sha="a" * 40)
        try:
            trigger = event.parse(job, json.dumps(payload))
        except BadInput:
            refused.add((name, payload.get("action", "")))
            continue
        seen.add(name)
        assert len(trigger.head_sha) == 40
    assert {"push", "pull_request", "merge_group", "release", "deployment", "workflow_run"} <= seen
    assert refused == {
        ("push", ""),  # those that delete a tag
        ("delete", ""),
        ("pull_request", "closed"),  # none of them merged
        ("release", "deleted"),
    }
