"""How does a change find its migration run, and what does the trail say of who made it?"""

from __future__ import annotations

import json
import subprocess
import uuid
from typing import Any

import psycopg
import pytest
from servers import Database

from audit_action.demo.postgres import wheel_bin
from audit_action.trail import install_script


@pytest.fixture
def ci(newest_audited: Database) -> Database:
    """The database with a login `ci_<name>` that may begin runs and create tables."""
    login = f"ci_{newest_audited.name}"
    newest_audited.rows(
        f"create role {login} login; grant audit_recorder to {login};grant create on schema public to {login}"
    )
    return newest_audited


def begin(connection: psycopg.Connection[Any], **run: object) -> str:
    row = connection.execute("select audit.begin_run(%s)", [json.dumps(run)]).fetchone()
    assert row is not None
    return str(row[0])


def events(database: Database, columns: str) -> list[tuple[Any, ...]]:
    return database.rows(
        f"select object_identity, {columns} from audit.history where command_tag = 'CREATE TABLE'"
        " order by transaction_start, transaction_id, position"
    )


def test_a_name_that_a_session_began_with_stays_a_claim_when_its_run_has_expired(ci: Database) -> None:
    login = f"ci_{ci.name}"
    with ci.connect(login) as session:
        run = begin(session, expires_in=0.05)
        with ci.connect(login, application_name=f"schema-audit/{run}") as named:
            named.execute("select pg_sleep(0.1)")
            named.execute("set application_name = 'else'")
            named.execute("create table late (a int)")
    assert events(ci, "delivery, claimed_run_id, run_id") == [("public.late", "none", run, None)]


def test_the_four_ways(ci: Database) -> None:
    login = f"ci_{ci.name}"
    with ci.connect(login) as session:
        session.execute("create table before (a int)")
        run = begin(session, repository="o/r")
        session.execute("create table alone (a int)")
        with ci.connect(login, options=f"-c audit.run_id={run}") as claiming:
            claiming.execute("create table claimed (a int)")
        with ci.connect(login, application_name=f"schema-audit/{run}") as named:
            named.execute("create table named (a int)")
            named.execute("set application_name = 'else'; create table renamed (a int)")
        with ci.connect(login, options=f"-c audit.run_id={uuid.uuid4()}") as lying:
            lying.execute("create table lied (a int)")
        with ci.connect() as stranger:
            stranger.execute("create table strange (a int)")
            stranger.execute(f"set audit.run_id = '{run}'; create table foreign_run (a int)")
        second = begin(session)
        session.execute("create table either (a int)")
        for each in (run, second):
            session.execute(
                "select audit.finish_run(%s, %s)", [each, '{"status": "succeeded", "exit_code": 0}']
            )
        session.execute("create table after (a int)")
    assert events(ci, "delivery, ambiguous, run_id::text") == [
        ("public.before", "none", False, None),
        ("public.alone", "open_run", False, run),
        ("public.claimed", "session", False, run),
        ("public.named", "application_name", False, run),
        ("public.renamed", "application_name", False, run),
        ("public.lied", "none", False, None),
        ("public.strange", "none", False, None),
        ("public.foreign_run", "none", False, None),
        ("public.either", "none", True, None),
        ("public.after", "none", False, None),
    ]
    assert {row[1] for row in events(ci, "claimed_run_id") if row[0] == "public.foreign_run"} == {run}


def test_an_expired_run_collects_nothing_and_is_abandoned_by_the_next(ci: Database) -> None:
    with ci.connect(f"ci_{ci.name}") as session:
        run = begin(session, expires_in=0.01)
        session.execute("select pg_sleep(0.02)")
        session.execute("create table late (a int)")
        begin(session)
    assert events(ci, "delivery") == [("public.late", "none")]
    assert ci.rows("select status from audit.migration_run where id = %s", run) == [("abandoned",)]


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ('{"colour": 1}', "no field named colour"),
        ("[]", "JSON object"),
        ('{"authors": "me"}', "JSON array"),
        ('{"expires_in": -1}', "cannot expire before"),
        ('{"database_user": "postgres"}', "may not begin"),
    ],
)
def test_a_run_that_cannot_be_is_refused_with_a_sentence(ci: Database, run: str, says: str) -> None:
    with ci.connect(f"ci_{ci.name}") as session, pytest.raises(psycopg.Error, match=says):
        session.execute("select audit.begin_run(%s)", [run])


def test_a_run_is_finished_once_and_by_its_own_login(ci: Database) -> None:
    with ci.connect(f"ci_{ci.name}") as session:
        run = begin(session)
        with pytest.raises(psycopg.Error, match="without a status"):
            session.execute("select audit.finish_run(%s, '{}')", [run])
        with ci.connect() as superuser, pytest.raises(psycopg.Error, match="may not finish"):
            superuser.execute("select audit.finish_run(%s, %s)", [run, '{"status": "failed"}'])
        session.execute("select audit.finish_run(%s, %s)", [run, '{"status": "failed", "exit_code": 3}'])
        with pytest.raises(psycopg.Error, match="ended already"):
            session.execute("select audit.finish_run(%s, %s)", [run, '{"status": "succeeded"}'])
    rows = ci.rows("select status, exit_code, finished_at is not null from audit.migration_run")
    assert rows == [("failed", 3, True)]


def test_a_recorder_speaks_for_those_it_is_allowed_to(ci: Database) -> None:
    login, recorder = f"ci_{ci.name}", f"rec_{ci.name}"
    ci.rows(f"create role {recorder} login; grant audit_recorder to {recorder}")
    ci.rows(
        f"insert into audit.recorder_permission (recorder, database_user) values ('{recorder}', '{login}')"
    )
    with ci.connect(recorder) as recording, ci.connect(login) as migrating:
        run = begin(recording, database_user=login)
        migrating.execute("create table t (a int)")
        with pytest.raises(psycopg.Error, match="may not finish"):
            migrating.execute("select audit.finish_run(%s, %s)", [run, '{"status": "succeeded"}'])
        recording.execute("select audit.finish_run(%s, %s)", [run, '{"status": "succeeded"}'])
    assert events(ci, "run_id::text, login_user") == [("public.t", run, login)]


def test_the_login_shows_through_every_other_name(audited: Database) -> None:
    role = f"role_{audited.name}"
    audited.rows(f"create role {role} login; grant create on schema public to {role}")
    with audited.connect(application_name="psql") as session:
        session.execute(f"set role {role}; create table a (x int); reset role")
        session.execute(f"set session authorization {role}; create table b (x int)")
    with audited.connect(application_name="psql") as session:
        session.execute(f"set session authorization {role}")
        session.execute("create table c (x int)")
        session.execute("reset session authorization")
        session.execute("create table d (x int)")
    rows = events(audited, "database_user, role, login_user, application_name, host(client_address), pid > 0")
    assert rows == [
        ("public.a", "postgres", role, "postgres", "psql", "127.0.0.1", True),
        ("public.b", role, None, "postgres", "psql", "127.0.0.1", True),
        ("public.c", role, None, "postgres", "psql", "127.0.0.1", True),
        ("public.d", "postgres", None, "postgres", "psql", "127.0.0.1", True),
    ]


def test_a_login_that_is_renamed_has_its_new_name_from_then_on(audited: Database) -> None:
    before, after = f"before_{audited.name}", f"after_{audited.name}"
    audited.rows(f"create role {before} login; grant create on schema public to {before}")
    with audited.connect(before) as session:
        session.execute("create table a (x int)")
        audited.rows(f"alter role {before} rename to {after}")
        session.execute("create table b (x int)")
    assert events(audited, "login_user") == [("public.a", before), ("public.b", after)]


def test_times_are_those_of_the_transaction_and_of_the_command(newest_audited: Database) -> None:
    with newest_audited.connect() as session:
        session.execute("begin")
        session.execute("create table a (x int)")
        session.execute("select pg_sleep(0.05)")
        session.execute("create table b (x int); commit")
    rows = newest_audited.rows(
        "select count(distinct transaction_start), max(event_time) - min(event_time) >= '50ms',"
        " bool_and(event_time >= transaction_start) from audit.history"
    )
    assert rows == [(1, True, True)]


@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1", "SQL_ASCII"])
def test_names_beyond_ascii_arrive_whatever_the_encoding(new_database: Any, encoding: str) -> None:
    database: Database = new_database(f"template template0 encoding '{encoding}' locale 'C'")
    with database.connect() as connection:
        connection.execute(install_script())
    name = "José"
    options = f"-c audit.user_name={name} -c audit.user_email=j@x -c audit.authors={{broken -c audit.run_id=é"
    with database.connect(options=options) as session:
        session.execute("create table t (a int)")
    expected = name.encode("latin1" if encoding == "LATIN1" else "utf-8")
    with database.connect(client_encoding="SQL_ASCII") as reader:
        row = reader.execute("select application_user_name::bytea from audit.history").fetchone()
    assert row is not None
    assert bytes(row[0]) == expected


def test_bytes_that_are_no_text_stop_nothing(audited: Database) -> None:
    environment = {b"PGOPTIONS": b"-c audit.user_name=a\xff\xc3", b"PGDATABASE": audited.url().encode()}
    psql = wheel_bin(18) / "psql"
    subprocess.run([psql, "-Xqc", "create table t (a int)", audited.url()], env=environment, check=True)
    assert audited.rows("select application_user_name from audit.history") == [(r"a\377\303",)]


def test_settings_of_nine_kilobytes_stop_nothing(audited: Database) -> None:
    with audited.connect(options=f"-c audit.user_name={'x' * 4000} -c audit.authors={'[' * 5000}") as session:
        session.execute("create table t (a int)")
    assert audited.rows("select length(application_user_name) from audit.history") == [(4000,)]
