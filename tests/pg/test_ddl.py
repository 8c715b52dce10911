"""Does every DDL command still succeed with the trail, and does the trail then say what it did?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from ddl_cases import Case, read_cases
from servers import Database

from audit_action.demo.postgres import Server

CASES = read_cases()
PIECES = 16  # cases are tested in so many pieces for each major: few enough to read, many enough to share out
ROLES = ("app", "owner", "reader")

EVENTS = """
    select event, command_tag, coalesce(object_identity, '?'), previous_identity, original, rewrite_reason
      from audit.history
     order by transaction_start, transaction_id, position
"""


def prepare_roles(server: Server) -> None:
    with psycopg.connect(server.url(), autocommit=True) as admin:
        for role in ROLES:
            if not admin.execute("select from pg_roles where rolname = %s", [f"case_{role}"]).rowcount:
                admin.execute(f"create role case_{role} login".encode())
        if admin.execute("select from pg_roles where rolname = 'audit_reader'").rowcount:
            admin.execute("grant audit_reader to case_reader")


def filled_in(text: str, database: Database) -> str:
    has_contrib = bool(database.rows("select 1 from pg_available_extensions where name = 'hstore'"))
    names = {role: f"case_{role}" for role in ROLES} | {
        "database": database.name,
        "extension": "hstore" if has_contrib else "vector",
    }
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def execute(database: Database, user: str, statement: str) -> str:
    """Empty text, or the error that PostgreSQL gave."""
    with psycopg.connect(database.url(user), autocommit=True) as connection:
        try:
            connection.execute(filled_in(statement, database).encode())
        except psycopg.Error as error:
            return str(error)
    return ""


def written(row: tuple[Any, ...], database: Database) -> str:
    event, tag, identity, previous, original, reason = row
    mark = {"command": "", "drop": "- " if original else "~ ", "rewrite": "* "}[event]
    line = f"{mark}{tag} {identity}"
    line += f" ({reason})" if reason is not None else ""
    line += f" <- {previous}" if previous else ""
    for short, name in (("{database}", database.name), ("{extension}", filled_in("{extension}", database))):
        line = line.replace(name, short)
    for role in ROLES:
        line = line.replace(f"case_{role}", f"{{{role}}}")
    return line


def history(database: Database) -> list[str]:
    with psycopg.connect(database.url(), autocommit=True) as connection:
        return [written(row, database) for row in connection.execute(EVENTS.encode()).fetchall()]


def run_case(case: Case, database: Database) -> tuple[str, list[str]]:
    """The error that the statement met, or empty text; and what the trail, where there is one, says of it."""
    audited = bool(database.rows("select 1 from pg_namespace where nspname = 'audit'"))
    execute(database, "postgres", f"alter database {database.name} owner to case_owner")
    if case.setup:
        assert not execute(database, "postgres", case.setup)
    before = len(history(database)) if audited else 0
    user = case.role if case.role == "postgres" else f"case_{case.role}"
    error = execute(database, user, case.statement)
    return error, history(database)[before:] if audited else []


@pytest.mark.parametrize("piece", range(PIECES))
def test_ddl(piece: int, postgres: Server, new_database: Callable[..., Database]) -> None:
    prepare_roles(postgres)
    wrong = []
    for case in CASES[piece::PIECES]:
        if postgres.major not in case.majors:
            continue
        error, events = run_case(case, new_database("template audited_template"))
        if error or events != case.lines(postgres.major):
            # What fails with the trail fails by the trail, unless it fails without it, too.
            control, _ = run_case(case, new_database()) if error else ("", [])
            wrong.append((case.name, error, {"without": control}, events, case.lines(postgres.major)))
    assert not wrong


def test_there_are_cases_enough() -> None:
    assert len(CASES) >= 200
    assert len({case.name for case in CASES}) == len(CASES)
