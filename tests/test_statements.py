"""Is every change shown with the one statement that made it, and never with another?"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from itertools import groupby
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from migration_files import MigrationFile, migration_file
from psycopg.rows import class_row
from reports import Trail
from servers import Database

from audit_action.line_up import line_up
from audit_action.model import Delivery, Event, EventKind
from audit_action.statements import MAX_PARSED, split

FILES = 1_000
PARTS = 4
CONTROL = re.compile(r"(?i)\A(?:begin|commit|end)\b")
COLUMNS = ", ".join(each.name for each in fields(Event))


@pytest.fixture
def psql(newest_audited: Database) -> str:
    """psql of the test's server, or of the system."""
    found = shutil.which("psql", path=str(newest_audited.server.bin)) or shutil.which("psql")
    if not found:
        pytest.skip("NO PSQL on this machine: files with backslash commands are not tried")
    return found


def events_since(connection: psycopg.Connection[Any], before: int) -> list[Event]:
    """What the trail has recorded after its first `before` events, in order."""
    with connection.cursor(row_factory=class_row(Event)) as cursor:
        order = "event_time, transaction_id, position"
        query = f"select {COLUMNS} from audit.history order by {order} offset {before}"
        rows = cursor.execute(query.encode()).fetchall()
    return [replace(each, event=EventKind(each.event), delivery=Delivery(each.delivery)) for each in rows]


def sent(connection: psycopg.Connection[Any], text: str) -> None:
    """The text as one message of the simple query protocol, as dbmate and golang-migrate send a file."""
    result = connection.pgconn.exec_(text.encode())
    assert not result.error_message, f"{result.error_message.decode()}\n{text}"


def lined_up(events: Iterable[Event]) -> Iterator[tuple[Event, str | None]]:
    """Each event with the statement it was lined up with."""
    for _, members in groupby(events, key=lambda each: (each.transaction_audit_id, each.message)):
        message = list(members)
        for lines in line_up(message[0].query_text or "", message).lines:
            for event in lines.events:
                yield event, lines.statement.text if lines.statement else None


def told(event: Event) -> tuple[str, str, str]:
    """What an event is about, without the numbers PostgreSQL gives to its own triggers.

    PostgreSQL does not name what a GRANT is on; the trail finds it out where it can, more often alone.
    """
    named = "" if event.command_tag == "GRANT" else event.object_identity or ""
    return event.event, event.command_tag, re.sub(r"(RI_ConstraintTrigger_.)_\d+", r"\1", named)


def verdicts(truth: list[Event], found: list[Event]) -> Counter[str]:
    """How many statements were lined up right, and how many were left uncertain; none may be wrong.

    `truth` are the events of the same statements sent one by one: each has its own statement as its message.
    """
    assert list(map(told, truth)) == list(map(told, found))
    of_statement: dict[str, set[str]] = {}
    for (event, statement), true in zip(lined_up(found), truth, strict=True):
        assert statement in {None, true.query_text}, f"{told(event)} was lined up with another's statement"
        if event.statement_text is None:  # else it names its own: the inner statement of a DO block
            right = "right" if statement else "uncertain"
            of_statement.setdefault(f"{true.transaction_id}/{true.message}", set()).add(right)
    return Counter("uncertain" if "uncertain" in each else "right" for each in of_statement.values())


def both_ways(connection: psycopg.Connection[Any], file: MigrationFile) -> tuple[list[Event], list[Event]]:
    """The events of a file sent statement by statement, and of the same sent as one message."""
    inner = [each for each in file.statements if not CONTROL.match(each)]
    whole = file.text if len(inner) == len(file.statements) else ";\n".join(inner)
    ways = []
    for messages in (inner, [whole]):
        with connection.transaction(force_rollback=True):
            for each in messages:
                sent(connection, each)
            ways.append(events_since(connection, 0))
    return ways[0], ways[1]


@pytest.mark.parametrize("part", range(PARTS))
def test_a_thousand_migration_files_line_up(newest_audited: Database, part: int) -> None:
    connection = newest_audited.connect()
    seen: Counter[str] = Counter()
    for number in range(part, FILES, PARTS):
        file = migration_file(number)
        if not file.only_psql:
            seen += verdicts(*both_ways(connection, file))
    assert seen["right"] > 1_000
    assert seen["right"] >= 0.995 * seen.total()


def test_every_major_lines_up(audited: Database) -> None:
    connection = audited.connect()
    seen: Counter[str] = Counter()
    for number in range(FILES, FILES + 60):
        file = migration_file(number)
        if not file.only_psql and "begin atomic" not in file.text:  # PostgreSQL 13 has no such body
            seen += verdicts(*both_ways(connection, file))
    assert seen["right"] >= 0.995 * seen.total()


def test_transactions_inside_a_message_line_up(newest_audited: Database) -> None:
    connection = newest_audited.connect()
    wrapped = [file for file in map(migration_file, range(FILES)) if CONTROL.match(file.statements[0])]
    seen: Counter[str] = Counter()
    for file in wrapped[:25]:
        ways = []
        for messages in (list(file.statements), [file.text]):
            connection.execute("drop schema if exists own cascade; create schema own; set search_path = own")
            before = len(events_since(connection, 0))
            for each in messages:
                sent(connection, each)
            ways.append(events_since(connection, before))
        seen += verdicts(*ways)
    assert seen["right"] > 100
    assert seen["uncertain"] == 0


def test_psql_files_line_up(newest_audited: Database, psql: str) -> None:
    connection = newest_audited.connect()
    files = [file for file in map(migration_file, range(FILES)) if file.only_psql]
    for file in files[:20]:
        sent(connection, "drop schema if exists own cascade; create schema own")
        before = len(events_since(connection, 0))
        command = [psql, "-X", "-q", "-1", "-c", "set search_path = own", "-f", "-", newest_audited.url()]
        done = subprocess.run(command, input=file.text.encode(), capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        for event, statement in lined_up(events_since(connection, before)):
            assert statement in file.statements, told(event)


# --- What must be left uncertain, and what must not -----------------------------------------------


def of(*events: tuple[str, str, str | None]) -> tuple[Event, ...]:
    trail = Trail().transaction().message("")
    for tag, kind, identity in events:
        trail.command(tag, kind, identity)
    return tuple(trail.events)


TABLE_A = ("CREATE TABLE", "table", "public.a")
ALTER_A = ("ALTER TABLE", "table", "public.a")
INDEX_A = ("CREATE INDEX", "index", "public.a_id_idx")


CASES = {
    "one is missing, so it is another message": ("create table a(); create table b()", [TABLE_A], [None]),
    "either of two": (
        "create table if not exists a(); create table if not exists a()",
        [TABLE_A],
        [None],
    ),
    "a no-op before": (
        "create table if not exists b(); create table a()",
        [TABLE_A],
        ["create table a()"],
    ),
    "a function may have done it": (
        "create schema if not exists x; create table if not exists a(); select f()",
        [TABLE_A],
        [None],
    ),
    "alike, and both must have been": (
        "alter table a add x int; select setval('s', 1); alter table a add y int",
        [ALTER_A, ALTER_A],
        ["alter table a add x int", "alter table a add y int"],
    ),
    "alike, and one was not": (
        "alter table if exists a add x int; alter table if exists a add y int",
        [ALTER_A],
        [None],
    ),
    "the one that was not rolled back": (
        "begin; create table a(); rollback; begin; create table a(); commit",
        [TABLE_A],
        ["create table a()"],
    ),
    "the transaction that has nothing else": (
        "begin; create table a(); commit; begin; drop table a; create table a(); commit",
        [TABLE_A],
        ["create table a()"],
    ),
    "either of two transactions": (
        "begin; create table if not exists a(); commit; begin; create table if not exists a(); commit",
        [TABLE_A],
        [None],
    ),
    "before or after a savepoint": (
        "savepoint s; create table a(); rollback to s; create table a()",
        [TABLE_A],
        [None],
    ),
    "an index of its own": (
        "create table a(); create index on a(id)",
        [TABLE_A, INDEX_A],
        ["create table a()", "create index on a(id)"],
    ),
    "another schema": ("create table s1.a(); create table if not exists a()", [TABLE_A], [None]),
    "quotes and comments": (
        'create table a() -- \'\n; /* ; */ create table "B"()',
        [TABLE_A, ("CREATE TABLE", "table", 'public."B"')],
        ["create table a() -- '", 'create table "B"()'],
    ),
    "no SQL at all": ("create tabel a(); select 1", [TABLE_A], [None]),
    "no text": ("", [TABLE_A], [None]),
}


@pytest.mark.parametrize(("message", "events", "expected"), CASES.values(), ids=CASES)
def test_only_what_can_be_no_other_is_certain(
    message: str, events: list[tuple[str, str, str | None]], expected: list[str | None]
) -> None:
    lines = line_up(message, of(*events)).lines
    assert [
        each.statement.text if each.statement else None for each in lines for _ in each.events
    ] == expected


def test_three_thousand_alike_are_told_apart() -> None:
    texts = [f"comment on column a.c{number} is 'x'" for number in range(3_000)]
    events = of(*(("COMMENT", "table column", f"public.a.c{number}") for number in range(3_000)))
    lines = line_up(";".join(texts), events).lines
    assert [each.statement.text for each in lines if each.statement] == texts


def test_too_many_ways_are_given_up() -> None:
    message = ";".join(["grant select on a to b"] * 3_000)
    events = of(*(("GRANT", "table", None) for _ in range(1_500)))
    assert [each.statement for each in line_up(message, events).lines] == [None]


def test_deep_expressions_are_split_but_not_parsed() -> None:
    statements = split("select " + "+".join(["1"] * 200_000) + "; create table a()")
    assert [each.node is None for each in statements] == [True, False]
    assert len(statements[0].text) > MAX_PARSED


@given(
    st.text(), st.lists(st.sampled_from([TABLE_A, ALTER_A, INDEX_A, ("GRANT", "TABLE", None)]), min_size=1)
)
def test_no_event_is_lost_whatever_the_text(text: str, events: list[tuple[str, str, str | None]]) -> None:
    given_events = of(*events)
    assert (
        tuple(event for lines in line_up(text, given_events).lines for event in lines.events) == given_events
    )
