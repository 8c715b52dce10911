"""Does the demo's story come out of the container as it does of the demo? GitHub is on the bridge."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any

import pytest
from jobs import pull_request
from runner_host import RunnerHost, Stage
from services import Service, ServiceDatabase

from audit_action.demo.github import Fault, Served, serving
from audit_action.demo.show import COMMAND, MIGRATIONS
from audit_action.demo.story import Story, tell

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]


@pytest.fixture
def story() -> Story:
    return tell()


def migrated(
    host: RunnerHost,
    audited: ServiceDatabase,
    github: Served,
    story: Story,
    event: str = "push",
    payload: Mapping[str, Any] | None = None,
) -> Stage:
    with audited.connect() as admin:
        admin.execute("create table public.old_orders (id bigint primary key)")
        admin.execute(f"alter table public.old_orders owner to {audited.login}".encode())
    shutil.copytree(MIGRATIONS, host.workspace / "migrations")
    host.own()
    return host.step(
        event=event,
        payload=payload or json.loads(story.event),
        github={**story.variables, "GITHUB_API_URL": github.api_url},
        inputs={"database-url": audited.url, "command": COMMAND, "environment": "production"},
    ).main()


def assert_attributed(audited: ServiceDatabase) -> None:
    """Every event of the run has all the people of the story."""
    rows = audited.rows(
        "select distinct delivery, authors, mergers, reviewers from audit.history where run_id is not null"
    )
    [(delivery, authors, mergers, reviewers)] = rows
    assert delivery == "session"
    names = {each["person"]["name"]: each["roles"] for each in authors}
    assert names.keys() >= {"Margaret Hamilton", "Katherine Johnson", "Ada Lovelace"}
    assert names["Ada Lovelace"] == ["co-author"]
    assert [each["person"]["login"] for each in mergers] == ["ghopper"]
    assert {each["person"]["login"]: each["state"] for each in reviewers} == {
        "bliskov": "APPROVED",
        "rperlman": "DISMISSED",
    }


def test_a_push_by_a_merge(
    host: RunnerHost, audited: ServiceDatabase, service: Service, story: Story
) -> None:
    with serving(story.world, address=service.gateway) as github:
        stage = migrated(host, audited, github, story)
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert_attributed(audited)
    [comment] = story.world.comments
    assert "Ada Lovelace" in comment.body
    assert stage.outputs["comment-url"]
    assert json.loads(stage.outputs["merger"])["person"]["login"] == "ghopper"
    assert "Grace Hopper" in stage.summary


def test_a_pull_request_closed_by_its_merge(
    host: RunnerHost, audited: ServiceDatabase, service: Service, story: Story
) -> None:
    payload = pull_request(merged=True)
    payload["number"] = 42
    payload["pull_request"] |= {"number": 42, "merge_commit_sha": story.variables["GITHUB_SHA"]}
    with serving(story.world, address=service.gateway) as github:
        stage = migrated(host, audited, github, story, event="pull_request", payload=payload)
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert_attributed(audited)
    assert len(story.world.comments) == 1


def test_a_token_that_may_not_comment(
    host: RunnerHost, audited: ServiceDatabase, service: Service, story: Story
) -> None:
    """As a fork's or Dependabot's: a warning names the permission, and the exit code is the migration's."""
    body = json.dumps({"message": "Resource not accessible by integration"})
    refused = Fault(on=r"POST .*/comments", status=403, body=body)
    with serving(story.world, address=service.gateway, faults=[refused]) as github:
        stage = migrated(host, audited, github, story)
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert_attributed(audited)
    assert story.world.comments == []
    assert "pull-requests: write" in stage.said("warning")
    assert "Ada Lovelace" in stage.summary
