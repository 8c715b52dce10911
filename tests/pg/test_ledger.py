"""Does the ledger find every change of what was sealed, and does nobody wait for it?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql
from servers import Database

from audit_action.trail import install_script

SEALED_TABLES = ("transaction_audit", "ddl_audit", "migration_run", "installation", "purged_block")
OTHER_VALUES = {
    "boolean": "not {}",
    "integer": "{} + 1000",  # of events in one transaction no two may have one position
    "bigint": "{} + 1",
    "text": "{} || 'x'",
    "uuid": "gen_random_uuid()",
    "timestamp with time zone": "{} + interval '1 microsecond'",
    "jsonb": "jsonb_build_array({})",
    "inet": "inet '192.0.2.1'",
    "bigint[]": "{} || 1::bigint",
}
NULL_VALUES = {
    **dict.fromkeys(("integer", "bigint"), "1"),
    **{"boolean": "true", "text": "text 'x'", "uuid": "gen_random_uuid()", "inet": "inet '192.0.2.1'"},
    **{"timestamp with time zone": "now()", "jsonb": "jsonb '[]'", "bigint[]": "'{1}'::bigint[]"},
}


def one(connection: psycopg.Connection[Any], query: str, *values: object) -> Any:
    row = connection.execute(query.encode(), values or None).fetchone()
    assert row is not None
    return row[0]


def seal(connection: psycopg.Connection[Any]) -> str:
    return str(one(connection, "select encode(digest, 'hex') from audit.seal()"))


def wrong(connection: psycopg.Connection[Any], expected: str | None = None) -> list[tuple[str, str]]:
    """What does not hold; the row that sums up agrees."""
    found = connection.execute("select subject, detail, ok from audit.verify(%s)", [expected]).fetchall()
    bad = [(subject, detail) for subject, detail, ok in found if not ok]
    assert found[-1][0] == "trail"
    assert found[-1][2] == (not bad)
    return bad[:-1]


def wrong_rows(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """The same, without the guards: `tampering` disables them, which is found too."""
    return [(subject, detail) for subject, detail in wrong(connection) if not subject.startswith("trigger ")]


@contextmanager
def tampering(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """A superuser with the guards out of the way; everything is as before afterwards."""
    with connection.transaction(force_rollback=True):
        for table in (*SEALED_TABLES, "block", "sealed_row"):
            connection.execute(f"alter table audit.{table} disable trigger all".encode())
        yield


@pytest.fixture
def admin(audited: Database) -> psycopg.Connection[Any]:
    """A superuser's connection to a trail with runs, transactions and a purge, all sealed."""
    return with_history(audited)


@pytest.fixture
def newest_admin(newest_audited: Database) -> psycopg.Connection[Any]:
    return with_history(newest_audited)


def with_history(database: Database) -> psycopg.Connection[Any]:
    connection = database.connect()
    run = one(connection, 'select audit.begin_run(\'{"repository": "o/r"}\')')
    connection.execute("create table public.a (id int); alter table public.a add b text")
    connection.execute("create function public.f() returns int language sql as 'select 1'")
    connection.execute("do $$ begin create table public.in_do (id int); end $$")
    connection.execute("drop table public.in_do")
    connection.execute("""select audit.finish_run(%s, '{"status": "succeeded", "exit_code": 0}')""", [run])
    connection.execute("select audit.begin_run('{}')")
    connection.execute("select audit.seal()")
    return connection


def test_what_nobody_touched_holds(admin: psycopg.Connection[Any]) -> None:
    digest = seal(admin)
    admin.execute("set timezone = 'Asia/Kathmandu'; set datestyle = 'German'; set extra_float_digits = 0")
    admin.execute("create table public.later (id int)")
    second = seal(admin)
    assert second != digest
    assert wrong(admin, digest) == []
    assert wrong(admin, second.upper()) == []
    assert [subject for subject, _ in wrong(admin, "00" * 32)] == ["digest"]


def test_every_column_is_sealed(newest_admin: psycopg.Connection[Any]) -> None:
    """A change of any one value in any row that was sealed is found, whatever columns come one day."""
    newest_admin.execute("select audit.purge('0')")
    with_a_run = "create table public.b (id int); do $$ begin alter table public.b add c int; end $$"
    newest_admin.execute(with_a_run.encode())
    seal(newest_admin)
    assert wrong(newest_admin) == []
    columns = newest_admin.execute(
        """
        select c.relname, a.attname, format_type(a.atttypid, null)
          from pg_class c
          join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relnamespace = 'audit'::regnamespace
           and c.relname = any (%s)
        """,
        [list(SEALED_TABLES)],
    ).fetchall()
    assert len(columns) > 60
    missed = []
    for table, column, kind in columns:
        with tampering(newest_admin):
            name = sql.Identifier(column)
            # Checks would stand in the way of some values, not of a superuser.
            for constraint in newest_admin.execute(
                "select conname from pg_constraint where conrelid = %s::regclass and contype = 'c'",
                [f"audit.{table}"],
            ).fetchall():
                newest_admin.execute(
                    sql.SQL("alter table audit.{} drop constraint {}").format(
                        sql.Identifier(table), sql.Identifier(constraint[0])
                    )
                )
            other = sql.SQL(OTHER_VALUES[kind]).format(name)  # type: ignore[arg-type] # a table of this file
            null = sql.SQL(NULL_VALUES[kind])  # type: ignore[arg-type] # the same
            newest_admin.execute(
                sql.SQL("update audit.{} set {} = case when {} is null then {} else {} end").format(
                    sql.Identifier(table), name, name, null, other
                )
            )
            found = wrong_rows(newest_admin)
            if not any(
                subject.split()[0] in ("transaction", "run", "installation", "purge") for subject, _ in found
            ):
                missed.append((table, column))
    assert missed == []


CHANGES = {
    "delete from audit.ddl_audit where object_identity = 'public.f()'": "transaction: it was changed",
    """delete from audit.transaction_audit where id = (
         select transaction_audit_id from audit.ddl_audit where object_identity = 'public.f()'
       )""": "transaction: it is gone",
    """insert into audit.ddl_audit (
         transaction_audit_id, position, transaction_id, message, message_time, event_time, event, command_tag
       )
       select id, 99, 1, 99, now(), now(), 'drop', 'DROP TABLE' from audit.transaction_audit limit 1
    """: "transaction: it was changed after it was sealed",
    "update audit.sealed_row set digest = sha256('x')": "block: its digests were changed",
    "delete from audit.sealed_row where kind = 'run'": "block: it sealed 5 rows, and names 4 now",
    "update audit.block set sealed_by = 'somebody' where number = 1": "block: it was changed after it was",
    "delete from audit.block where number = 1": "block: block 1 before it is gone",
    # Changed, and given the digest that is right now: the next block knows the old one.
    """update audit.block set sealed_by = 'somebody' where number = 1;
       set local timezone = 'UTC';
       update audit.block b set digest = audit.block_digest(b) where number = 1
    """: "block: it does not follow block 1",
    """insert into audit.purged_block (block_id)
       select id from audit.block where number = 2
    """: "block: it was purged, and holds digests nevertheless",
    "drop view audit.history; alter table audit.transaction_audit drop column pid": (
        "block: it sealed transaction_audit.pid, which is gone"
    ),
}


def test_what_was_done_is_named(admin: psycopg.Connection[Any]) -> None:
    for change, expected in CHANGES.items():
        with tampering(admin):
            admin.execute(change.encode())
            found = [f"{subject.split()[0]}: {detail}" for subject, detail in wrong_rows(admin)]
            assert any(each.startswith(expected) for each in found), (change, found)


@pytest.mark.parametrize(
    ("meanwhile", "subject"),
    [
        (
            "alter event trigger track_schema_drops disable;"
            "alter event trigger track_schema_drops enable always",
            "event trigger track_schema_drops",
        ),
        ("drop event trigger track_schema_changes", "event trigger track_schema_changes"),
        (
            "create or replace function audit.setting(name text) returns text stable language sql"
            " as 'select null'",
            "function audit.setting(text)",
        ),
        (
            "alter table audit.ddl_audit disable trigger append_only;"
            "alter table audit.ddl_audit enable always trigger append_only",
            "trigger append_only on audit.ddl_audit",
        ),
    ],
)
def test_the_recorders_are_watched(
    newest_admin: psycopg.Connection[Any], meanwhile: str, subject: str
) -> None:
    """Disabling fires no event trigger; the trace is found at once, and in the chain for ever."""
    newest_admin.execute(meanwhile.encode())
    assert [each for each, _ in wrong(newest_admin)] == [subject]
    seal(newest_admin)
    found = wrong(newest_admin)
    assert [each for each, _ in found] == [subject]
    assert "between block" in found[0][1]
    # An installation mends it, and does not hide it.
    newest_admin.execute(install_script())
    assert [each for each, _ in wrong(newest_admin)] == [subject]


def test_an_installation_explains_what_it_changes(admin: psycopg.Connection[Any]) -> None:
    admin.execute(install_script())
    assert wrong(admin) == []
    told = admin.execute("select detail from audit.verify() where subject = 'recorders'").fetchall()
    assert any("sql/install.sql was run" in detail for (detail,) in told)


def test_a_column_that_comes_later_breaks_nothing_and_is_sealed(admin: psycopg.Connection[Any]) -> None:
    admin.execute("alter table audit.ddl_audit add column note text not null default 'none'")
    assert wrong(admin) == []
    admin.execute("create table public.later (id int)")
    seal(admin)
    assert wrong(admin) == []
    with tampering(admin):
        admin.execute("update audit.ddl_audit set note = 'x' where object_identity = 'public.a'")
        assert wrong_rows(admin) == []
        admin.execute("update audit.ddl_audit set note = 'x' where object_identity = 'public.later'")
        assert len(wrong_rows(admin)) == 1


def test_nobody_waits_for_a_seal(audited: Database) -> None:
    """One sealed and stays open: others change the schema and verify. A late one is sealed later."""
    late = audited.connect(autocommit=False)
    late.execute("create table public.late (id int)")
    sealing = audited.connect(autocommit=False)
    sealing.execute("create table public.own (id int)")
    sealing.execute("select audit.seal()")
    other = audited.connect()
    other.execute("set statement_timeout = '3s'")
    other.execute("create table public.other (id int)")
    other.execute("select audit.finish_run(audit.begin_run('{}'), '{\"status\": \"failed\"}')")
    assert wrong(other) == []
    late.commit()
    # What a transaction changed itself it does not seal: it may change more.
    sealing.execute("alter table public.own add b int")
    sealing.commit()
    assert wrong(other) == []
    waiting = {
        identity
        for (identity,) in other.execute(
            "select object_identity from audit.ddl_audit where transaction_audit_id not in"
            " (select row_id from audit.sealed_row)"
        )
    }
    assert waiting == {"public.late", "public.other", "public.own"}
    seal(other)
    assert wrong(other) == []


def test_who_may_only_wait_is_told_so(newest_audited: Database) -> None:
    first = newest_audited.connect(autocommit=False)
    first.execute("select audit.seal()")
    with newest_audited.connect() as second:
        # Five seconds, whatever the session has set.
        with pytest.raises(errors.LockNotAvailable, match="Another session is sealing the trail"):
            second.execute("set lock_timeout = 0; select audit.seal()")
    first.rollback()


def many(connection: psycopg.Connection[Any], days: range) -> None:
    """Transactions of the past, one event each, as a superuser can write them."""
    connection.execute(
        """
        with t as (
          insert into audit.transaction_audit (transaction_id, event_time, database_user)
          select day, now() - make_interval(days => day), 'ci_user' from generate_series(%s::int, %s::int) day
          returning id, transaction_id, event_time
        )
        insert into audit.ddl_audit (
          transaction_audit_id, position, transaction_id, message,
          message_time, event_time, event, command_tag
        )
        select id, 1, transaction_id, 1, event_time, event_time, 'command', 'CREATE TABLE' from t
        """,
        [days.start, days.stop - 1],
    )


def test_old_blocks_are_purged_whole_and_the_chain_holds(admin: psycopg.Connection[Any]) -> None:
    many(admin, range(1, 3301))
    head = seal(admin)
    before = one(admin, "select count(*) from audit.block")
    # Blocks of 1000: 3300..2301, 2300..1301, 1300..301, and the rest.
    assert one(admin, "select audit.purge('1500 days')") == 1000
    left = admin.execute("select count(*), max(transaction_id) from audit.transaction_audit").fetchone()
    assert left is not None
    assert left[1] >= 2300
    assert (
        one(
            admin,
            "select count(*) from audit.ddl_audit where transaction_id between 2301 and 3300"
            " and command_tag = 'CREATE TABLE' and object_identity is null",
        )
        == 0
    )
    assert one(admin, "select count(*) from audit.block") == before + 1
    assert wrong(admin, head) == []
    told = admin.execute(
        "select detail from audit.verify() where detail like '%purged by postgres%'"
    ).fetchall()
    assert len(told) == 1
    assert one(admin, "select audit.purge('1500 days')") == 0
    assert wrong(admin, head) == []


def test_purging_keeps_the_runs_that_are_needed(admin: psycopg.Connection[Any]) -> None:
    """The last success of a target is where the next run's range begins, however old it is."""
    for status in ("succeeded", "failed", "succeeded"):
        for environment in ("production", "staging"):
            run = one(
                admin, "select audit.begin_run(jsonb_build_object('environment', %s::text))", environment
            )
            admin.execute(
                "select audit.finish_run(%s, jsonb_build_object('status', %s::text))", [run, status]
            )
    seal(admin)
    with psycopg.connect(admin.info.dsn, autocommit=True) as other:
        other.execute("select audit.purge('0')")
    rows = admin.execute(
        "select environment, status, count(*) from audit.migration_run where environment is not null"
        " group by 1, 2 order by 1"
    ).fetchall()
    assert rows == [("production", "succeeded", 1), ("staging", "succeeded", 1)]
    assert one(admin, "select count(*) from audit.transaction_audit") == 0
    assert wrong(admin) == []
    with tampering(admin):
        admin.execute("update audit.migration_run set authors = '[{}]' where environment = 'staging'")
        assert [subject.split()[0] for subject, _ in wrong_rows(admin)] == ["run"]


def test_purging_hides_no_tampering(admin: psycopg.Connection[Any]) -> None:
    admin.execute("alter table audit.ddl_audit disable trigger append_only")
    admin.execute("update audit.ddl_audit set command_tag = 'x' where object_identity = 'public.a'")
    with pytest.raises(errors.ObjectNotInPrerequisiteState, match="would hide that: block"):
        admin.execute("select audit.purge('0')")
    assert one(admin, "select count(*) from audit.purged_block") == 0


def test_purging_takes_an_interval(admin: psycopg.Connection[Any]) -> None:
    for wrong_one in ("'-1 day'", "null"):
        with pytest.raises(errors.InvalidParameterValue, match="interval such as"):
            admin.execute(f"select audit.purge({wrong_one})".encode())


ATTEMPTS = [
    "delete from audit.ddl_audit",
    "delete from audit.transaction_audit",
    "delete from audit.migration_run",
    "delete from audit.sealed_row",
    "delete from audit.block",
    "update audit.ddl_audit set command_tag = 'x'",
    "update audit.migration_run set authors = '[]' where status <> 'open'",
    "update audit.installation set version = '9'",
    "truncate audit.transaction_audit",
    "truncate audit.block cascade",
    "set audit.purge = 'on'; delete from audit.ddl_audit",
    # The name of the function is on the stack, as text.
    "do $do$ begin delete from audit.ddl_audit where 'audit.purge(interval)' <> ''; end $do$",
    """do $do$ begin execute
       E'delete from audit.ddl_audit --\\n-- PL/pgSQL function audit.purge(interval) line 1'; end $do$""",
    """create function pg_temp."audit.purge(interval)"() returns void language plpgsql
       as $f$ begin delete from audit.ddl_audit; end $f$;
       select pg_temp."audit.purge(interval)"()""",
    """create function pg_temp.purge(a interval) returns void language plpgsql
       as $f$ begin delete from audit.ddl_audit; end $f$;
       select pg_temp.purge('1 second')""",
]


@pytest.mark.parametrize("role", ["audit_owner", "postgres"])
def test_only_purge_deletes(newest_admin: psycopg.Connection[Any], role: str) -> None:
    """Not the owner, nor a superuser, by mistake or by a trick; and not in a replica session."""
    if role == "postgres":
        newest_admin.execute("set session_replication_role = replica")
    for attempt in ATTEMPTS:
        newest_admin.execute(f"set role {role}".encode())
        with pytest.raises(errors.InsufficientPrivilege, match=r"append-only|written once"):
            newest_admin.execute(attempt.encode())
        newest_admin.execute("reset role")
    assert wrong(newest_admin) == []
