"""Is there one comment for each key, whatever fails and whoever else writes at the same moment?"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from threading import Barrier, Thread

import pytest
from graphql import build_schema

from audit_action.demo.github import SCHEMA, Fault, Served, serving
from audit_action.demo.told import Account, Comment
from audit_action.demo.world import World
from audit_action.errors import CannotComment, CommentTooLong
from audit_action.github_api import GitHub

REPOSITORY = "brickyard/shop"
ADA = Account(login="ada", id=1, name="Ada", email="ada@brickyard.example")
FORBIDDEN = json.dumps({"message": "Resource not accessible by integration"})
NEEDS = {"X-Accepted-GitHub-Permissions": "issues=write; pull_requests=write"}
POST, PATCH, DELETE = "POST .*/comments", "PATCH .*/comments", "DELETE .*/comments"


@pytest.fixture
def world() -> World:
    told = World(REPOSITORY, ADA)
    first = told.commit(ADA, "Begin")
    told.open(ADA, "One", [told.commit(ADA, "One", first)])
    return told


def served(world: World, *faults: Fault, page_size: int = 100) -> AbstractContextManager[Served]:
    return serving(world, faults=faults, page_size=page_size)


def write(
    server: Served,
    body: str = "the report",
    *,
    key: str = "production/shop",
    run: int = 1,
    attempt: int = 1,
) -> str:
    github = GitHub(token="t", api_url=server.api_url, timeout=5)
    return github.upsert_comment(REPOSITORY, 1, key=key, body=body, run_id=run, run_attempt=attempt)


def bodies(world: World) -> list[str]:
    """The comments without their markers."""
    return [each.body.partition("\n")[2] or each.body for each in world.comments]


def remark(world: World, by: Account, body: str) -> None:
    world.comments.append(Comment(id=world.new_id(), pull=1, by=by, body=body, at=world.tick()))


def marker(run: int, *, attempt: int = 1, key: str = "production/shop") -> str:
    return f'<!-- schema-audit-action:v1 {{"key": "{key}", "run": {run}, "attempt": {attempt}}} -->'


def test_the_first_run_writes_and_the_next_edits(world: World) -> None:
    with served(world) as server:
        first = write(server, "one")
        second = write(server, "two", run=2)
    assert first == second == f"https://github.com/{REPOSITORY}/pull/1#issuecomment-{world.comments[0].id}"
    assert bodies(world) == ["two"]
    assert world.comments[0].body.startswith(marker(2))
    assert [each.method for each in server.log] == ["POST", "POST", "POST", "POST", "PATCH"]  # 3 are queries


def test_each_key_has_its_own(world: World) -> None:
    with served(world) as server:
        write(server, "production")
        write(server, "staging", key="staging/shop")
        write(server, "production, again", run=2)
    assert bodies(world) == ["production, again", "staging"]


def test_a_comment_on_a_later_page_is_found(world: World) -> None:
    for number in range(7):
        remark(world, ADA, f"remark {number}")
    with served(world, page_size=3) as server:
        write(server, "one")
        write(server, "two", run=2)
    assert bodies(world)[7:] == ["two"]


def test_a_marker_of_somebody_else_is_not_ours(world: World) -> None:
    remark(world, ADA, f"{marker(9)}\nmine, says Ada")
    with served(world) as server:
        write(server, "ours")
    assert bodies(world) == ["mine, says Ada", "ours"]


@pytest.mark.parametrize(
    "first_line", ["<!-- schema-audit-action:v1 {broken -->", "<!-- schema-audit-action:v1 -->", "x"]
)
def test_a_broken_marker_is_no_marker(first_line: str, world: World) -> None:
    remark(world, world.viewer, f"{first_line}\nold")
    with served(world) as server:
        write(server, "new")
    assert bodies(world) == ["old", "new"]


@pytest.mark.parametrize(("run", "attempt"), [(5, 1), (4, 3)])
def test_an_older_run_leaves_the_comment_of_a_later_one(run: int, attempt: int, world: World) -> None:
    remark(world, world.viewer, f"{marker(5, attempt=2)}\nlater")
    with served(world) as server:
        assert write(server, "older", run=run, attempt=attempt).endswith(str(world.comments[0].id))
    assert bodies(world) == ["later"]


def test_of_several_the_oldest_is_kept(world: World) -> None:
    for number in (1, 2, 3):
        remark(world, world.viewer, f"{marker(number)}\n{number}")
    oldest = world.comments[0].id
    with served(world) as server:
        write(server, "new", run=4)
    assert [(each.id, each.body.partition("\n")[2]) for each in world.comments] == [(oldest, "new")]


def test_runs_at_the_same_moment_leave_one(world: World) -> None:
    start = Barrier(4)

    def run(number: int) -> None:
        start.wait()
        write(server, f"run {number}", run=number)

    with served(world, Fault(on=POST, seconds=0.3)) as server:
        threads = [Thread(target=run, args=(number,)) for number in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        write(server, "the last word", run=9)
    assert bodies(world) == ["the last word"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_that_failed_too_late_is_not_repeated(status: int, world: World) -> None:
    with served(world, Fault(on=POST, status=status, body="{}", times=1, done=True)) as server:
        write(server)
    assert bodies(world) == ["the report"]
    assert server.count(POST) == 1


def test_a_write_that_failed_in_time_is_done_once_more(world: World) -> None:
    with served(world, Fault(on=POST, status=502, body="{}", times=1)) as server:
        write(server)
    assert bodies(world) == ["the report"]
    assert server.count(POST) == 2


def test_a_key_cannot_leave_the_marker(world: World) -> None:
    hostile = 'x --> <img src=x> "}\n'
    with served(world) as server:
        write(server, "one", key=hostile)
        write(server, "two", key=hostile, run=2)
    assert bodies(world) == ["two"]
    assert world.comments[0].body.partition("\n")[0].count(">") == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(on=POST, status=403, body=FORBIDDEN, headers=NEEDS), "pull-requests: write"),
        (Fault(on="Comments", status=403, body=FORBIDDEN), "pull-requests: write"),
        (Fault(on=POST, status=404, body='{"message": "Not Found"}'), "pull-requests: write"),
        (Fault(on=POST, status=401, body='{"message": "Bad credentials"}'), "token is not valid"),
        (Fault(on=POST, status=502, body="{}"), "GitHub failed (502)"),
        (Fault(on=POST, status=201, body="[]"), "could not be read"),
        (Fault(on="Comments", body="[]"), "no data"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_sentence(fault: Fault, said: str, world: World) -> None:
    with served(world, fault) as server, pytest.raises(CannotComment) as raised:
        write(server)
    assert str(raised.value).startswith("The comment on pull request #1 could not be written: ")
    assert said in str(raised.value)


def test_a_locked_conversation_is_named(world: World) -> None:
    world.pulls[1].locked = True
    with served(world) as server, pytest.raises(CannotComment, match="conversation is locked"):
        write(server)


def test_a_comment_that_is_too_long_is_refused_with_github_s_reason(world: World) -> None:
    with served(world) as server, pytest.raises(CommentTooLong, match="422"):
        write(server, "x" * 70_000)


@pytest.mark.parametrize("viewer", [ADA, None])
def test_an_older_server_lists_comments_by_rest(viewer: Account | None, world: World) -> None:
    world.viewer = viewer or world.viewer
    schema = build_schema(SCHEMA.read_text().replace("viewerDidAuthor: Boolean!", ""))
    remark(world, Account(login="eve", id=9), f"{marker(9)}\nsomebody else's")
    with serving(world, schema=schema, page_size=2) as server:
        write(server, "one")
        write(server, "two", run=2)
    assert bodies(world) == ["somebody else's", "two"]
