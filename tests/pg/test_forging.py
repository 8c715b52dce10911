"""Can anybody but a superuser forge or erase the trail, speak for others, or make others wait?"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors
from servers import Database

from audit_action.demo.postgres import Server

NUMBER = os.getpid()
CI, OTHER, READER = f"forging_ci_{NUMBER}", f"forging_other_{NUMBER}", f"forging_reader_{NUMBER}"
DENIED = (errors.InsufficientPrivilege, errors.UndefinedFunction)
COMPARED = [
    *(
        "text",
        "jsonb",
        "uuid",
        "bytea",
        "int4",
        "int8",
        "timestamptz",
        "interval",
        '"char"',
        "name",
        "bool",
        "oid",
    )
]
FINISHED = '{"status": "succeeded"}'


@pytest.fixture
def logins(postgres: Server, new_database: Callable[..., Database]) -> Iterator[None]:
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f"create role {CI} login in role audit_recorder".encode())
        admin.execute(f"create role {OTHER} login in role audit_recorder".encode())
        admin.execute(f"create role {READER} login in role audit_reader".encode())
        yield
        for (database,) in admin.execute(
            "select datname from pg_database where datname like 'test%'"
        ).fetchall():
            with psycopg.connect(postgres.url(database), autocommit=True) as there:
                there.execute(f"drop owned by {CI}, {OTHER}, {READER} cascade".encode())
        admin.execute(f"drop role {CI}, {OTHER}, {READER}".encode())


@pytest.fixture
def trail(audited: Database, logins: None) -> Database:
    """A trail in which everybody may create, and every table has rows."""
    with audited.connect() as admin:
        admin.execute(f"grant create on schema public to {CI}, {OTHER}, {READER}".encode())
        admin.execute(f'grant create on database "{audited.name}" to {CI}'.encode())
    with audited.connect(OTHER) as other:
        run = begin(other)
        other.execute("create table public.others (id int)")
        finish(other, run)
        other.execute("select audit.seal()")
    return audited


def begin(connection: psycopg.Connection[Any], described: str = "{}") -> UUID:
    row = connection.execute("select audit.begin_run(%s::pg_catalog.jsonb)", [described]).fetchone()
    assert row is not None
    run: UUID = row[0]
    return run


def finish(connection: psycopg.Connection[Any], run: UUID) -> None:
    connection.execute("select audit.finish_run(%s, %s::pg_catalog.jsonb)", [run, FINISHED])


def tables(database: Database) -> list[str]:
    return [
        name
        for (name,) in database.rows(
            "select relname::text from pg_class where relnamespace = 'audit'::regnamespace"
            " and relkind in ('r', 'p', 'v', 'm')"
        )
    ]


@pytest.mark.parametrize("login", [CI, READER], ids=["recorder", "reader"])
def test_nobody_writes(trail: Database, login: str) -> None:
    """Not one row of one table, not by a trick with a column, a copy, a sequence, a trigger or a lock."""
    with trail.connect(login) as connection:
        for table in tables(trail):
            name = f"audit.{table}"
            for attempt in (
                f"insert into {name} default values",
                f"delete from {name}",
                f"truncate {name}",
                f"drop table {name}",
                f"alter table {name} disable trigger all",
                f"alter table {name} add column x int",
                f"create trigger t after insert on {name} execute function pg_catalog.unique_key_recheck()",
                f"create index on {name} ((1))",
                f"create rule r as on insert to {name} do instead nothing",
                f"copy {name} from program 'true'",
                f"comment on table {name} is 'x'",
                f"select * from {name} for update",
                f"select * from {name} for key share",
            ):
                with pytest.raises(
                    # Of a view some make no sense, and it says so before it looks at rights.
                    (
                        *DENIED,
                        errors.WrongObjectType,
                        errors.FeatureNotSupported,
                        errors.ObjectNotInPrerequisiteState,
                    )
                ):
                    connection.execute(attempt.encode())
        first_columns = trail.rows(
            "select c.relname, a.attname from pg_class c"
            " join pg_attribute a on a.attrelid = c.oid and a.attnum = 1"
            " where c.relnamespace = 'audit'::regnamespace and c.relkind = 'r'"
        )
        for table, column in first_columns:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"update audit.{table} set {column} = {column}".encode())
        for attempt in (
            "create table audit.mine (id int)",
            "create function audit.f() returns int language sql as 'select 1'",
            "drop schema audit cascade",
            "alter schema audit rename to other",
            "drop event trigger track_schema_changes",
            "alter event trigger track_schema_changes disable",
            "alter function audit.begin_run(jsonb) owner to current_user",
            "set session_replication_role = replica",
            "set role audit_owner",
            "set session authorization postgres",
        ):
            with pytest.raises(DENIED):
                connection.execute(attempt.encode())
    assert trail.rows("select subject, detail from audit.verify() where not ok") == []


def test_only_these_functions_may_be_called(trail: Database) -> None:
    """What is not meant for a group is refused to everybody, PUBLIC and the groups' members alike."""
    allowed = {
        CI: {
            "audit.begin_run(jsonb)",
            "audit.finish_run(uuid,jsonb)",
            "audit.seal()",
            "audit.status()",
            "audit.verify(text)",
        },
        READER: {"audit.status()", "audit.verify(text)"},
        "public": set(),
    }
    for role, functions in allowed.items():
        may = trail.rows(
            "select p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'audit'::regnamespace"
            " and has_function_privilege(%s, p.oid, 'execute')",
            role,
        )
        assert {name for (name,) in may} == functions


def test_also_in_a_replica_session(trail: Database) -> None:
    """Somebody was allowed to set it: the recorders and the guards are enabled always."""
    if trail.major < 15:
        pytest.skip("GRANT SET ON PARAMETER came with PostgreSQL 15")
    with trail.connect() as admin:
        admin.execute(f"grant set on parameter session_replication_role to {CI}".encode())
        with trail.connect(CI) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute("create table public.by_a_replica (id int)")
        admin.execute(f"revoke set on parameter session_replication_role from {CI}".encode())
    assert trail.rows(
        "select database_user from audit.history where object_identity = 'public.by_a_replica'"
    ) == [(CI,)]


def test_nobody_writes_into_another_transaction(trail: Database) -> None:
    """Where a transaction stands is in a setting, which anybody may read and set."""
    words = []
    with trail.connect(CI) as mine:
        for number in range(3):
            mine.execute("begin")
            if words:
                mine.execute(f"set local audit.standing = '{words[0]}'".encode())
            mine.execute(f"create table public.standing_{number} (id int)".encode())
            words += mine.execute("select current_setting('audit.standing')").fetchone() or ()
            mine.execute("commit")
    assert len(set(words)) == 3
    assert trail.rows(
        "select count(*), count(distinct transaction_audit_id) from audit.history"
        " where object_identity like 'public.standing_%'"
    ) == [(3, 3)]


@pytest.mark.parametrize("level", ["read committed", "serializable"])
def test_nobody_hides_behind_a_savepoint(trail: Database, level: str) -> None:
    """What a transaction remembers of an event that was taken back, and is told again, is not believed."""
    name = f"hidden_{level[:4]}"
    with trail.connect(CI) as mine:
        mine.execute(f"begin isolation level {level}; savepoint s; create table public.{name}_0 ()".encode())
        told = mine.execute("select current_setting('audit.standing')").fetchone() or ("",)
        mine.execute(f"rollback to s; set local audit.standing = '{told[0]}'".encode())
        mine.execute(f"create table public.{name}_1 (); commit".encode())
        block = (
            "do $$ declare told text; begin"
            f" begin create table public.{name}_0 ();"
            " told := current_setting('audit.standing'); raise exception using message = 'taken back';"
            " exception when raise_exception then null; end;"
            f" perform set_config('audit.standing', told, true); create table public.{name}_2 (); end $$"
        )
        mine.execute(f"begin isolation level {level}; create table public.{name} ()".encode())
        mine.execute(block.encode())
        mine.execute("commit")
    assert trail.rows(
        "select object_identity, database_user, query_text from audit.history"
        f" where object_identity like 'public.{name}%' order by event_time"
    ) == [
        (f"public.{name}_1", CI, f"create table public.{name}_1 (); commit"),
        (f"public.{name}", CI, f"begin isolation level {level}; create table public.{name} ()"),
        (f"public.{name}_2", CI, block),
    ]


def test_nobody_speaks_for_another(trail: Database) -> None:
    with trail.connect(CI) as mine, trail.connect(OTHER) as others:
        theirs = begin(others)
        for attempt in (
            f'select audit.begin_run(\'{{"database_user": "{OTHER}"}}\')',
            f"select audit.finish_run('{theirs}', '{FINISHED}')",
            f"insert into audit.recorder_permission (recorder, database_user) values ('{CI}', '{OTHER}')",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                mine.execute(attempt.encode())
        mine.execute(f"set audit.run_id = '{theirs}'".encode())
        mine.execute("create table public.claimed (id int)")
        mine.execute(f"reset audit.run_id; set application_name = 'schema-audit/{theirs}'".encode())
        mine.execute("create table public.named (id int)")
        finish(others, theirs)
        own = begin(mine)
        finish(mine, own)
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="ended already"):
            finish(mine, own)
        mine.execute(f"reset application_name; set audit.run_id = '{own}'".encode())
        mine.execute("create table public.after_the_end (id int)")
    rows = trail.rows(
        "select object_identity, run_id, delivery, login_user from audit.history"
        " where database_user = %s order by object_identity",
        CI,
    )
    assert rows == [
        ("public.after_the_end", None, "none", CI),
        ("public.claimed", None, "none", CI),
        ("public.named", None, "none", CI),
    ]


def test_nobody_makes_others_wait(trail: Database) -> None:
    """A transaction that did everything it may and stays open: others change the schema, run, and read."""
    with trail.connect() as admin:
        admin.execute("set audit.x = ''")
        admin.execute(
            "insert into audit.migration_run (database_user, begun_by, expires_at) values (%s, %s, now())",
            [CI, CI],
        )
    holder = trail.connect(CI, autocommit=False)
    run = begin(holder)
    holder.execute("create table public.held (id int)")
    holder.execute("select audit.seal()")
    holder.execute("select * from audit.verify()")
    for table in tables(trail):
        for mode in ("row share", "row exclusive", "share", "exclusive", "access exclusive"):
            with holder.transaction(force_rollback=True), pytest.raises(errors.InsufficientPrivilege):
                holder.execute(f"lock table audit.{table} in {mode} mode".encode())
    finish(holder, run)
    for other in (CI, OTHER, "postgres"):
        with trail.connect(other) as connection:
            connection.execute("set statement_timeout = '4s'")
            theirs = begin(connection)
            connection.execute(
                "create table public.t (id int); alter table public.t rename to u; drop table public.u"
            )
            finish(connection, theirs)
            connection.execute("select count(*) from audit.history")
            connection.execute("select count(*) from audit.verify()")
    # A run that somebody is finishing already is refused, not waited for.
    holder.rollback()
    run = begin(holder)
    holder.commit()
    finish(holder, run)
    with trail.connect() as admin:
        admin.execute(
            "insert into audit.recorder_permission (recorder, database_user) values ('postgres', %s)", [CI]
        )
        admin.execute("set statement_timeout = '4s'")
        with pytest.raises(errors.LockNotAvailable, match="Another session is finishing"):
            finish(admin, run)
    holder.rollback()


def test_no_function_takes_a_lock_that_is_everybodys(trail: Database) -> None:
    assert not trail.rows(
        "select proname from pg_proc where pronamespace = 'audit'::regnamespace"
        " and prosrc ~* 'pg_(try_)?advisory'"
    )


def test_a_recorder_changes_nothing_by_odd_settings(trail: Database) -> None:
    """Whatever a session sets, the functions that act for the owner do the same."""
    with trail.connect(CI) as connection:
        for setting in (
            "standard_conforming_strings = off",
            "backslash_quote = off",
            "escape_string_warning = on",
            "search_path = ''",
            "row_security = off",
            "timezone = 'Asia/Kathmandu'",
            "datestyle = 'SQL, DMY'",
            "intervalstyle = 'sql_standard'",
            "bytea_output = 'escape'",
            "xmloption = document",
            "transform_null_equals = on",
            "array_nulls = off",
            "quote_all_identifiers = on",
            "enable_hashjoin = off",
            "plan_cache_mode = force_generic_plan",
        ):
            connection.execute(f"set {setting}".encode())
        run = begin(connection)
        connection.execute("create table public.odd (id int)")
        finish(connection, run)
        connection.execute("select audit.seal()")
        assert connection.execute("select * from audit.verify() where not ok").fetchall() == []
    assert trail.rows("select subject, detail from audit.verify() where not ok") == []
    assert trail.rows("select run_id::text from audit.history where object_identity = 'public.odd'") == [
        (str(run),)
    ]


def shadows(trail: Database) -> list[str]:
    """For each built-in function, operator and relation that the trail could mean, one of the attacker's.

    Each makes its caller's rights the attacker's own, and says so.
    """
    body = "$f$ begin perform evil.take_over(); return null; end $f$"
    sources = "\n".join(
        source
        for (source,) in trail.rows("select prosrc from pg_proc where pronamespace = 'audit'::regnamespace")
    )
    words = sorted(set(re.findall(r"[a-z_][a-z_0-9]+", sources)))
    made = [
        "create schema evil",
        "create table evil.taken (by_whom text)",
        "create function evil.take_over() returns int language plpgsql as"
        " $f$ begin insert into evil.taken values (current_user); return 1; end $f$",
        "grant usage, create on schema evil to public",
        "grant insert on evil.taken to public",
    ]
    functions = trail.rows(
        """
        select p.proname::text, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid)
          from pg_proc p
         where p.pronamespace = 'pg_catalog'::regnamespace
           and p.prokind = 'f'
           and p.proname = any (%s)
           and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
           and p.provariadic = 0
           and 'internal'::regtype <> all (p.proargtypes::oid[])
           and 'cstring'::regtype <> all (p.proargtypes::oid[] || p.prorettype)
           and pg_get_function_arguments(p.oid) !~ 'OUT|"any"'
        """,
        words,
    )
    for name, arguments, result in functions:
        kind = "setof record" if result == "SETOF record" else result
        made.append(
            f'create function evil."{name}"({arguments}) returns {kind} language plpgsql as '
            + (
                body
                if not kind.lower().startswith("setof")
                else "$f$ begin perform evil.take_over(); end $f$"
            )
        )
    operators = trail.rows(
        """
        select o.oprname::text, o.oprleft::regtype::text, o.oprright::regtype::text,
               o.oprresult::regtype::text
          from pg_operator o
         where o.oprleft = any (%s::text[]::regtype[])
           and o.oprright = any (%s::text[]::regtype[])
        """,
        COMPARED,
        COMPARED,
    )
    for number, (name, left, right, result) in enumerate(operators):
        function = f"evil.operator_{number}"
        made.append(
            f"create function {function}(a {left}, b {right}) returns {result} language plpgsql as {body}"
        )
        made.append(
            f"create operator evil.{name} (leftarg = {left}, rightarg = {right}, function = {function})"
        )
    relations = trail.rows(
        "select relname::text from pg_class where relname = any (%s) and relkind in ('r', 'v')"
        " and relnamespace in ('pg_catalog'::regnamespace, 'audit'::regnamespace)",
        words,
    )
    for (name,) in relations:
        made.append(f'create view evil."{name}" as select evil.take_over() as "{name}"')
        made.append(f'create temporary table "{name}" (id int)')
    made += [
        f'create domain {schema}."{name}" as pg_catalog.int4'
        for name in ("text", "uuid", "jsonb", "regclass", "regrole", "regprocedure")
        for schema in ("evil", "pg_temp")
    ]
    assert len(functions) > 60
    assert len(operators) > 100
    assert len(relations) > 10
    return made


@pytest.mark.parametrize("search_path", ["evil, pg_catalog, pg_temp", "pg_temp, evil, pg_catalog"])
def test_a_shadowed_name_gives_nobody_the_owners_rights(trail: Database, search_path: str) -> None:
    """The attack by which a SECURITY DEFINER function without a search_path makes anybody a superuser."""
    with trail.connect(CI) as connection:
        for statement in shadows(trail):
            connection.execute(statement.encode())
        # It works where nothing defends against it: the trap is real.
        connection.execute(f"set search_path = {search_path}".encode())
        connection.execute("select lower('X'::pg_catalog.text) from pg_catalog.pg_database limit 1")
        run = begin(connection)
        connection.execute("create table public.made (id pg_catalog.int4)")
        connection.execute("alter table public.made rename to renamed")
        connection.execute("alter table public.renamed alter column id type pg_catalog.int8")
        connection.execute("grant select on table public.renamed to public")
        connection.execute("drop table public.renamed")
        finish(connection, run)
        connection.execute("select audit.seal()")
        connection.execute("select audit.status()")
        connection.execute("select audit.verify()")
    taken = {whom for (whom,) in trail.rows("select by_whom from evil.taken")}
    assert taken <= {CI}
    rows = trail.rows(
        "select event, command_tag, object_identity, previous_identity from audit.history"
        " where run_id = %s and object_identity like 'public.%%' and object_type = 'table'"
        " order by event_time, position",
        run,
    )
    assert rows == [
        ("command", "CREATE TABLE", "public.made", None),
        ("command", "ALTER TABLE", "public.renamed", "public.made"),
        ("rewrite", "ALTER TABLE", "public.renamed", None),
        ("command", "ALTER TABLE", "public.renamed", None),
        ("drop", "DROP TABLE", "public.renamed", None),
    ]
    assert trail.rows("select rolsuper from pg_roles where rolname = %s", CI) == [(False,)]
    assert trail.rows("select subject, detail from audit.verify() where not ok") == []


def test_the_trap_is_real(trail: Database) -> None:
    """A function of an owner without a search_path falls into the same trap, so the test above can fail."""
    with trail.connect() as admin:
        admin.execute(
            "create function public.careless() returns text security definer language plpgsql as"
            " $f$ begin return current_query(); end $f$"
        )
    with trail.connect(CI) as connection:
        for statement in shadows(trail):
            connection.execute(statement.encode())
        connection.execute("set search_path = evil, pg_catalog")
        connection.execute("select public.careless()")
    assert ("postgres",) in trail.rows("select by_whom from evil.taken")


def test_every_function_that_acts_for_its_owner_pins_where_it_looks(trail: Database) -> None:
    assert (
        trail.rows(
            """
        select p.oid::regprocedure::text
          from pg_proc p
         where p.pronamespace = 'audit'::regnamespace
           and p.prosecdef
           and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)
        """
        )
        == []
    )
