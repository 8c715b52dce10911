"""Does the whole flow end as it says, whatever happens on the way? The real entrypoint on a real database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from servers import Database

from audit_action import cli
from audit_action.demo.job import Step, run_step

CREATE = "psql -qv ON_ERROR_STOP=1 $DATABASE_URL -c 'create table public.t (id int)'"

Run = Callable[..., Step]


@pytest.fixture
def ci_database(newest_audited: Database) -> Database:
    """A database with the trail, and a login that may migrate `public` and record its runs."""
    with psycopg.connect(newest_audited.url(), autocommit=True) as connection:
        connection.execute("""do $$ begin
          if to_regrole('ci_user') is null then create role ci_user login in role audit_recorder; end if;
        end $$""")
        connection.execute("grant create on schema public to ci_user")
    return newest_audited


@pytest.fixture
def run(ci_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the action's step against `ci_database` as ci_user; keyword arguments are inputs."""
    monkeypatch.setenv("PATH", f"{ci_database.server.bin}{os.pathsep}{os.environ['PATH']}")
    workspace = tmp_path / "workspace"
    workspace.mkdir()

    def step(command: str, variables: dict[str, str] | None = None, **inputs: str) -> Step:
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        return run_step(
            tmp_path / "job",
            event="",
            inputs={"database-url": ci_database.url("ci_user"), "command": command, **given},
            variables={
                "GITHUB_REPOSITORY": "acme/shop",
                "GITHUB_EVENT_NAME": "workflow_dispatch",
                "GITHUB_SHA": "c0ffee" + "0" * 34,
                "GITHUB_REF": "refs/heads/main",
                **(variables or {}),
            },
            workspace=workspace,
        )

    return step


def runs(database: Database) -> list[tuple[str, int | None]]:
    return database.rows("select status, exit_code from audit.migration_run order by started_at")


def test_a_success_is_recorded_reported_and_handed_on(run: Run, ci_database: Database) -> None:
    step = run(CREATE, environment="production")
    assert step.exit_code == 0, step.log
    assert runs(ci_database) == [("succeeded", 0)]
    recorded = ci_database.rows(
        "select object_identity, delivery, run_id, repository, environment, head_sha "
        "from audit.history where run_id is not null"
    )
    run_id = recorded[0][2]
    assert recorded == [("public.t", "session", run_id, "acme/shop", "production", "c0ffee" + "0" * 34)]
    assert step.outputs["run-id"] == str(run_id)
    assert (step.outputs["status"], step.outputs["exit-code"], step.outputs["commands"]) == (
        "succeeded",
        "0",
        "1",
    )
    assert "public.t" in step.summary
    assert "public.t" in Path(step.outputs["report-markdown"]).read_text()
    assert json.loads(Path(step.outputs["report-json"]).read_text())["run_id"] == str(run_id)


@pytest.mark.parametrize("code", [1, 3, 70, 255])
def test_the_migrations_own_exit_code_is_ours(run: Run, ci_database: Database, code: int) -> None:
    step = run(f"{CREATE}; exit {code}")
    assert step.exit_code == code
    assert runs(ci_database) == [("failed", code)]
    assert step.outputs["status"] == "failed"
    assert "public.t" in step.summary


def test_a_pipeline_that_fails_in_the_middle_fails(run: Run) -> None:
    assert run("false | cat").exit_code == 1


def test_a_missing_trail_stops_before_anything_runs(run: Run, ci_database: Database, tmp_path: Path) -> None:
    with psycopg.connect(ci_database.url(), autocommit=True) as connection:
        connection.execute("drop schema audit cascade")
    step = run("touch ran")
    assert step.exit_code == 2
    assert "schema-audit install" in step.log
    assert not (tmp_path / "workspace" / "ran").exists()


def test_a_login_that_may_not_record_is_told_the_grant(run: Run, ci_database: Database) -> None:
    with psycopg.connect(ci_database.url(), autocommit=True) as connection:
        connection.execute("do $$ begin create role stranger login; exception when others then end $$")
    step = run("touch ran", database_url=ci_database.url("stranger"))
    assert step.exit_code == 2
    assert 'grant audit_recorder to "stranger"' in step.log


def test_an_unreachable_database_is_said_and_nothing_runs(run: Run, tmp_path: Path) -> None:
    step = run("touch ran", database_url="postgresql://ci_user@127.0.0.1:9/none?connect_timeout=2")
    assert step.exit_code == 2
    assert "cannot be reached" in step.log
    assert not (tmp_path / "workspace" / "ran").exists()


def test_a_missing_working_directory_refuses_the_run(run: Run, ci_database: Database) -> None:
    step = run("true", working_directory="nowhere")
    assert step.exit_code == 2
    assert runs(ci_database) == [("refused", None)]


def test_approvals_that_cannot_be_known_refuse_the_run(
    run: Run, ci_database: Database, tmp_path: Path
) -> None:
    step = run("touch ran", require_approvals="1")
    assert step.exit_code == 3
    assert "require-approvals is 1" in step.log
    assert runs(ci_database) == [("refused", None)]
    assert not (tmp_path / "workspace" / "ran").exists()


def test_fail_on_turns_a_success_into_exit_4_after_the_report(run: Run, ci_database: Database) -> None:
    step = run(f"{CREATE}; psql -q $DATABASE_URL -c 'drop table public.t'", fail_on="destructive")
    assert step.exit_code == 4
    assert runs(ci_database) == [("succeeded", 0)]
    assert step.outputs["destructive"] == "1"


def test_changes_outside_any_run_are_shown_once_on_the_next(run: Run, ci_database: Database) -> None:
    assert run("true").exit_code == 0
    with psycopg.connect(ci_database.url(), autocommit=True) as connection:
        connection.execute("create table public.by_hand (id int)")
    step = run("true", fail_on="unattributed")
    assert (step.exit_code, step.outputs["unattributed"]) == (4, "1")
    assert "public.by_hand" in step.summary
    assert run("true").outputs["unattributed"] == "0"


def test_a_change_that_is_committed_after_the_run_is_shown_by_the_next(
    run: Run, ci_database: Database
) -> None:
    assert run("true").exit_code == 0
    with psycopg.connect(ci_database.url()) as connection:
        connection.execute("create table public.by_hand (id int)")
        assert run("true").outputs["unattributed"] == "0"
    assert run("true").outputs["unattributed"] == "1"
    assert run("true").outputs["unattributed"] == "0"


def test_the_users_own_options_are_kept(run: Run) -> None:
    options = {"PGOPTIONS": "-c statement_timeout=4321"}
    step = run("psql -XAtq $DATABASE_URL -c 'show statement_timeout' -c 'show audit.run_id'", options)
    assert "4321ms" in step.log
    assert step.outputs["run-id"] in step.log


def test_options_in_the_url_do_not_lose_the_run(run: Run, ci_database: Database) -> None:
    url = ci_database.url("ci_user") + "?options=-c%20statement_timeout%3D4321"
    assert (
        run(f"psql -XAtq $DATABASE_URL -c 'show statement_timeout'; {CREATE}", database_url=url).exit_code
        == 0
    )
    assert ci_database.rows("select delivery from audit.history where run_id is not null") == [("session",)]


def test_no_secret_of_the_step_reaches_the_command_or_the_log(run: Run, ci_database: Database) -> None:
    url = ci_database.url("ci_user").replace("ci_user@", "ci_user:correct-horse-battery@")
    step = run("env; echo $DATABASE_URL", database_url=url)
    assert step.exit_code == 0, step.log
    assert not [
        line for line in step.log.splitlines() if "correct-horse" in line and "::add-mask::" not in line
    ]
    assert "INPUT_" not in step.log


def test_the_database_going_away_does_not_change_the_verdict(
    run: Run, ci_database: Database, tmp_path: Path
) -> None:
    """The migration succeeds and takes the trail's rights with it: the report says so, the code stays."""
    with psycopg.connect(ci_database.url(), autocommit=True) as connection:
        connection.execute(
            "do $$ begin create role helper superuser login; exception when others then end $$"
        )
    helper = ci_database.url("helper")
    step = run(f"psql -qv ON_ERROR_STOP=1 '{helper}' -c 'drop schema audit cascade'")
    assert step.exit_code == 0, step.log
    assert "could not be closed" in step.log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_job_closes_its_run(
    ci_database: Database, tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{ci_database.server.bin}{os.pathsep}{os.environ['PATH']}")
    root = Path(__file__).parent.parent
    process = subprocess.Popen(
        [root / ".venv/bin/python", "-Iu", root / "entrypoint.py"],
        env={
            "PATH": os.environ["PATH"],
            "INPUT_DATABASE-URL": ci_database.url("ci_user"),
            "INPUT_COMMAND": f"{CREATE}; touch started; sleep 60",
            "GITHUB_EVENT_NAME": "workflow_dispatch",
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_SHA": "c0ffee" + "0" * 34,
            "GITHUB_WORKSPACE": str(tmp_path),
        },
        cwd=tmp_path,
    )
    try:
        for _ in range(600):
            if (tmp_path / "started").exists():
                break
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(timeout=30) == 128 + number
    finally:
        process.kill()
        process.wait()
    assert runs(ci_database) == [("cancelled", 128 + number)]
    assert ci_database.rows("select object_identity from audit.history where run_id is not null") == [
        ("public.t",)
    ]


def test_every_run_is_sealed_and_its_digest_is_handed_on(
    run: Run, ci_database: Database, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """From the job summary alone one finds out that somebody changed the trail afterwards."""
    step = run(CREATE)
    digest = step.outputs["digest"]
    assert f"schema-audit verify --digest {digest}" in step.summary
    told = ["verify", "--database-url", ci_database.url("ci_user"), "--digest", digest]
    assert cli.main(told) == 0
    assert b"the digest that was kept outside is that of block" in capsysbinary.readouterr().out
    with psycopg.connect(ci_database.url(), autocommit=True) as admin:
        admin.execute("alter table audit.ddl_audit disable trigger append_only")
        admin.execute("update audit.ddl_audit set object_identity = 'public.other'")
    assert cli.main(told) == 1
    assert b"it was changed after it was sealed" in capsysbinary.readouterr().out
    assert cli.main([*told[:-1], "0" * 64]) == 1


def test_a_seal_that_fails_is_a_warning(run: Run, ci_database: Database) -> None:
    with psycopg.connect(ci_database.url()) as other:
        other.execute("lock table audit.block in share mode")
        step = run(CREATE)
    assert (step.exit_code, step.outputs["digest"]) == (0, "")
    assert "::warning::The trail could not be sealed; the next run seals this one too." in step.log
    assert run("true").outputs["digest"]
