"""Does the report reach the pull request, whatever GitHub says to it, and never change the step's verdict?"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest
from servers import Database

from audit_action.demo.github import Fault, Served, serving
from audit_action.demo.job import Step, run_step
from audit_action.demo.story import GRACE, MARGARET, REPOSITORY, Story, tell
from audit_action.demo.world import World

CREATE = "psql -qv ON_ERROR_STOP=1 $DATABASE_URL -c 'create table public.t (id int)'"
TOO_LONG = json.dumps(
    {
        "message": "Validation Failed",
        "errors": [{"code": "custom", "message": "body is too long (maximum is 65536 characters)"}],
    }
)

Deploy = Callable[..., tuple[Step, Served]]


@pytest.fixture
def deploy(newest_audited: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Runs the step for the demo's story on a fresh database, against a GitHub with these faults."""
    monkeypatch.setenv("PATH", f"{newest_audited.server.bin}{os.pathsep}{os.environ['PATH']}")

    def run(
        story: Story, faults: Sequence[Fault] = (), command: str = CREATE, **inputs: str
    ) -> tuple[Step, Served]:
        with serving(story.world, faults=faults, page_size=2) as github:
            step = run_step(
                tmp_path,
                event=story.event,
                inputs={
                    "database-url": newest_audited.url(),
                    "command": command,
                    "environment": "production",
                    "github-token": "t",
                    **{name.replace("_", "-"): value for name, value in inputs.items()},
                },
                variables={**story.variables, "GITHUB_API_URL": github.api_url},
                workspace=tmp_path,
            )
        return step, github

    return run


def test_a_push_is_told_on_the_pull_request_that_it_merged(deploy: Deploy) -> None:
    story = tell()
    step, _ = deploy(story)
    assert step.exit_code == 0, step.log
    [comment] = story.world.comments
    assert comment.pull == 42
    assert '"key": "production/' in comment.body.splitlines()[0]
    for name in ("Margaret Hamilton", "Katherine Johnson", "Ada Lovelace", "Grace Hopper", "Barbara Liskov"):
        assert name in comment.body
        assert name in step.summary
    assert step.outputs["comment-url"].endswith(f"#issuecomment-{comment.id}")
    assert [each["person"]["name"] for each in json.loads(step.outputs["authors"])][2] == "Ada Lovelace"
    assert json.loads(step.outputs["merger"])["person"]["login"] == "ghopper"


def test_a_second_run_brings_the_same_comment_up_to_date(deploy: Deploy) -> None:
    story = tell()
    assert deploy(story, command="exit 3")[0].exit_code == 3
    assert "public.t" not in story.world.comments[0].body
    story.variables["GITHUB_RUN_ATTEMPT"] = "2"
    deploy(story)
    [comment] = story.world.comments
    assert "public.t" in comment.body


def test_a_comment_that_github_finds_too_long_is_told_shorter(deploy: Deploy) -> None:
    story = tell()
    step, github = deploy(story, [Fault(on=r"POST .*/comments", status=422, body=TOO_LONG, times=1)])
    assert step.exit_code == 0
    [comment] = story.world.comments
    assert github.count(r"POST .*/comments") == 2
    assert "```sql" in step.summary
    assert "```sql" not in comment.body


@pytest.mark.parametrize(
    ("status", "said"),
    [(403, "pull-requests: write"), (404, "could not be written"), (422, "could not be written")],
)
def test_a_comment_that_cannot_be_written_is_a_warning(deploy: Deploy, status: int, said: str) -> None:
    story = tell()
    refused = json.dumps({"message": "Resource not accessible by integration"})
    step, _ = deploy(story, [Fault(on=r"POST .*/comments", status=status, body=refused, times=99)])
    assert step.exit_code == 0
    assert said in step.log
    assert "public.t" in step.summary
    assert step.outputs["comment-url"] == ""


def test_no_comment_is_written_where_none_is_wanted(deploy: Deploy) -> None:
    story = tell()
    step, github = deploy(story, pr_comment="false")
    assert step.exit_code == 0
    assert github.count("comments") == 0
    assert not story.world.comments


def test_no_summary_is_written_where_none_is_wanted(deploy: Deploy) -> None:
    step, _ = deploy(tell(), job_summary="false")
    assert step.summary == ""


def test_the_trail_holds_everybody(deploy: Deploy, newest_audited: Database) -> None:
    deploy(tell())
    rows = newest_audited.rows("""
        select
          authors -> 2 #>> '{person,name}',
          authors -> 2 -> 'roles' ->> 0,
          mergers -> 0 #>> '{person,login}',
          reviewers -> 0 ->> 'state',
          reviewers -> 1 ->> 'state',
          pull_requests -> 0 ->> 'number'
        from audit.history
        where run_id is not null
    """)
    assert rows == [("Ada Lovelace", "co-author", "ghopper", "DISMISSED", "APPROVED", "42")]


def test_approvals_of_the_story_are_enough_for_one_and_not_for_two(deploy: Deploy) -> None:
    step, _ = deploy(tell(), require_approvals="2")
    assert step.exit_code == 3
    assert "has 1 of 2 required approvals" in step.log
    assert deploy(tell(), require_approvals="1")[0].exit_code == 0
    again, _ = deploy(tell(), require_approvals="2", command="true")
    assert again.exit_code == 0, "nothing new is deployed"


def test_the_session_settings_name_the_people(deploy: Deploy, newest_audited: Database) -> None:
    step, _ = deploy(
        tell(), command="psql -XAtq $DATABASE_URL -c 'show audit.authors' -c 'show audit.pull_requests'"
    )
    printed = step.log.splitlines()
    authors = next(json.loads(line) for line in printed if line.startswith('[{"'))
    assert [each["name"] for each in authors] == ["Margaret Hamilton", "Katherine Johnson", "Ada Lovelace"]
    assert "42" in printed
    with psycopg.connect(newest_audited.url()) as connection:
        row = connection.execute("select status from audit.migration_run").fetchone()
    assert row == ("succeeded",)


def test_an_index_that_blocked_a_table_with_rows_is_a_danger(
    deploy: Deploy, newest_audited: Database
) -> None:
    with psycopg.connect(newest_audited.url(), autocommit=True) as connection:
        connection.execute("create table public.big as select generate_series(1, 5000) as id")
        connection.execute("analyze public.big")
    step, _ = deploy(tell(), command="psql -q $DATABASE_URL -c 'create index on public.big (id)'")
    assert "about 5,000 rows) without CONCURRENTLY" in step.log


def test_a_preview_of_a_pull_request_becomes_its_deployment_in_one_comment(deploy: Deploy) -> None:
    world = World(REPOSITORY, MARGARET, GRACE)
    before = world.commit(GRACE, "Serve the storefront")
    pull = world.open(MARGARET, "Create t", [world.commit(MARGARET, "Create t", before)])
    payload = {
        "action": "synchronize",
        "number": pull.number,
        "pull_request": {
            "number": pull.number,
            "merged": False,
            "head": {"sha": pull.commits[-1]},
            "base": {"sha": before},
        },
    }
    job = {**tell().variables, "GITHUB_SHA": pull.commits[-1]}
    preview = {**job, "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": f"refs/pull/{pull.number}/merge"}
    step, _ = deploy(
        Story(world=world, event=json.dumps(payload), variables={**preview, "GITHUB_RUN_ID": "1"})
    )
    assert step.exit_code == 0, step.log
    previewed = world.comments[0].body
    assert "not merged" in previewed.lower() or "preview" in previewed.lower()

    merge = world.merge(pull, GRACE, before)
    push = json.dumps(
        {"ref": "refs/heads/main", "before": before, "after": merge, "head_commit": {"id": merge}}
    )
    pushed = {**job, "GITHUB_SHA": merge, "GITHUB_RUN_ID": "2"}
    step, _ = deploy(Story(world=world, event=push, variables=pushed), command="true")
    assert step.exit_code == 0, step.log
    [comment] = world.comments
    assert comment.body != previewed
    assert "preview" not in comment.body.lower()

    deploy(
        Story(world=world, event=json.dumps(payload), variables={**preview, "GITHUB_RUN_ID": "1"}),
        command="true",
    )
    assert world.comments[0].body == comment.body, "an older run does not overwrite what was applied"
