"""Does a dump and restore lose nothing of the trail, invent nothing, and mix nothing up afterwards?"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from servers import MAJORS, Database, create_database, drop_database

from audit_action.demo.postgres import Server, wheel_bin
from audit_action.trail import install_script

TABLES = (
    "installation",
    "migration_run",
    "recorder_permission",
    "transaction_audit",
    "ddl_audit",
    "block",
    "sealed_row",
    "purged_block",
)
WAYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "plain": (("--format=plain",), ()),
    "custom": (("--format=custom",), ()),
    "one transaction": (("--format=custom",), ("--single-transaction",)),
    "two jobs": (("--format=custom",), ("--jobs=2",)),
    "over a trail": (("--format=custom",), ("--clean", "--if-exists")),
}
FUTURE = 3000
"""How many ids ahead of the target's next one the source has transactions of."""


def run(major: int, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """One of the programs that know this major; those of 17 and newer set what older servers do not have."""
    return subprocess.run(
        [wheel_bin(16 if major <= 16 else 18) / command[0], *command[1:]],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def trail(database: Database) -> dict[str, set[str]]:
    """Every row of every table, as one text whatever the session's settings."""
    with psycopg.connect(database.url(), autocommit=True, client_encoding="UTF8") as connection:
        connection.execute("set timezone = 'UTC'")
        return {
            table: {
                row[0]
                for row in connection.execute(
                    f"select to_json(r)::text from audit.{table} r".encode()
                ).fetchall()
            }
            for table in TABLES
        }


def wrong(database: Database) -> list[tuple[Any, ...]]:
    return database.rows("select subject, detail from audit.verify() where not ok")


def bad_checks(database: Database) -> set[str]:
    return {name for (name,) in database.rows('select "check" from audit.status() where not ok')}


@pytest.fixture
def source(servers: Callable[[int], Server]) -> Iterator[Database]:
    """A trail with a history, on the oldest major."""
    made = create_database(servers(min(MAJORS)), f"source_{os.getpid()}", "template audited_template")
    fill(made)
    yield made
    drop_database(made)


def fill(database: Database) -> None:
    with database.connect() as connection:
        connection.execute('select audit.begin_run(\'{"environment": "staging"}\')')
        connection.execute("create table public.t (id serial primary key, name text)")
        connection.execute("create view public.v as select name from public.t")
        connection.execute('create table public."été" (id int)')
        connection.execute("drop table public.t cascade")
        run_id = connection.execute("select id from audit.migration_run").fetchone()
        connection.execute("""select audit.finish_run(%s, '{"status": "succeeded"}')""", run_id)
        connection.execute("select audit.purge('0')")
        connection.execute(
            "insert into audit.recorder_permission (recorder, database_user) values ('a', 'b')"
        )
        connection.execute("create table public.kept (id int primary key)")
        connection.execute("grant select on public.kept to audit_reader")
        connection.execute("select audit.begin_run('{}')")
        connection.execute("select audit.seal()")


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_lost_or_invented(
    source: Database, new_database: Callable[..., Database], way: str, tmp_path: Path
) -> None:
    target = new_database("template audited_template" if way == "over a trail" else "")
    dump_options, restore_options = WAYS[way]
    if way == "over a trail":
        with target.connect() as connection:
            connection.execute("create table public.of_the_target (id int)")
    ahead = target.rows("select txid_current()")[0][0]
    with source.connect() as connection:
        # As if the source had counted further: these ids will come again on the target.
        connection.execute(
            """
            insert into audit.transaction_audit (
              transaction_id, event_time, database_user, application_user_name
            )
            select %s::bigint + i, now() - interval '1 day', 'ci_user', 'Alice' from generate_series(1, %s) i
            """,
            [ahead, FUTURE],
        )
        connection.execute("select audit.seal()")
    file = tmp_path / "dump"
    dumped = run(target.major, "pg_dump", *dump_options, f"--file={file}", source.url())
    assert dumped.returncode == 0, dumped.stderr
    if way == "plain":
        restored = run(target.major, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, target.url())
    else:
        restored = run(target.major, "pg_restore", *restore_options, f"--dbname={target.url()}", file)
    assert (restored.returncode, restored.stderr) == (0, "")
    assert trail(target) == trail(source)
    assert wrong(target) == []
    assert bad_checks(target) <= {"unchanged"}
    new_transactions_are_new_rows(target, ahead)


def new_transactions_are_new_rows(target: Database, ahead: int) -> None:
    before = target.rows("select count(*) from audit.transaction_audit")[0][0]
    with target.connect(options="-c audit.user_name=Grace -c audit.run_id=x") as connection:
        for number in range(20):
            connection.execute(f"create table public.new_{number} (id int)".encode())
    rows = target.rows(
        """
        select t.application_user_name, t.database_user, count(*), count(distinct t.id),
               min(t.transaction_id), max(t.transaction_id)
          from audit.ddl_audit d
          join audit.transaction_audit t on t.id = d.transaction_audit_id
         where d.object_identity like 'public.new\\_%'
         group by 1, 2
        """
    )
    assert [row[:4] for row in rows] == [("Grace", "postgres", 20, 20)]
    # They did come again.
    assert ahead < rows[0][4] < rows[0][5] <= ahead + FUTURE
    assert target.rows("select count(*) from audit.transaction_audit") == [(before + 20,)]
    with target.connect() as connection:
        connection.execute("select audit.seal()")
    assert wrong(target) == []
    with target.connect() as connection:
        connection.execute(install_script())
    assert bad_checks(target) == set()
    assert wrong(target) == []


def test_a_restore_by_the_owner_of_a_database_is_completed_by_an_installation(
    source: Database, postgres: Server, new_database: Callable[..., Database], tmp_path: Path
) -> None:
    """Who is no superuser restores every row, but no event trigger; until then audit.status() says so."""
    target = new_database()
    name = f"owner_{os.getpid()}"
    owner = sql.Identifier(name)
    with psycopg.connect(target.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("create role {} login").format(owner))
        admin.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(target.name), owner))
    try:
        file = tmp_path / "dump"
        assert run(target.major, "pg_dump", "--format=custom", f"--file={file}", source.url()).returncode == 0
        restored = run(target.major, "pg_restore", "--no-owner", f"--dbname={target.url(name)}", file)
        complaints = [line for line in restored.stderr.splitlines() if "error:" in line]
        assert complaints
        assert all("event trigger" in line for line in complaints), restored.stderr
        assert trail(target) == trail(source)
        assert {check for check in bad_checks(target) if check.startswith("event trigger")}
        with target.connect() as admin:
            admin.execute(install_script())
        assert bad_checks(target) == set()
        assert wrong(target) == []
        owners = target.rows(
            "select distinct relowner::regrole::text from pg_class where relnamespace = 'audit'::regnamespace"
        )
        assert owners == [("audit_owner",)]
        with target.connect(name) as plain:
            plain.execute("create table public.later (id int)")
        assert target.rows("select 1 from audit.history where object_identity = 'public.later'")
    finally:
        drop_database(target)
        with psycopg.connect(postgres.url(), autocommit=True) as admin:
            admin.execute(sql.SQL("drop role {}").format(owner))


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_the_digests_hold_in_another_encoding(
    servers: Callable[[int], Server], newest_postgres: Server, encoding: str, tmp_path: Path
) -> None:
    """Text is sealed as UTF-8 whatever the encoding; what SQL_ASCII holds is taken as it is."""
    made = [
        create_database(
            servers(min(MAJORS)),
            f"from_{encoding.lower()}_{os.getpid()}",
            f"template template0 encoding '{encoding}' lc_collate 'C' lc_ctype 'C'",
        ),
        create_database(newest_postgres, f"to_utf8_{encoding.lower()}_{os.getpid()}"),
    ]
    origin, target = made
    try:
        with origin.connect(client_encoding="UTF8") as connection:
            connection.execute(install_script())
        with origin.connect(client_encoding="UTF8" if encoding == "LATIN1" else "SQL_ASCII") as connection:
            connection.execute('create table public."été" (id int)'.encode())
            connection.execute("select audit.seal()")
        assert wrong(origin) == []
        file = tmp_path / "dump"
        dumped = run(target.major, "pg_dump", "--encoding=UTF8", f"--file={file}", origin.url())
        assert dumped.returncode == 0, dumped.stderr
        restored = run(target.major, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, target.url())
        assert (restored.returncode, restored.stderr) == (0, "")
        assert target.rows("select 1 from audit.history where object_identity = 'public.\"été\"'")
        assert wrong(target) == []
    finally:
        for each in made:
            drop_database(each)


def test_a_restore_that_refreshes_a_view_says_so(
    newest_audited: Database, newest_postgres: Server, tmp_path: Path
) -> None:
    """pg_dump refreshes materialized views last of all, after the event triggers: that did happen there."""
    target = create_database(newest_postgres, f"refreshed_{os.getpid()}")
    try:
        with newest_audited.connect() as connection:
            connection.execute("create materialized view public.mv as select 1 as one")
        file = tmp_path / "dump"
        assert run(target.major, "pg_dump", f"--file={file}", newest_audited.url()).returncode == 0
        with_psql = run(target.major, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, target.url())
        assert (with_psql.returncode, with_psql.stderr) == (0, "")
        before, after = trail(newest_audited)["ddl_audit"], trail(target)["ddl_audit"]
        assert before < after
        assert all('"command_tag":"REFRESH MATERIALIZED VIEW"' in row for row in after - before)
        assert len(after - before) == 1
    finally:
        drop_database(target)
