"""From which states does sql/install.sql start, and does every one of them end the same?"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psql import psql
from psycopg import errors, sql
from servers import Database

from audit_action import __version__
from audit_action.demo.postgres import Server
from audit_action.trail import install_script

HERE = Path(__file__).parent
VERSIONS = sorted((HERE / "versions").glob("*.sql"))
"""sql/install.sql of every release, its parts in their places; tests/pg/keep_version.py adds one."""

CATALOG = """
select 'column', c.relkind::text, c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
       a.attnotnull::text, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
 where c.relnamespace = 'audit'::regnamespace
   and c.relkind <> 'i'
union all
select 'relation', c.relkind::text, c.relname::text, c.relpersistence::text, c.relowner::regrole::text,
       (select string_agg(a::text, ',' order by a::text) from unnest(c.relacl) a),
       case c.relkind when 'v' then pg_get_viewdef(c.oid) when 'i' then pg_get_indexdef(c.oid) end,
       obj_description(c.oid, 'pg_class')
  from pg_class c
 where c.relnamespace = 'audit'::regnamespace
union all
select 'constraint', c.contype::text, c.conrelid::regclass::text, c.conname::text,
       pg_get_constraintdef(c.oid), null,
       null, null
  from pg_constraint c
 where c.connamespace = 'audit'::regnamespace
   and c.contype <> 'n'
union all
select 'function', p.prokind::text, p.oid::regprocedure::text, p.prosrc, pg_get_function_result(p.oid),
       (select string_agg(a::text, ',' order by a::text) from unnest(p.proacl) a),
       concat_ws(' ', p.prosecdef, p.provolatile, p.proconfig, p.proowner::regrole),
       obj_description(p.oid, 'pg_proc')
  from pg_proc p
 where p.pronamespace = 'audit'::regnamespace
union all
select 'trigger', t.tgenabled::text, t.tgrelid::regclass::text, t.tgname::text, pg_get_triggerdef(t.oid),
       null, null, null
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid
 where c.relnamespace = 'audit'::regnamespace
   and not t.tgisinternal
union all
select 'event trigger', e.evtenabled::text, e.evtname::text, e.evtevent::text, e.evtfoid::regprocedure::text,
       e.evttags::text, null, obj_description(e.oid, 'pg_event_trigger')
  from pg_event_trigger e
"""

# Two tables, a function and an event trigger of the article's names and columns; the rest is ours.
ARTICLE = """
create schema audit;
create table audit.transaction_audit (
  transaction_id bigint primary key,
  event_time timestamptz not null default now(),
  database_user text not null,
  application_user_name text,
  application_user_email text,
  client_address inet
);
create table audit.ddl_audit (
  id bigserial primary key,
  transaction_id bigint not null references audit.transaction_audit (transaction_id) on delete cascade,
  command_tag text not null,
  object_identity text,
  query_text text not null
);
create function audit.log_schema_changes() returns event_trigger language plpgsql as $$
declare
  command record;
begin
  insert into audit.transaction_audit (
    transaction_id, database_user, application_user_name, application_user_email, client_address
  )
  values (
    txid_current_if_assigned(), session_user, current_setting('audit.user_name', true),
    current_setting('audit.user_email', true), inet_client_addr()
  )
  on conflict (transaction_id) do nothing;
  for command in select * from pg_event_trigger_ddl_commands() loop
    insert into audit.ddl_audit (transaction_id, command_tag, object_identity, query_text)
    values (txid_current_if_assigned(), command.command_tag, command.object_identity, current_query());
  end loop;
end
$$;
create event trigger track_schema_changes on ddl_command_end execute function audit.log_schema_changes();
"""
ARTICLES_QUESTION = """
select t.event_time, t.database_user, t.application_user_name, t.application_user_email, t.client_address,
       d.command_tag, d.object_identity, d.query_text
  from audit.transaction_audit t
  join audit.ddl_audit d using (transaction_id)
 where d.query_text ilike '%table%'
"""


def install(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(install_script())


def catalog(database: Database) -> set[tuple[Any, ...]]:
    return set(database.rows(CATALOG))


def bad_checks(database: Database) -> list[tuple[Any, ...]]:
    return database.rows('select "check", detail from audit.status() where not ok')


@pytest.fixture
def login(postgres: Server) -> Iterator[str]:
    """A role that is nothing special, with a name that has to be quoted."""
    name = f'Some "one {os.getpid()}'
    role = sql.Identifier(name)
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("create role {} login").format(role))
        yield name
        for (database,) in admin.execute(
            "select datname from pg_database where datname like 'test%'"
        ).fetchall():
            with psycopg.connect(postgres.url(database), autocommit=True) as there:
                there.execute(sql.SQL("drop owned by {} cascade").format(role))
        admin.execute(sql.SQL("revoke audit_owner from {}; drop role {}").format(role, role))


def test_by_psql_and_by_python_it_is_the_same(database: Database, audited: Database) -> None:
    done = psql(database, "sql/install.sql")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert bad_checks(database) == []
    assert catalog(database) == catalog(audited)
    assert database.rows("select version, started_from from audit.installation") == [(__version__, "bare")]


def test_again_nothing_is_lost_and_nobody_waits(audited: Database) -> None:
    """Over a transaction that changed the schema and is still open, and a reader: all events are kept."""
    before = catalog(audited)
    with audited.connect() as connection:
        connection.execute("create table public.before (id int)")
    late = audited.connect(autocommit=False)
    late.execute("create table public.late (id int)")
    reader = audited.connect(autocommit=False)
    reader.execute(
        "select * from audit.transaction_audit, audit.migration_run, audit.installation, audit.block"
    )
    with audited.connect(options="-c statement_timeout=20s") as connection:
        connection.execute(install_script())
    late.execute("create table public.later (id int)")
    late.commit()
    assert catalog(audited) == before
    assert bad_checks(audited) == []
    assert audited.rows("select object_identity from audit.history order by 1") == [
        ("public.before",),
        ("public.late",),
        ("public.later",),
    ]
    assert audited.rows("select started_from from audit.installation order by installed_at") == [
        ("bare",),
        (__version__,),
    ]


def test_an_analyze_under_way_and_an_installation_do_not_wait_for_each_other(audited: Database) -> None:
    """An autovacuum holds its lock on a table and waits for whoever gave rights on that table."""
    analyzing = audited.connect(autocommit=False)
    analyzing.execute("analyze audit.ddl_audit")
    failures: list[psycopg.Error] = []

    def again() -> None:
        try:
            with psycopg.connect(audited.url(), autocommit=True, options="-c statement_timeout=20s") as other:
                other.execute(install_script())
        except psycopg.Error as error:
            failures.append(error)

    installing = threading.Thread(target=again)
    installing.start()
    deadline = time.monotonic() + 15
    while not audited.rows("select 1 from pg_locks where not granted") and time.monotonic() < deadline:
        time.sleep(0.05)
    for number in range(50):
        analyzing.execute(f"create table public.made_{number} (id int)".encode())
    analyzing.execute("analyze audit.ddl_audit")
    analyzing.commit()
    installing.join()
    assert failures == []
    assert bad_checks(audited) == []


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.stem)
def test_every_release_is_upgraded(database: Database, audited: Database, version: Path) -> None:
    """Rows stay, and the catalog is that of a fresh installation.

    If it is not, an upgrade step is missing; or, before the release, tests/pg/keep_version.py was not run.
    """
    with database.connect() as connection:
        connection.execute(version.read_bytes())
        run = connection.execute('select audit.begin_run(\'{"repository": "o/r"}\')').fetchone()
        connection.execute("create table public.old (id int); drop table public.old")
        connection.execute("""select audit.finish_run(%s, '{"status": "succeeded"}')""", run)
        connection.execute("select audit.seal()")
    before = database.rows(
        "select event_time, command_tag, object_identity, query_text, run_id from audit.history"
    )
    install(database)
    assert before == database.rows(
        "select event_time, command_tag, object_identity, query_text, run_id from audit.history"
    )
    assert catalog(database) == catalog(audited)
    assert bad_checks(database) == []
    assert database.rows("select subject, detail from audit.verify() where not ok") == []


def test_the_current_version_is_kept() -> None:
    assert f"{__version__}.sql" in [path.name for path in VERSIONS]


def test_a_newer_trail_is_left_alone(newest_audited: Database) -> None:
    with newest_audited.connect() as connection:
        connection.execute(
            "insert into audit.installation (version, started_from, chain, fingerprint)"
            " select '99.0.0', '0.1.0', chain, fingerprint from audit.installation"
        )
        before = catalog(newest_audited)
        with pytest.raises(
            errors.RaiseException, match=r"version 99\.0\.0, and this script would install the older"
        ):
            connection.execute(install_script())
        connection.rollback()
    assert catalog(newest_audited) == before


def test_the_articles_tables_are_adopted(database: Database, login: str) -> None:
    """Rows with their times and names, the article's own question, a reader's rights and a view stay."""
    role = sql.Identifier(login)
    with database.connect(options="-c audit.user_name=Ada -c audit.user_email=ada@example.com") as connection:
        connection.execute(ARTICLE)
        connection.execute("create table public.one (id serial primary key)")
        connection.execute("create table public.two (id int); create table public.three (id int)")
        connection.execute(
            "create view public.who as select distinct application_user_name from audit.transaction_audit"
        )
        connection.execute(sql.SQL("grant usage, create on schema audit to {}").format(role))
        connection.execute(sql.SQL("grant insert, select on all tables in schema audit to {}").format(role))
        connection.execute(sql.SQL("grant usage on all sequences in schema audit to {}").format(role))
    before = sorted(database.rows(ARTICLES_QUESTION))
    transactions = sorted(
        database.rows(
            "select transaction_id, event_time, database_user, client_address from audit.transaction_audit"
        )
    )
    assert len(before) > 5
    install(database)
    assert sorted(database.rows(ARTICLES_QUESTION)) == before
    assert transactions == sorted(
        database.rows(
            "select transaction_id, event_time, database_user, client_address from audit.transaction_audit"
        )
    )
    assert database.rows("select * from public.who") == [("Ada",)]
    seen = database.rows("select count(*), count(distinct delivery), min(delivery) from audit.history")
    assert seen == [(len(database.rows("select 1 from audit.ddl_audit")), 1, "none")]
    assert bad_checks(database) == []
    assert database.rows("select subject, detail from audit.verify() where not ok") == []
    with database.connect(login) as other:
        assert sorted(other.execute(ARTICLES_QUESTION.encode()).fetchall()) == before
        for attempt in (
            "insert into audit.transaction_audit (transaction_id, database_user) values (1, 'boss')",
            "create table audit.mine (id int)",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                other.execute(attempt)
    with database.connect() as connection:
        connection.execute("create table public.four (id int)")
        connection.execute("drop table public.one")
    dropped = database.rows("select object_identity from audit.history where event = 'drop' and original")
    assert dropped == [("public.one",)]
    again = [row for row in database.rows(ARTICLES_QUESTION) if row[6] == "public.four"]
    assert [row[7] for row in again] == ["create table public.four (id int)"]
    # Whichever way it came to be: the same tables, but for the order of their columns.
    install(database)
    assert database.rows("select started_from from audit.installation order by installed_at") == [
        ("article",),
        (__version__,),
    ]


def test_a_warehouse_is_installed_again_like_any_other(newest_audited: Database) -> None:
    for script in ("sql/fan-in.sql", "sql/install.sql", "sql/fan-in.sql", "sql/fan-in.sql"):
        done = psql(newest_audited, script, **({"warehouse": "1"} if "fan-in" in script else {}))
        assert done.returncode == 0, done.stderr
        with newest_audited.connect() as connection:
            connection.execute("create table public.t (id int); drop table public.t")
        assert bad_checks(newest_audited) == []
        assert newest_audited.rows("select subject, detail from audit.verify() where not ok") == []
    # What made the warehouse came before there was such a column.
    brought = "select distinct source_database from audit.history where object_identity = 'public.t'"
    assert newest_audited.rows(brought) == [(newest_audited.name,)]


def test_a_reader_that_stays_is_named(newest_audited: Database) -> None:
    """It does not wait for ever behind a dump, nor lets others wait behind it."""
    reader = newest_audited.connect(autocommit=False)
    reader.execute("select * from audit.history")
    script = (
        install_script()
        .decode()
        .replace("set local lock_timeout = '10s'", "set local lock_timeout = '100ms'")
    )
    with newest_audited.connect() as connection:
        with pytest.raises(errors.LockNotAvailable, match=r"reading audit\.history for ten seconds"):
            connection.execute(script.encode())
        connection.rollback()
    reader.rollback()


STRANGERS = {
    "supa_audit": """
        create schema audit;
        create type audit.operation as enum ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE');
        create table audit.record_version (id bigserial primary key, op audit.operation not null);
    """,
    "a history of another kind": "create schema audit; create table audit.ddl_history (id int, ddl_tag text)",
    "tables of the article's names with other columns": """
        create schema audit;
        create table audit.transaction_audit (transaction_id bigint primary key, note text);
        create table audit.ddl_audit (id bigint primary key);
    """,
    "the article's tables and somebody's own": ARTICLE.split("create function")[0]
    + "create table audit.mine (id int)",
    "functions alone": """
        create schema audit;
        create function audit.f() returns int language sql as 'select 1';
    """,
    "a view of our name": "create schema audit; create view audit.history as select 1 as one",
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_what_it_does_not_know_is_refused(database: Database, stranger: str) -> None:
    with database.connect() as connection:
        connection.execute(STRANGERS[stranger].encode())
    before = everything(database)
    done = psql(database, "sql/install.sql")
    assert done.returncode != 0
    assert "The schema audit is there already, and it is not ours: it holds" in done.stderr
    assert "Nothing was changed" in done.stderr
    assert everything(database) == before


def everything(database: Database) -> set[tuple[Any, ...]]:
    """All that an installation could leave behind: objects of this database, and roles."""
    return set(
        database.rows(
            """
            select 'schema', oid::bigint, nspname::text, nspowner::bigint from pg_namespace
             where nspname !~ '^pg_(temp|toast_temp)_'
            union all select 'relation', oid::bigint, relname, relowner::bigint from pg_class
            union all select 'function', oid::bigint, proname, proowner::bigint from pg_proc
            union all select 'type', oid::bigint, typname, typowner::bigint from pg_type
            union all select 'event trigger', oid::bigint, evtname, evtowner::bigint from pg_event_trigger
            union all select 'member', member::bigint, roleid::text, 0 from pg_auth_members
            """
        )
    )


def test_an_empty_schema_is_as_good_as_none(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("create schema audit")
    install(database)
    assert bad_checks(database) == []


def test_a_failing_installation_leaves_nothing(database: Database) -> None:
    before = everything(database)
    with database.connect() as connection:
        with pytest.raises(errors.DivisionByZero):
            connection.execute(
                install_script().decode().replace("\ncommit;", "\nselect 1 / 0;\ncommit;").encode()
            )
        connection.rollback()
    assert everything(database) == before


def test_two_at_once_do_not_mix(newest_audited: Database) -> None:
    """The second waits ten seconds for the first, and says so."""
    first = newest_audited.connect()
    script = (
        install_script()
        .decode()
        .replace("set local lock_timeout = '10s'", "set local lock_timeout = '100ms'")
    )
    assert script != install_script().decode()
    first.execute(script.removesuffix("commit;\n").encode())
    with (
        newest_audited.connect() as second,
        pytest.raises(
            errors.LockNotAvailable,
            match="Another installation of the trail is under way here; nothing was changed",
        ),
    ):
        second.execute(script.encode())
    first.execute("commit")
    assert bad_checks(newest_audited) == []


def test_who_may_not_make_event_triggers_is_told_what_to_do(database: Database, login: str) -> None:
    """The owner of a database gets what it may have, a sentence, and bad checks until it is completed."""
    with database.connect() as admin:
        owner = sql.SQL("alter database {} owner to {}")
        admin.execute(owner.format(sql.Identifier(database.name), sql.Identifier(login)))
    done = psql(database, "sql/install.sql", user=login)
    assert done.returncode == 0, done.stderr
    assert "may not create event triggers here: nothing is recorded until they exist" in done.stderr
    assert "Neon: a member of neon_superuser, RDS: the master user" in done.stderr
    bad = dict(bad_checks(database))
    assert {check for check in bad if check.startswith("event trigger")} == {
        f"event trigger {name}"
        for name in (
            "track_schema_changes",
            "track_schema_drops",
            "track_table_rewrites",
        )
    }
    assert "owner" in bad
    with database.connect(login) as connection:
        run = connection.execute("select audit.begin_run('{}')").fetchone()
        connection.execute("create table public.unseen (id int)")
        connection.execute("""select audit.finish_run(%s, '{"status": "succeeded"}')""", run)
        connection.execute("select audit.seal()")
    install(database)
    assert bad_checks(database) == []
    assert database.rows("select subject, detail from audit.verify() where not ok") == []
    assert database.rows("select count(*) from audit.migration_run") == [(1,)]
    with database.connect(login) as connection:
        connection.execute("create table public.seen (id int)")
    assert database.rows("select object_identity from audit.history") == [("public.seen",)]
    with database.connect() as admin:
        admin.execute(owner.format(sql.Identifier(database.name), sql.Identifier("postgres")))


def test_where_only_enable_is_allowed_it_goes_on_and_says_so(database: Database) -> None:
    """Some providers let their own role make event triggers, and keep ENABLE ALWAYS for themselves."""
    with database.connect() as connection:
        connection.execute(
            """
            create function public.refused() returns text language plpgsql as
            $$ begin raise exception 'permission denied' using errcode = 'insufficient_privilege'; end $$
            """
        )
    script = install_script().decode()
    always = "execute format('alter event trigger %I enable always', wanted.column1);"
    assert script.count(always) == 1
    with database.connect() as connection:
        told: list[str] = []
        connection.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
        connection.execute(script.replace(always, "perform public.refused();").encode())
    assert len(told) == 3
    assert all("could not be enabled always: a replica session escapes it" in each for each in told)
    bad = database.rows('select "check", detail from audit.status() where not ok')
    assert len(bad) == 3
    assert {detail for _, detail in bad} == {
        "enabled, but silent in a session with session_replication_role = replica"
    }
    with database.connect() as connection:
        connection.execute("create table public.seen (id int)")
    assert database.rows("select object_identity from audit.history") == [("public.seen",)]


def test_who_may_not_even_make_a_schema_changes_nothing(database: Database, login: str) -> None:
    before = everything(database)
    done = psql(database, "sql/install.sql", user=login)
    assert done.returncode != 0
    assert "permission denied for database" in done.stderr
    assert everything(database) == before
