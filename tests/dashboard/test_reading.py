"""Do the filters find what they should, and only that? The story, read through the queries of the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from servers import Database

from audit_action.dashboard import reading
from audit_action.dashboard.database import Database as Shown
from audit_action.dashboard.database import TooSlow
from audit_action.dashboard.filters import Filter, Position
from audit_action.dashboard.fleet import Fleet
from audit_action.dashboard.pages import Pages
from audit_action.dashboard.records import Entry
from audit_action.dashboard.rendering import title
from audit_action.report.record import plain

TODAY = datetime.now(UTC).date().isoformat()
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()

USERS, MEMBERS, NOTHING = "Create users and orders", "Users are members now", "Nothing to migrate"
HOSTILE, RETIRE = "<b>Bold</b> & hostile </title><script>alert(3)</script>", "Retire the old orders"


def name(entry: Entry) -> str:
    return title(entry.run) if entry.run else f"by hand: {entry.sender.application_name}"  # type: ignore[union-attr]


def found(reader: Shown, query: dict[str, str]) -> list[str]:
    wanted = Filter.parse(query)
    page = reading.find(reader, wanted, 50)
    return [name(each) for each in reading.entries(reader, page.found, wanted, commands=50)]


def told(reader: Shown, query: dict[str, str]) -> list[str]:
    wanted = Filter.parse(query)
    page = reading.find(reader, wanted, 50)
    return [
        plain(command.sentence)
        for each in reading.entries(reader, page.found, wanted, commands=50)
        for part in each.parts
        for command in part.commands
    ]


def test_everything_newest_first(reader: Shown) -> None:
    assert found(reader, {}) == [
        RETIRE,
        HOSTILE,
        "by hand: DBeaver 24.1",
        NOTHING,
        MEMBERS,
        "by hand: psql",
        USERS,
        "by hand: ",
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "ORDERS"}, [RETIRE, "by hand: psql", USERS]),
        ({"q": '"add column" email'}, [MEMBERS]),
        ({"q": "add email"}, [MEMBERS]),
        ({"q": '"column email add"'}, []),
        ({"q": "100%"}, []),
        ({"q": "user_"}, []),
        ({"q": "own_row"}, [USERS]),
        ({"q": "new.name := trim"}, [USERS]),
        ({"person": "adalovelace"}, ["by hand: DBeaver 24.1", MEMBERS, USERS]),
        ({"person": "ada@brickyard.example"}, ["by hand: DBeaver 24.1", MEMBERS, USERS]),
        ({"person": "Barbara Liskov"}, [RETIRE, MEMBERS, USERS]),
        ({"person": "ghopper"}, [RETIRE, NOTHING, MEMBERS, USERS]),
        ({"person": "nobody"}, []),
        ({"object": "public.users"}, [MEMBERS, USERS]),
        ({"object": "users"}, [MEMBERS, USERS]),
        ({"object": "crm.members"}, [MEMBERS]),
        ({"object": "orders_by_hand"}, [RETIRE, "by hand: psql"]),
        ({"kind": "drop"}, [RETIRE, MEMBERS]),
        ({"kind": "CREATE INDEX"}, ["by hand: psql", USERS, MEMBERS][:2]),
        ({"kind": "create policy"}, [USERS]),
        ({"user": "postgres"}, ["by hand: DBeaver 24.1", "by hand: psql", "by hand: "]),
        ({"user": "nobody"}, []),
        ({"environment": "staging"}, [NOTHING]),
        ({"delivery": "session"}, [RETIRE, HOSTILE, MEMBERS, USERS]),
        ({"delivery": "none"}, ["by hand: DBeaver 24.1", "by hand: psql", "by hand: "]),
        ({"manual": "1"}, ["by hand: DBeaver 24.1", "by hand: psql", "by hand: "]),
        ({"destructive": "1"}, [RETIRE, MEMBERS]),
        ({"destructive": "1", "person": "adalovelace"}, [MEMBERS]),
        ({"q": "orders", "manual": "1"}, ["by hand: psql"]),
        ({"q": "orders", "person": "mhamilton", "kind": "drop", "environment": "production"}, [RETIRE]),
        ({"since": TODAY, "until": TODAY, "environment": "staging"}, [NOTHING]),
        ({"until": YESTERDAY}, []),
        ({"until": YESTERDAY, "q": "orders"}, []),
        ({"since": "not a day", "environment": "staging"}, [NOTHING]),
    ],
    ids=lambda value: "&".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_filters_alone_and_together(reader: Shown, query: dict[str, str], expected: list[str]) -> None:
    assert found(reader, query) == expected


@pytest.mark.parametrize(
    "query", [{"q": "orders"}, {"kind": "ALTER TABLE"}, {"destructive": "1"}, {"user": "dash_ci"}]
)
def test_many_hits_are_found_another_way_with_the_same_result(
    reader: Shown, query: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = found(reader, query)
    monkeypatch.setattr(reading, "MOST_HITS", 1)
    assert found(reader, query) == few


def test_a_search_tells_the_statements_with_the_words_alone(reader: Shown) -> None:
    assert told(reader, {"q": "own_row"}) == ["Created policy own_row on public.users"]
    assert told(reader, {"destructive": "1", "person": "adalovelace"}) == ["Dropped table public.users"]


def test_pages_follow_each_other_without_gap_or_repetition(reader: Shown) -> None:
    pages = Pages(Fleet([reader]))
    seen: list[str] = []
    wanted = Filter()
    while True:
        page = pages.timeline(wanted, size=3)
        seen += map(name, page.entries)
        assert (page.runs, page.manual, page.exact) == (5, 3, True)
        if page.older is None:
            break
        wanted = Filter.parse({"before": str(page.older)})
    assert seen == found(reader, {})


def test_an_address_says_the_whole_filter() -> None:
    wanted = Filter.parse({"q": 'a "b c"', "person": "é&=", "manual": "1", "since": "2026-01-31"})
    assert Filter.parse(dict(pair for pair in _pairs(wanted.address()))) == wanted


def _pairs(address: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(address, keep_blank_values=True)


@pytest.mark.parametrize("text", ["", "x", "2026-01-01_", "2026-01-01T00:00:00_" + "0" * 32, "é_é", "_"])
def test_what_is_no_position_is_none(text: str) -> None:
    assert Position.parse(text) is None


def test_nothing_can_be_written_and_nothing_takes_long(shop: Database) -> None:
    impatient = Shown(shop.url("postgres"), timeout=0.3)
    impatient.open()
    try:
        with impatient._reading() as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("create table public.written (id int)")
    except psycopg.Error:
        pass
    with pytest.raises(TooSlow, match="narrower filter"), impatient._reading() as connection:
        connection.execute("select pg_sleep(5)")
    impatient.close()


def test_the_login_is_told_apart(reader: Shown, shop: Database) -> None:
    assert not reader.access.may_write
    for user in ("postgres", "dash_ci"):
        other: Any = Shown(shop.url(user))
        other.open()
        assert other.access.may_write
        other.close()


def test_what_lost_data_is_told_however_long_the_run_is(other: Database) -> None:
    with psycopg.connect(other.url(), autocommit=True) as admin:
        admin.execute("create table public.precious (id int)")
        row = admin.execute("""select audit.begin_run('{"workflow": "Long"}')""").fetchone()
        assert row is not None
        for number in range(60):
            admin.execute(f"create view public.v{number} as select 1 as one".encode())
        admin.execute("drop table public.precious")
        admin.execute("create view public.last as select 1 as one")
        admin.execute("""select audit.finish_run(%s, '{"status": "succeeded"}')""", row)
    database = Shown(other.url("dash_reader"), name="other")
    database.open()
    try:
        entry = Pages(Fleet([database])).timeline(Filter()).entries[0]
        said = [plain(command.sentence) for part in entry.parts for command in part.commands]
        assert said[:2] == ["Created view public.v0", "Created view public.v1"]
        assert said[-1] == "Dropped table public.precious"
        assert entry.more > 50
    finally:
        database.close()
