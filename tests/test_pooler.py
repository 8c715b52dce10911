"""Does a run find its changes through a real PgBouncer in transaction mode, and never somebody else's?"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from servers import Database

from audit_action.demo.job import Step, run_step
from audit_action.url_options import with_options
from compat.pooler import NoPgBouncer, pooling

CREATE = "psql -qv ON_ERROR_STOP=1 $DATABASE_URL -c 'create table public.t (id int)'"
SHA = "c0ffee" + "0" * 34


@pytest.fixture
def database(newest_audited: Database) -> Database:
    """A database with the trail that ci_user may migrate."""
    with psycopg.connect(newest_audited.url(), autocommit=True) as connection:
        connection.execute("do $$ begin create role ci_user login; exception when others then end $$")
        connection.execute("grant audit_recorder to ci_user")
        connection.execute("grant create on schema public to ci_user")
    return newest_audited


def behind(database: Database, **given: str) -> Iterator[str]:
    try:
        with pooling(database.server, users=["ci_user"], **given) as server:
            yield server.url(database.name, "ci_user")
    except NoPgBouncer as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"there is no PgBouncer here: apt-get install pgbouncer {problem}")


@pytest.fixture
def refusing(database: Database) -> Iterator[str]:
    """A URL through a PgBouncer that refuses startup options: its default."""
    yield from behind(database)


@pytest.fixture
def dropping(database: Database) -> Iterator[str]:
    """A URL through a PgBouncer that drops startup options."""
    yield from behind(database, ignore="extra_float_digits,options")


@pytest.fixture(autouse=True)
def psql_is_found(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{database.server.bin}{os.pathsep}{os.environ['PATH']}")


def step(
    folder: Path, url: str, command: str, variables: dict[str, str] | None = None, **inputs: str
) -> Step:
    (folder / "workspace").mkdir(exist_ok=True)
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    return run_step(
        folder / "job",
        event=json.dumps(
            {
                "ref": "refs/heads/main",
                "before": "b" * 40,
                "after": SHA,
                "commits": [
                    {
                        "id": SHA,
                        "message": "m",
                        "timestamp": "2026-11-20T10:00:00Z",
                        "author": {"name": "Ada 名", "email": "ada@example.org"},
                        "committer": {"name": "Ada 名", "email": "ada@example.org"},
                        "distinct": True,
                    }
                ],
                "repository": {"full_name": "acme/shop"},
                "sender": {"login": "ada"},
            }
        ),
        inputs={"database-url": url, "command": command, **given},
        variables={
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_SHA": SHA,
            "GITHUB_REF": "refs/heads/main",
            **(variables or {}),
        },
        workspace=folder / "workspace",
    )


def deliveries(database: Database) -> list[tuple[str, bool, bool]]:
    return database.rows(
        "select delivery, ambiguous, run_id is not null from audit.history "
        "where command_tag = 'CREATE TABLE' order by event_time"
    )


def test_where_options_are_refused_the_name_carries_the_run(
    database: Database, refusing: str, tmp_path: Path
) -> None:
    done = step(tmp_path, refusing, f"{CREATE}; echo options=$PGOPTIONS")
    assert done.exit_code == 0, done.log
    assert "unsupported startup parameter" in done.log
    assert "the application's name, which PGAPPNAME carries, tells the run" in done.log
    assert "options=\n" in done.log
    assert deliveries(database) == [("application_name", False, True)]


def test_where_options_are_dropped_the_name_carries_the_run(
    database: Database, dropping: str, tmp_path: Path
) -> None:
    done = step(tmp_path, dropping, CREATE)
    assert done.exit_code == 0, done.log
    assert "as behind a pooler that drops them" in done.log
    assert deliveries(database) == [("application_name", False, True)]


@pytest.mark.parametrize("way", ["refusing", "dropping"])
def test_require_session_refuses_a_run_behind_a_pooler(
    database: Database, way: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    done = step(tmp_path, request.getfixturevalue(way), "touch ran", delivery="require-session")
    assert done.exit_code == 2, done.log
    assert "give the database's own address" in done.log.lower()
    assert not (tmp_path / "workspace" / "ran").exists()
    assert database.rows("select status from audit.migration_run") == [("refused",)]


def test_require_session_lets_a_direct_run_pass(database: Database, tmp_path: Path) -> None:
    done = step(tmp_path, database.url("ci_user"), CREATE, delivery="require-session")
    assert done.exit_code == 0, done.log
    assert deliveries(database) == [("session", False, True)]


def test_a_client_that_drops_every_setting_belongs_to_the_only_open_run(
    database: Database, refusing: str, tmp_path: Path
) -> None:
    done = step(tmp_path, refusing, CREATE.replace("psql", "env -u PGAPPNAME psql", 1))
    assert done.exit_code == 0, done.log
    assert deliveries(database) == [("open_run", False, True)]
    assert "only open run of the login ci_user" in done.summary


def test_url_variables_behind_a_pooler_that_refuses_options_are_left_as_they_were(
    database: Database, refusing: str, tmp_path: Path
) -> None:
    """The direct URL has them, the pooled one has not: whatever its form, it must go on working."""
    place = refusing.partition("@")[2]
    variables = {
        "DIRECT_URL": f"{database.url('ci_user')}?connect_timeout=9",
        "POOLED_URL": refusing,
        "JDBC_URL": f"jdbc:postgresql://{place}?ssl=false&prepareThreshold=0",
    }
    command = f"{CREATE.replace('$DATABASE_URL', '$DIRECT_URL')}; echo PGOPTIONS=$PGOPTIONS"
    direct = step(tmp_path, database.url("ci_user"), command, variables, url_variables=" ".join(variables))
    assert direct.exit_code == 0, direct.log
    assert "behind POOLED_URL refuses the session settings" in direct.log
    assert "behind JDBC_URL refuses the session settings" in direct.log
    assert "behind DIRECT_URL" not in direct.log
    assert "PGOPTIONS=\n" in direct.log
    assert deliveries(database) == [("session", False, True)]


def begin(database: Database) -> UUID:
    with database.connect("ci_user") as connection:
        row = connection.execute("select audit.begin_run('{}')").fetchone()
    assert row is not None
    run_id: UUID = row[0]
    return run_id


def named(url: str, name: str) -> str:
    return f"{url}?application_name={name}"


def change(url: str, table: str) -> None:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute(f"create table public.{table} (id int)".encode())


def found(database: Database) -> list[tuple[UUID | None, str, bool]]:
    return database.rows(
        "select run_id, delivery, ambiguous from audit.history where command_tag = 'CREATE TABLE' "
        "order by event_time"
    )


def test_two_runs_at_once_are_told_apart_by_the_name_that_a_session_began_with(database: Database) -> None:
    first, second = begin(database), begin(database)
    url = database.url("ci_user")
    change(named(url, f"schema-audit/{first}"), "a")
    change(named(url, f"schema-audit/{second}%20worker"), "b")
    change(url, "c")
    assert found(database) == [
        (first, "application_name", False),
        (second, "application_name", False),
        (None, "none", True),
    ]


def test_two_runs_at_once_through_a_transaction_pooler_are_ambiguous_and_keep_their_claims(
    database: Database, refusing: str
) -> None:
    """PgBouncer leaves one client's name on the server connection, and a client without one inherits it."""
    first, _ = begin(database), begin(database)
    change(named(refusing, f"schema-audit/{first}"), "a")
    change(refusing, "b")
    assert found(database) == [(None, "none", True)] * 2
    claims = database.rows(
        "select distinct claimed_run_id from audit.history where command_tag = 'CREATE TABLE'"
    )
    assert claims == [(str(first),)]


def test_the_name_of_a_run_that_has_ended_on_a_pooled_connection_is_no_claim(
    database: Database, refusing: str
) -> None:
    first = begin(database)
    change(named(refusing, f"schema-audit/{first}"), "a")
    with database.connect("ci_user") as connection:
        connection.execute('select audit.finish_run(%s, \'{"status": "succeeded"}\')', [first])
    second = begin(database)
    change(refusing, "b")
    assert found(database) == [(first, "application_name", False), (second, "open_run", False)]


def test_a_run_beside_another_says_so_before_and_after(
    database: Database, refusing: str, tmp_path: Path
) -> None:
    other = begin(database)
    silent = CREATE.replace("psql", "env -u PGAPPNAME psql", 1)
    done = step(tmp_path, refusing, f"{CREATE.replace('public.t', 'public.named')}; {silent}")
    assert done.exit_code == 0, done.log
    assert str(other) in done.log
    assert "of the same login is open too" in done.log
    assert deliveries(database) == [("none", True, False)] * 2
    assert "Whose they are is not known" in done.summary


def test_options_in_the_url_are_refused_and_left_out_too(
    database: Database, refusing: str, tmp_path: Path
) -> None:
    """Through this pooler the user's own options break every connection, ours or not: it is said at once."""
    done = step(tmp_path, with_options(refusing, "-c statement_timeout=9s"), "touch ran")
    assert done.exit_code == 2
    assert "unsupported startup parameter" in done.log
    assert not (tmp_path / "workspace" / "ran").exists()


def test_nothing_sticks_to_a_pooled_connection_when_a_run_has_ended(
    database: Database, dropping: str, tmp_path: Path
) -> None:
    assert step(tmp_path, dropping, CREATE).exit_code == 0
    with closing(psycopg.connect(dropping, autocommit=True, prepare_threshold=None)) as connection:
        connection.execute("create table public.later (id int)")
    assert deliveries(database)[-1] == ("none", False, False)
