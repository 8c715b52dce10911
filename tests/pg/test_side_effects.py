"""Does a session behave with the trail as it does without?"""

from __future__ import annotations

from pathlib import Path

import pytest
from servers import Database

# One command of each way that audit.log_schema_changes has.
COMMANDS = (
    "create table t (a int primary key, b int)",
    "comment on table t is 'x'",
    "alter table t rename to u",
    "alter table u alter column b type bigint",
    "create or replace view v as select * from u",
    "grant select on u to public",
    "do $$ begin execute 'create index i on u (b)'; end $$",
    "do $$ begin execute 'drop index i'; end $$",
    "drop table u cascade",
)


def test_no_command_waits_for_a_compiler(audited: Database) -> None:
    """Before 18 a plan that must read a table whole against its will looks worth 90 ms of compiling."""
    # Asked in another session: the answer loads the compiler.
    if audited.rows("select pg_jit_available()") != [(True,)]:
        pytest.skip("this server has no compiler")
    with audited.connect() as session:
        session.execute("set jit = on")
        for command in COMMANDS:
            session.execute(command.encode())
        assert "llvmjit" not in Path(f"/proc/{session.info.backend_pid}/maps").read_text()


def test_chance_takes_its_course(audited: Database) -> None:
    """A migration that fills a table by setseed() and random() fills it as it would without the trail."""
    with audited.connect() as session:
        drawn = []
        for commands in (COMMANDS, ()):
            session.execute("select setseed(0.5)")
            for command in commands:
                session.execute(command.encode())
            drawn.append(session.execute("select random()").fetchone())
    assert drawn[0] == drawn[1]
