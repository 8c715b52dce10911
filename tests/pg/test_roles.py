"""Do sql/roles.sql and sql/uninstall.sql do what they say, and nothing besides?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psql import psql
from psycopg import errors
from servers import Database

NOTHING_CHANGED = "nothing was changed"


@dataclass(frozen=True, slots=True)
class Logins:
    """Two names that no other test has: roles belong to the whole server."""

    ci: str
    reader: str


@pytest.fixture
def logins(audited: Database, request: pytest.FixtureRequest) -> Iterator[Logins]:
    number = f"{os.getpid()}_{abs(hash(request.node.name)) % 10**6}"
    made = Logins(ci=f'CI "{number}', reader=f"reader {number}")
    yield made
    with psycopg.connect(audited.url(), autocommit=True) as admin:
        for login in (made.ci, made.reader):
            name = psycopg.sql.Identifier(login)
            if admin.execute("select from pg_roles where rolname = %s", [login]).fetchone():
                admin.execute(psycopg.sql.SQL("drop owned by {} cascade").format(name))
                admin.execute(psycopg.sql.SQL("drop role {}").format(name))


@pytest.fixture
def give(audited: Database, logins: Logins) -> Callable[..., str]:
    """Run sql/roles.sql for the two logins; what it said."""

    def run(**variables: str) -> str:
        done = psql(
            audited, "sql/roles.sql", **{"ci_role": logins.ci, "reader_role": logins.reader, **variables}
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    return run


def test_the_ci_login_migrates_its_schema_and_records(
    audited: Database, logins: Logins, give: Callable[..., str]
) -> None:
    said = give()
    assert f"{logins.ci} is a new login. It has no password yet" in said
    with audited.connect(logins.ci) as ci:
        run = ci.execute("select audit.begin_run('{}')").fetchone()
        ci.execute("create table public.t (id int)")
        ci.execute("create schema if not exists drizzle")
        ci.execute("create schema if not exists drizzle")
        ci.execute("alter table public.t add column name text")
        ci.execute("""select audit.finish_run(%s, '{"status": "succeeded"}')""", run)
        rows = ci.execute(
            "select delivery from audit.history where object_identity like 'public.t%'"
        ).fetchall()
    assert rows == [("open_run",), ("open_run",)]


def test_again_it_says_and_leaves_the_same(audited: Database, give: Callable[..., str]) -> None:
    first = give()
    members = audited.rows("select * from pg_auth_members order by 1, 2, 3")
    second = give()
    assert audited.rows("select * from pg_auth_members order by 1, 2, 3") == members
    assert set(first.splitlines()) - set(second.splitlines()) == {
        line for line in first.splitlines() if "is a new login" in line
    }


def test_the_ci_login_can_do_nothing_else_to_the_trail(
    audited: Database, logins: Logins, give: Callable[..., str]
) -> None:
    with audited.connect() as admin:
        # Rights that somebody who followed the article has.
        name = psycopg.sql.Identifier(logins.ci)
        for grant in (
            "create role {} login",
            "grant usage, create on schema audit to {}",
            "grant insert, select on all tables in schema audit to {}",
        ):
            admin.execute(psycopg.sql.SQL(grant).format(name))
    give()
    with audited.connect(logins.ci) as ci:
        for attempt in (
            "insert into audit.transaction_audit (transaction_id, database_user) values (1, 'boss')",
            "create table audit.mine (id int)",
            "select audit.find_run('postgres')",
            "drop schema audit cascade",
            "set role audit_owner",
        ):
            with pytest.raises((errors.InsufficientPrivilege, errors.UndefinedFunction)):
                ci.execute(attempt)


def test_the_reader_sees_the_trail_alone(audited: Database, logins: Logins, give: Callable[..., str]) -> None:
    with audited.connect() as admin:
        admin.execute("create table public.customers (id int)")
    give()
    with audited.connect(logins.reader) as reader:
        seen = reader.execute("select command_tag from audit.history order by event_time limit 1").fetchone()
        assert seen == ("CREATE TABLE",)
        for attempt in (
            "select * from public.customers",
            "select audit.begin_run('{}')",
            "create schema mine",
            "delete from audit.ddl_audit",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                reader.execute(attempt)


def test_without_the_right_to_make_schemas(
    audited: Database, logins: Logins, give: Callable[..., str]
) -> None:
    give()
    said = give(create_schemas="no")
    assert "may make no schema" in said
    with audited.connect(logins.ci) as ci, pytest.raises(errors.InsufficientPrivilege):
        ci.execute("create schema mine")


def test_what_others_own_is_told_and_handed_over_when_asked(
    audited: Database, logins: Logins, give: Callable[..., str]
) -> None:
    """Every kind of object that a schema holds; the former owner goes on working with it."""
    former = psycopg.sql.Identifier(logins.reader)
    with audited.connect() as admin:
        admin.execute(psycopg.sql.SQL("create role {} login").format(former))
        admin.execute(psycopg.sql.SQL("create schema sales; grant all on schema sales to {}").format(former))
        admin.execute(
            psycopg.sql.SQL("""
            set role {};
            set search_path = sales;
            create table "Orders" (id serial primary key, total int generated always as identity);
            create table parted (id int) partition by range (id);
            create view open_orders as select id from "Orders";
            create materialized view counted as select count(*) from "Orders";
            create sequence "my seq";
            create type mood as enum ('good');
            create type pair as (a int, b int);
            create type span as range (subtype = int4);
            create domain price as numeric check (value > 0);
            create function f(a int) returns int language sql as 'select a';
            create procedure p() language sql as 'select 1';
            create aggregate ag(int) (sfunc = int4pl, stype = int);
            create operator ### (leftarg = int, rightarg = int, function = int4pl);
            create collation cc from "C";
            create text search configuration tsc (copy = pg_catalog.simple);
            create text search dictionary dict (template = simple);
            create statistics st on id, total from "Orders";
            reset role;
            """).format(former)
        )
    said = give(schemas="public, sales", reader_role="")
    assert f"cannot alter or drop what {logins.reader} owns there: 17 objects" in said
    said = give(schemas="public, sales", reader_role="", take_ownership="yes")
    assert f"owns now what {logins.reader} owned there: 17 objects" in said
    left = audited.rows(
        "select * from pg_class where relowner = %s::regrole and relkind <> 'i'", f'"{logins.reader}"'
    )
    assert not left
    with audited.connect(logins.ci) as ci:
        ci.execute('alter table sales."Orders" add column note text')
        ci.execute("alter type sales.mood add value 'bad'")
        ci.execute("drop aggregate sales.ag(int)")
    with audited.connect(logins.reader) as app:
        app.execute('insert into sales."Orders" default values')
        app.execute("select nextval('sales.\"my seq\"'), sales.f(1)")
        app.execute("insert into sales.parted select null where false")


def test_it_tells_what_public_may(audited: Database, give: Callable[..., str]) -> None:
    with audited.connect() as admin:
        admin.execute("create function public.pf() returns int security definer language sql as 'select 1'")
        admin.execute("create table public.open_to_all (id int, name text)")
        admin.execute("grant select on public.open_to_all to public")
        admin.execute("create table public.in_part (id int, name text)")
        admin.execute("grant update (name) on public.in_part to public")
    said = give()
    assert "make temporary tables and functions in it; take it away: revoke temporary on database" in said
    assert "SECURITY DEFINER: 1 (public.pf())" in said
    assert "revoke select on public.open_to_all from public" in said
    assert "update columns: 1 (public.in_part.name)" in said
    assert ("create in schemas: 1 (public)" in said) == (audited.major < 15)
    with audited.connect() as admin:
        admin.execute("revoke all on function public.pf() from public")
        admin.execute(f'revoke all on database "{audited.name}" from public'.encode())
    said = give()
    assert "SECURITY DEFINER" not in said
    assert "make temporary tables" not in said


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ci_role": "", "reader_role": ""}, "No login was named"),
        ({"ci_role": "postgres"}, "is a superuser"),
        ({"ci_role": "one", "reader_role": "one"}, "cannot both migrate and only read"),
        ({"ci_role": "audit_owner"}, "is a group of the trail itself"),
        ({"schemas": "public,nowhere"}, 'nothing to migrate in the schema "nowhere"'),
        ({"schemas": "audit"}, 'nothing to migrate in the schema "audit"'),
        ({"schemas": ""}, 'nothing to migrate in the schema ""'),
        ({"take_ownership": "maybe"}, "take_ownership is yes or no"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    newest_audited: Database, variables: dict[str, str], sentence: str
) -> None:
    done = psql(
        newest_audited,
        "sql/roles.sql",
        **{"ci_role": "nobody_yet", "reader_role": "nobody_else", **variables},
    )
    assert done.returncode != 0
    assert sentence in done.stderr
    assert NOTHING_CHANGED in done.stderr
    assert not newest_audited.rows("select from pg_roles where rolname like 'nobody%'")


def test_uninstall_asks_first(newest_audited: Database) -> None:
    done = psql(newest_audited, "sql/uninstall.sql")
    assert done.returncode != 0
    assert NOTHING_CHANGED in done.stderr
    assert "-v confirm=yes" in done.stderr
    assert newest_audited.rows("select distinct evtenabled from pg_event_trigger") == [("A",)]


def test_uninstall_leaves_what_was_there_before(
    audited: Database, new_database: Callable[..., Database], logins: Logins, give: Callable[..., str]
) -> None:
    """Roles stay as long as another database of the server needs them: the template's trail does."""
    give()
    done = psql(audited, "sql/uninstall.sql", confirm="yes")
    assert done.returncode == 0, done.stderr
    assert "The role audit_owner is kept" in done.stdout
    what_is_there = """
        select 'schema', nspname::text from pg_namespace where nspname !~ '^pg_(temp|toast_temp)_'
        union all select 'event trigger', evtname from pg_event_trigger
        union all select 'relation', oid::regclass::text from pg_class where oid > 16384
        union all select 'routine', oid::regprocedure::text from pg_proc where oid > 16384
    """
    assert set(audited.rows(what_is_there)) == set(new_database().rows(what_is_there))


def test_uninstall_drops_nothing_of_others(newest_audited: Database) -> None:
    with newest_audited.connect() as admin:
        admin.execute("create view public.of_ours as select object_identity from audit.history")
    done = psql(newest_audited, "sql/uninstall.sql", confirm="yes")
    assert done.returncode != 0
    assert "view public.of_ours" in done.stderr
    assert NOTHING_CHANGED in done.stderr
    assert newest_audited.rows("select count(*) from audit.history") == [(1,)]
