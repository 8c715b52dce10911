"""Export mode: do the following steps of the job belong to the run, and does the job's end close it?"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from jobs import on_push
from runner_host import RunnerHost
from services import ServiceDatabase

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]


def following_step(host: RunnerHost, database: ServiceDatabase, statement: str, **env: str) -> None:
    """A `run:` step on the runner's machine: another address, the job's variables, and any client."""
    psql = shutil.which("psql")
    if psql is None:
        pytest.skip("NO psql ON THIS MACHINE: no step can follow")
    url = database.url.replace("@postgres:", f"@{database.address}:")
    variables = {"PATH": os.environ["PATH"], **host.job_env, **env, **host.exported}
    subprocess.run((psql, "-qX", url, "-c", statement), env=variables, check=True)


def test_the_following_steps_belong_to_the_run(host: RunnerHost, audited: ServiceDatabase) -> None:
    host.job_env = {"PGOPTIONS": r"-c search_path=public -c my.text=a\ b"}
    stage = on_push(host, database_url=audited.url).main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert set(stage.exported) == {"PGOPTIONS", "PGAPPNAME"}
    assert stage.exported["PGOPTIONS"].startswith(r"-c search_path=public -c my.text=a\ b -c audit.run_id=")
    assert stage.outputs["pgoptions"] == stage.exported["PGOPTIONS"]
    assert audited.rows("select status from audit.migration_run") == [("open",)]

    following_step(host, audited, "create table widget (id int)")
    [(delivery, run_id)] = audited.rows("select delivery, run_id::text from audit.history")
    assert (delivery, run_id) == ("session", stage.outputs["run-id"])

    [post] = host.end()
    assert post.exit_code == 0, post.stdout + post.stderr
    assert audited.rows("select status, exit_code from audit.migration_run") == [("succeeded", None)]
    assert "public.widget" in post.summary
    shown = [line for line in post.stdout.splitlines() if not line.startswith("::add-mask::")]
    assert audited.password not in "\n".join(shown)


@pytest.mark.parametrize(("job", "status"), [("failure", "failed"), ("cancelled", "cancelled")])
def test_the_run_ends_as_the_job_did(
    host: RunnerHost, audited: ServiceDatabase, job: str, status: str
) -> None:
    on_push(host, database_url=audited.url).main()
    host.status = job
    [post] = host.end()
    assert post.exit_code == 0, post.stdout + post.stderr
    assert audited.rows("select status from audit.migration_run") == [(status,)]


def test_fail_on_is_the_post_steps(host: RunnerHost, audited: ServiceDatabase) -> None:
    on_push(host, database_url=audited.url, fail_on="destructive").main()
    following_step(host, audited, "create table widget (id int); drop table widget")
    [post] = host.end()
    assert post.exit_code == 4
    assert "destructive" in post.said("error")


def test_two_uses_in_one_job(host: RunnerHost, audited: ServiceDatabase) -> None:
    """The second takes over; each ends its own run."""
    first = on_push(host, database_url=audited.url, environment="one").main()
    following_step(host, audited, "create table first (id int)")
    second = on_push(host, database_url=audited.url, environment="two").main()
    assert second.exit_code == 0, second.stdout + second.stderr
    assert second.exported["PGOPTIONS"].count("audit.run_id=") == 1
    assert second.exported["PGAPPNAME"] == f"schema-audit/{second.outputs['run-id']}"
    following_step(host, audited, "create table second (id int)")
    assert audited.rows(
        "select object_identity, environment from audit.history where object_type = 'table' order by 1"
    ) == [("public.first", "one"), ("public.second", "two")]
    posts = host.end()
    assert [post.exit_code for post in posts] == [0, 0]
    assert "public.second" in posts[0].summary
    assert "public.first" in posts[1].summary
    assert "public.second" not in posts[1].summary
    assert first.outputs["run-id"] != second.outputs["run-id"]
    assert audited.rows("select distinct status from audit.migration_run") == [("succeeded",)]


def test_wrapped_after_exported(host: RunnerHost, audited: ServiceDatabase) -> None:
    on_push(host, database_url=audited.url, environment="exported").main()
    command = 'psql "$DATABASE_URL" -qc "create table wrapped (id int)"'
    wrapped = on_push(host, database_url=audited.url, environment="wrapped", command=command).main()
    assert wrapped.exit_code == 0, wrapped.stdout + wrapped.stderr
    assert wrapped.exported == {}
    assert audited.rows("select distinct environment, delivery from audit.history") == [
        ("wrapped", "session")
    ]
    posts = host.end()
    assert [post.exit_code for post in posts] == [0, 0]
    assert posts[0].stdout == ""  # the wrapped run has ended; its post step has nothing to do
    assert audited.rows("select status, environment from audit.migration_run order by environment") == [
        ("succeeded", "exported"),
        ("succeeded", "wrapped"),
    ]


def test_urls_that_are_named_get_the_settings(host: RunnerHost, audited: ServiceDatabase) -> None:
    host.job_env = {"APP_URL": f"postgresql://app@{audited.address}/{audited.name}?sslmode=disable"}
    stage = on_push(host, database_url=audited.url, url_variables="APP_URL").main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert "audit.run_id" in stage.exported["APP_URL"]
    assert stage.exported["APP_URL"].startswith(f"postgresql://app@{audited.address}/{audited.name}?")
    assert "DATABASE_URL" not in stage.exported
    host.end()


def test_a_runner_that_takes_no_variables(host: RunnerHost, audited: ServiceDatabase) -> None:
    stage = on_push(host, database_url=audited.url).start(files_broken=True).wait()
    assert stage.exit_code == 2
    assert "give the migration as `command`" in stage.said("error")
    assert audited.rows("select status from audit.migration_run") == [("refused",)]
    [post] = host.end()
    assert post.exit_code == 0


def test_a_main_stage_that_was_refused_leaves_nothing_to_close(
    host: RunnerHost, audited: ServiceDatabase
) -> None:
    stage = on_push(host, database_url=audited.url, require_approvals="9").main()
    assert stage.exit_code == 3
    [post] = host.end()
    assert (post.exit_code, post.stdout) == (0, "")
