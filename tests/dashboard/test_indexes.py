"""Does sql/dashboard.sql make the indexes that the filters look for, and leave everything else alone?"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
import pytest
from psql import psql
from servers import ROOT, Database

from audit_action.cli import main
from audit_action.dashboard.database import _filled
from audit_action.dashboard.filters import Filter
from audit_action.trail import install_script

INDEXES = (
    "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index i"
    " join pg_class c on c.oid = i.indrelid where c.relnamespace = 'audit'::regnamespace order by 1"
)
DETAIL = "select detail from audit.status() where \"check\" = 'dashboard indexes'"


@pytest.fixture
def long_history(other: Database) -> Database:
    """Some thousand events of bench/history, and the indexes."""
    values = {"transactions": 4_000, "runs": 801, "start": "2024-01-01 00:00:00+00", "step": "600 seconds"}
    with other.connect() as connection:
        for part in ("runs", "transactions", "events"):
            connection.execute((ROOT / f"bench/history/{part}.sql").read_bytes(), values)
        connection.execute("vacuum analyze")
    assert psql(other, "sql/dashboard.sql").returncode == 0
    return other


def plan(database: Database, query: str, values: Mapping[str, object]) -> str:
    with psycopg.connect(database.url()) as connection:
        lines = connection.execute(
            b"explain " + _filled(query, warehouse=False).rstrip().rstrip(b";"), values
        ).fetchall()
    return "\n".join(line for (line,) in lines)


def test_by_psql_and_by_the_command_line_it_is_the_same_and_twice_is_once(
    other: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = other.rows(INDEXES)
    assert "reads every event" in other.rows(DETAIL)[0][0]
    for _ in range(2):
        done = psql(other, "sql/dashboard.sql")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    made = other.rows(INDEXES)
    assert set(made) > set(before)
    assert other.rows(DETAIL) == [("filters use indexes",)]
    monkeypatch.setattr("sys.argv", ["schema-audit"])
    assert main(["install", "--for-dashboard", "--database-url", database.url()]) == 0
    assert database.rows(INDEXES) == made


def test_another_installation_leaves_them_and_they_belong_to_the_trail(other: Database) -> None:
    psql(other, "sql/dashboard.sql")
    made = other.rows(INDEXES)
    with other.connect() as connection:
        connection.execute(install_script())
        connection.execute("create table public.later (id int); drop table public.later")
    assert other.rows(INDEXES) == made
    owners = other.rows(
        "select distinct relowner::regrole::text from pg_class where relnamespace = 'audit'::regnamespace"
    )
    assert owners == [("audit_owner",)]
    assert other.rows("select subject, detail from audit.verify() where not ok") == []
    assert other.rows("select count(*) from audit.history where object_identity = 'public.later'") == [(2,)]


def test_without_a_trail_there_is_nothing_to_index(database: Database) -> None:
    done = psql(database, "sql/dashboard.sql")
    assert done.returncode == 3
    assert "There is no trail here." in done.stderr
    assert "Run sql/install.sql first." in done.stderr


@pytest.mark.parametrize(
    ("wanted", "indexes"),
    [
        (
            Filter(object="public.table_1234"),
            {"ddl_audit_object", "ddl_audit_previous", "ddl_audit_owner"},
        ),
        (Filter(destructive=True), {"ddl_audit_command_tag"}),
        (Filter(user="nobody"), {"transaction_audit_user"}),
    ],
    ids=lambda value: value.address() if isinstance(value, Filter) else "",
)
def test_a_filter_finds_its_index(long_history: Database, wanted: Filter, indexes: set[str]) -> None:
    """An index on an expression serves only who writes the same expression and the same condition."""
    values = {
        **wanted.values(),
        "emails": [],
        "words_indexed": False,
        "source": None,
        "truncates": False,
        "cap": 1000,
    }
    found = plan(long_history, "find_hits", values)
    assert {each for each in indexes if each not in found} == set(), found


def test_the_life_of_an_object_finds_its_indexes(long_history: Database) -> None:
    values = {
        "names": ["public.table_1234"],
        "begins": [None],
        "ends": [None],
        "indexes": ["public.table_1234_pkey"],
        "source": None,
        "before_time": None,
        "before_id": None,
        "limit": 9,
    }
    found = plan(long_history, "list_life", values)
    for index in ("ddl_audit_object", "ddl_audit_previous", "ddl_audit_owner"):
        assert index in found, found
