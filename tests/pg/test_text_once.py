"""Is a message stored once however many commands it holds, and does its cost grow with its length alone?"""

from __future__ import annotations

import psycopg
import pytest
from servers import Database


def test_a_message_of_many_commands_is_stored_once(audited: Database) -> None:
    message = "create table t (a int);" + ";".join(f"comment on table t is 'remark {n}'" for n in range(500))
    with audited.connect() as session:
        session.execute(message.encode())
    texts = audited.rows("select count(query_text), min(query_text), max(message) from audit.ddl_audit")
    assert texts == [(1, message, 1)]
    assert audited.rows("select count(*), count(query_text) from audit.history") == [(501, 501)]


def test_the_trail_finds_its_place_by_its_key_however_small_it_was(audited: Database) -> None:
    """A plan is made once a session: one that reads a small table whole would do so when it has grown."""
    with audited.connect() as session:
        session.execute("create table t (a int)")
        session.execute("vacuum analyze audit.ddl_audit, audit.transaction_audit")
    with audited.connect() as session:
        session.execute("begin")
        for number in range(9):
            session.execute(f"comment on table t is '{number}'".encode())
        scans = session.execute(
            "select seq_scan from pg_stat_xact_all_tables where relid = 'audit.ddl_audit'::regclass"
        ).fetchall()
    assert scans == [(0,)]


def test_each_message_of_a_transaction_keeps_its_own_text(audited: Database) -> None:
    with audited.connect() as session:
        session.execute("begin")
        session.execute("create table a (x int); create table b (x int)")
        session.execute("savepoint s; create table lost (x int)")
        session.execute("rollback to s")
        session.execute("create table c (x int)")
        session.execute("commit")
    rows = audited.rows("select position, message, query_text from audit.history order by position")
    assert rows == [
        (1, 1, "create table a (x int); create table b (x int)"),
        (2, 1, "create table a (x int); create table b (x int)"),
        (3, 3, "create table c (x int)"),
    ]


def test_a_function_with_settings_of_its_own_is_in_the_same_transaction(audited: Database) -> None:
    """A transaction remembers where it stands in a setting, and what a function sets ends with it."""
    with audited.connect() as session:
        session.execute(
            "create function f() returns void language plpgsql set search_path = public set work_mem = '1MB'"
            " as $$ begin create table inner_1 (x int); create table inner_2 (x int); end $$"
        )
        session.execute("begin; select f()")
        session.execute("create table outer_1 (x int); savepoint s; create table lost (x int); rollback to s")
        session.execute("select set_config('audit.other', 'x', true)")
        session.execute("create table outer_2 (x int); commit")
    rows = audited.rows(
        "select object_identity, position, message from audit.history"
        " where query_text not like 'create function%' order by position"
    )
    assert rows == [
        ("public.inner_1", 1, 1),
        ("public.inner_2", 2, 1),
        ("public.outer_1", 3, 3),
        ("public.outer_2", 4, 4),
    ]
    assert audited.rows("select count(*) from audit.transaction_audit") == [(2,)]


def test_a_procedure_that_commits_keeps_the_text_with_each_transaction(audited: Database) -> None:
    with audited.connect() as session:
        session.execute(
            "create procedure p() language plpgsql as"
            " 'begin create table a (x int); commit; alter table a rename to b; end'"
        )
        session.execute("call p()")
    rows = audited.rows(
        "select object_identity, previous_identity, statement_text, query_text from audit.history"
        " where query_text = 'call p()' order by transaction_start, transaction_id, position"
    )
    assert rows == [
        ("public.a", None, "create table a (x int)", "call p()"),
        ("public.b", "public.a", "alter table a rename to b", "call p()"),
    ]


def test_prepared_statements_and_pipelines_store_each_statement(newest_audited: Database) -> None:
    with newest_audited.connect() as session, session.pipeline():
        session.execute("create table a (x int) /* 1 */", prepare=True)
        session.execute("create table b (x int) /* 2 */", prepare=True)
    rows = newest_audited.rows("select object_identity, query_text from audit.history order by event_time")
    assert rows == [
        ("public.a", "create table a (x int) /* 1 */"),
        ("public.b", "create table b (x int) /* 2 */"),
    ]


def test_many_grants_in_one_message_name_their_own_tables(newest_audited: Database) -> None:
    with newest_audited.connect() as session:
        session.execute(";".join(f"create table t{n} (x int)" for n in range(200)).encode())
        session.execute(";".join(f"grant select on t{n} to public" for n in range(200)).encode())
    rows = newest_audited.rows(
        "select object_identity, schema_name from audit.history where command_tag = 'GRANT' order by position"
    )
    assert rows == [(f"public.t{n}", "public") for n in range(200)]
    assert newest_audited.rows("select count(*) from audit.pending_grant") == [(0,)]


def test_grants_of_several_transactions_in_one_message_name_none_rather_than_the_wrong_one(
    newest_audited: Database,
) -> None:
    with newest_audited.connect() as session:
        session.execute("create table a (); create table b ()")
        session.execute("begin; grant insert on a to public; commit; grant update on b to public")
    named = newest_audited.rows("select object_identity from audit.history where command_tag = 'GRANT'")
    assert named == [(None,), (None,)]


def test_grants_of_one_transaction_in_one_message_name_their_tables(newest_audited: Database) -> None:
    with newest_audited.connect() as session:
        session.execute("create table a (); create table b ()")
        session.execute("begin; grant insert on a to public; grant update on b to public; commit")
    named = newest_audited.rows(
        "select object_identity from audit.history where command_tag = 'GRANT' order by position"
    )
    assert named == [("public.a",), ("public.b",)]


def test_a_message_that_takes_grants_back_names_none_rather_than_the_wrong_one(
    newest_audited: Database,
) -> None:
    with newest_audited.connect() as session:
        session.execute("create table a (x int); create table b (x int)")
        session.execute(
            "begin; savepoint s; grant select on a to public; rollback to s;"
            "grant select on b to public; commit"
        )
    rows = newest_audited.rows("select object_identity from audit.history where command_tag = 'GRANT'")
    assert rows == [(None,)]


def test_serializable_transactions_do_not_fail_each_other(audited: Database) -> None:
    first = audited.connect(autocommit=False)
    second = audited.connect(autocommit=False)
    for session in (first, second):
        session.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        session.execute("select 1")
    for number in range(3):
        first.execute(f"create table a{number} (x int)".encode())
        second.execute(f"create table b{number} (x int)".encode())
    first.commit()
    try:
        second.commit()
    except psycopg.errors.SerializationFailure:  # pragma: no cover
        pytest.fail("the trail made two transactions depend on each other")
    assert audited.rows("select count(*) from audit.history") == [(6,)]


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_a_session_that_forgets_its_settings_loses_nothing(newest_audited: Database, level: str) -> None:
    """What a transaction remembers of itself is in a setting, which anybody may overwrite."""
    with newest_audited.connect() as session:
        for turn, forget in enumerate(("reset all", "set local audit.standing = 'x y z'", "select 1")):
            session.execute(f"begin isolation level {level}".encode())
            session.execute(f"create table a{turn} (x int); create table b{turn} (x int)".encode())
            session.execute(forget.encode())
            session.execute(f"alter table a{turn} rename to c{turn}".encode())
            session.execute(f"drop table b{turn}; commit".encode())
    rows = newest_audited.rows(
        "select object_identity, previous_identity, query_text from audit.history"
        " order by event_time, position"
    )
    assert rows == [
        row
        for turn in range(3)
        for row in (
            (f"public.a{turn}", None, f"create table a{turn} (x int); create table b{turn} (x int)"),
            (f"public.b{turn}", None, f"create table a{turn} (x int); create table b{turn} (x int)"),
            (f"public.c{turn}", f"public.a{turn}", f"alter table a{turn} rename to c{turn}"),
            (f"public.b{turn}", None, f"drop table b{turn}; commit"),
        )
    ]
    kept = newest_audited.rows("select count(*), count(distinct transaction_id) from audit.transaction_audit")
    assert kept == [(5, 3)]  # two of the three are in two pieces


def test_keys_are_in_the_order_of_time(newest_audited: Database) -> None:
    with newest_audited.connect() as session:
        for number in range(20):
            session.execute(f"create table t{number} (x int)".encode())
    names = newest_audited.rows("select object_identity from audit.history order by transaction_audit_id")
    assert names == [(f"public.t{number}",) for number in range(20)]


def test_a_prepared_transaction_is_there_once_it_is_committed(audited: Database) -> None:
    with audited.connect() as session:
        for name, ending in (("kept", "commit"), ("lost", "rollback")):
            session.execute(
                f"begin; create table {name} (a int); prepare transaction '{audited.name}'".encode()
            )
            assert ("public." + name,) not in audited.rows("select object_identity from audit.history")
            session.execute(f"{ending} prepared '{audited.name}'".encode())
    assert audited.rows("select object_identity from audit.history") == [("public.kept",)]


def test_the_script_of_an_extension_leaves_one_row(audited: Database) -> None:
    available = audited.rows(
        "select name from pg_available_extensions where name in ('hstore', 'vector') limit 1"
    )
    with audited.connect() as session:
        session.execute(f"create extension {available[0][0]}".encode())
        session.execute(
            f"begin; drop extension {available[0][0]}; create table t (a int); drop table t; commit".encode()
        )
    rows = audited.rows(
        "select command_tag, object_identity from audit.history order by event_time, position"
    )
    assert rows == [
        ("CREATE EXTENSION", available[0][0]),
        ("DROP EXTENSION", available[0][0]),
        ("CREATE TABLE", "public.t"),
        ("DROP TABLE", "public.t"),
    ]
