"""Is a run that could not be recorded stopped before anything runs, and is what weakens the trail told?"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from servers import Database

from audit_action.demo.job import Step, run_step

CREATE = "psql -qv ON_ERROR_STOP=1 $DATABASE_URL -c 'create table public.t (id int)'"


def as_superuser(database: Database, *statements: str) -> None:
    with psycopg.connect(database.url(), autocommit=True) as connection:
        for each in statements:
            connection.execute(each.encode())


@pytest.fixture
def database(newest_audited: Database) -> Database:
    as_superuser(
        newest_audited,
        "do $$ begin create role ci_user login; exception when others then end $$",
        "grant audit_recorder to ci_user",
        "grant create on schema public to ci_user",
    )
    return newest_audited


@pytest.fixture
def run(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Step]:
    """Runs the action's step as ci_user; keyword arguments are inputs."""
    monkeypatch.setenv("PATH", f"{database.server.bin}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "workspace").mkdir()

    def step(command: str, variables: dict[str, str] | None = None, **inputs: str) -> Step:
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        return run_step(
            tmp_path / "job",
            event="",
            inputs={"database-url": database.url("ci_user"), "command": command, **given},
            variables={
                "GITHUB_REPOSITORY": "acme/shop",
                "GITHUB_EVENT_NAME": "workflow_dispatch",
                "GITHUB_SHA": "c0ffee" + "0" * 34,
                "GITHUB_REF": "refs/heads/main",
                **(variables or {}),
            },
            workspace=tmp_path / "workspace",
        )

    return step


@pytest.mark.parametrize(
    "statement",
    [
        "alter event trigger track_schema_changes disable",
        "alter event trigger track_schema_drops enable replica",
        "drop event trigger track_table_rewrites",
    ],
)
def test_a_trail_that_is_asleep_stops_the_run(
    database: Database, run: Callable[..., Step], tmp_path: Path, statement: str
) -> None:
    as_superuser(database, statement)
    step = run("touch ran")
    assert step.exit_code == 2
    assert "is asleep, so nothing was run" in step.log
    assert "schema-audit install" in step.log
    assert not (tmp_path / "workspace" / "ran").exists()


def test_a_trigger_that_sleeps_in_replica_sessions_alone_is_a_warning(
    database: Database, run: Callable[..., Step]
) -> None:
    as_superuser(database, "alter event trigger track_schema_changes enable")
    step = run(CREATE)
    assert step.exit_code == 0
    assert "::warning title=The trail needs attention::event trigger track_schema_changes" in step.log


def test_another_version_of_the_trail_is_a_warning(database: Database, run: Callable[..., Step]) -> None:
    as_superuser(
        database,
        "insert into audit.installation select (jsonb_populate_record(i, jsonb_build_object("
        "'id', gen_random_uuid(), 'version', '0.0.1', 'installed_at', clock_timestamp()))).* "
        "from audit.installation i",
    )
    step = run(CREATE)
    assert step.exit_code == 0, step.log
    assert "is of version 0.0.1, this action of version" in step.log
    assert "schema-audit install" in step.log


def test_a_login_that_may_create_nothing_is_told_the_grant(
    database: Database, run: Callable[..., Step]
) -> None:
    as_superuser(database, "revoke create on schema public from ci_user")
    step = run("true")
    assert 'grant create on schema public to "ci_user"' in step.log
    as_superuser(database, "grant create on schema public to ci_user")
    assert "may create nothing" not in run("true").log


def test_a_role_that_may_be_set_counts_for_what_may_be_created(
    database: Database, run: Callable[..., Step]
) -> None:
    as_superuser(
        database,
        "revoke create on schema public from ci_user",
        "do $$ begin create role shop_owner; exception when others then end $$",
        "grant shop_owner to ci_user",
        "create schema shop authorization shop_owner",
    )
    assert "may create nothing" not in run("true").log
    as_superuser(database, "revoke shop_owner from ci_user")


def test_a_superuser_and_an_owner_of_the_trail_are_warned_of(
    database: Database, run: Callable[..., Step]
) -> None:
    step = run("true", database_url=database.url())
    assert "The login postgres is a superuser" in step.log
    as_superuser(
        database,
        "do $$ begin create role trail_admin login; exception when others then end $$",
        "grant audit_owner, audit_recorder to trail_admin",
    )
    assert (
        "is a member of the role that owns the trail"
        in run("true", database_url=database.url("trail_admin")).log
    )


def test_the_rights_that_count_are_those_of_the_login_that_migrates(
    database: Database, run: Callable[..., Step]
) -> None:
    as_superuser(
        database,
        "do $$ begin create role recorder_only login; exception when others then end $$",
        "grant audit_recorder to recorder_only",
        "insert into audit.recorder_permission (recorder, database_user) values ('recorder_only', 'ci_user')",
    )
    step = run(CREATE, audit_database_url=database.url("recorder_only"))
    assert step.exit_code == 0, step.log
    assert "may create nothing" not in step.log
    assert database.rows("select delivery from audit.history where command_tag = 'CREATE TABLE'") == [
        ("session",)
    ]


def test_a_command_that_sets_the_run_or_the_person_itself_is_flagged(
    database: Database, run: Callable[..., Step]
) -> None:
    def psql(*statements: str) -> str:
        return "psql -qv ON_ERROR_STOP=1 $DATABASE_URL " + " ".join(f'-c "{each}"' for each in statements)

    step = run(
        "; ".join(
            [
                psql("set audit.user_name = 'Eve'", "create table public.forged (id int)"),
                psql("set audit.run_id = 'nonsense'", "create table public.kept (id int)"),
                psql(
                    "set audit.run_id = 'nonsense'",
                    "set application_name = 'x'",
                    "create table public.kept_by_its_first_name (id int)",
                ),
                "env -u PGOPTIONS -u PGAPPNAME " + psql("create table public.silent (id int)"),
            ]
        )
    )
    assert step.exit_code == 0, step.log
    rows = database.rows(
        "select object_identity, delivery, run_id is not null from audit.history "
        "where command_tag = 'CREATE TABLE' order by event_time"
    )
    assert rows == [
        ("public.forged", "session", True),
        ("public.kept", "application_name", True),
        ("public.kept_by_its_first_name", "application_name", True),
        ("public.silent", "open_run", True),
    ]
    assert (
        "1 change of this run came in sessions whose audit.user_name was not what they were told"
        in step.summary
    )
    assert "2 changes of this run came in sessions whose audit.run_id was not" in step.summary
    assert "1 change came in sessions that claim no run, beside others that claim this one" in step.summary


def test_changes_that_claim_a_run_of_nobody_are_counted(database: Database, run: Callable[..., Step]) -> None:
    step = run(
        "env -u PGAPPNAME psql -q $DATABASE_URL -c \"set audit.run_id = 'nonsense'\" "
        "-c 'create table public.t ()'"
    )
    assert database.rows("select delivery from audit.history where command_tag = 'CREATE TABLE'") == [
        ("none",)
    ]
    assert "also made 1 change in sessions that claim the run nonsense, which is not open" in step.summary


def test_a_killed_jobs_run_is_abandoned_by_the_next_and_keeps_its_changes(
    database: Database, run: Callable[..., Step]
) -> None:
    with database.connect("ci_user") as connection:
        row = connection.execute("select audit.begin_run('{\"expires_in\": 0.6}')").fetchone()
        assert row is not None
        connection.execute("create table public.before_the_kill (id int)")
        connection.execute("select pg_sleep(0.7)")
        connection.execute("create table public.when_expired (id int)")
    step = run(CREATE, timeout_minutes="30")
    assert step.exit_code == 0, step.log
    assert f"The migration run {row[0]}" in step.log
    assert "closed as abandoned" in step.log
    assert database.rows(
        "select object_identity, run_status from audit.history "
        "where command_tag = 'CREATE TABLE' order by event_time"
    ) == [
        ("public.before_the_kill", "abandoned"),
        ("public.when_expired", None),
        ("public.t", "succeeded"),
    ]
    (expires,) = database.rows(
        "select extract(epoch from expires_at - started_at) from audit.migration_run "
        "where status = 'succeeded'"
    )[0]
    assert round(expires) == 30 * 60 + 600


def test_an_earlier_attempt_of_the_same_workflow_run_is_over(
    database: Database, run: Callable[..., Step]
) -> None:
    begin = "select audit.begin_run(%s)"
    with database.connect("ci_user") as connection:
        connection.execute(begin, ['{"repository": "acme/shop", "run_id": 7, "run_attempt": 1}'])
        connection.execute(begin, ['{"repository": "acme/other", "run_id": 7, "run_attempt": 1}'])
    step = run(CREATE, {"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "2"})
    assert step.exit_code == 0, step.log
    assert database.rows("select repository, status from audit.migration_run order by started_at") == [
        ("acme/shop", "abandoned"),
        ("acme/other", "open"),
        ("acme/shop", "succeeded"),
    ]
