"""Is every kind of command told as a person would, from what a real PostgreSQL records about it?"""

from __future__ import annotations

import pytest
from reports import make
from servers import Database
from test_statements import events_since, sent

from audit_action.report import Report
from audit_action.report.record import plain

SETUP = """
create table users (id serial primary key, name text, fax text, old int);
create table orders (id bigint primary key, user_id int references users);
create table parts (id int, at date) partition by range (id);
create table parts_1 partition of parts for values from (0) to (10);
create view names as select name from users;
create materialized view fast as select id from users;
create function f() returns trigger language plpgsql as $$begin return new; end$$;
create trigger trg before update on users for each row execute function f();
create policy own on users using (true);
create type mood as enum ('new');
create sequence numbers;
"""

TOLD = {
    "create table a (id serial primary key, b text unique)": [
        "Created table public.a",
        "| with sequence public.a_id_seq, index public.a_pkey, index public.a_b_key",
    ],
    "alter table users add column email text": ["Added column email to public.users"],
    "alter table users drop column fax": [
        "Dropped column fax from public.users",
        "!! Dropped column public.users.fax",
    ],
    "alter table users alter column old type bigint": [
        "Changed the type of column old to bigint in public.users, rewriting the table (type change)",
        " ! Rewrote table public.users (type change)",
    ],
    "alter table users add column c int, drop column old": [
        "Altered table public.users: added column c, dropped column old",
        "!! Dropped column public.users.old",
    ],
    "alter table users rename column name to full_name": ["Renamed column name to full_name in public.users"],
    "alter table users rename to people": ["Renamed table public.users to public.people"],
    "alter table users add constraint c check (id > 0) not valid": [
        "Added check constraint c (not validated yet) to public.users"
    ],
    "alter table users alter column name set not null": [
        "Forbade NULL in column name of public.users",
        " ! Forbade NULL in column public.users.name",
    ],
    "alter table users add column must text not null": [
        "Added column must to public.users",
        " ! Added column public.users.must NOT NULL without a default",
    ],
    "alter table users alter column name set default 'x'": ["Set the default of column name of public.users"],
    "alter table users disable trigger trg": [
        "Disabled trigger trg on public.users",
        " ! Disabled trigger trg on public.users",
    ],
    "alter table users enable row level security": ["Enabled row-level security on public.users"],
    "alter table parts detach partition parts_1": ["Detached partition parts_1 from public.parts"],
    "create unique index i on users (name)": ["Created index public.i"],
    "drop table orders": ["Dropped table public.orders", "!! Dropped table public.orders"],
    "drop table users cascade": [
        "Dropped table public.users and 3 objects with it",
        "!! Dropped table public.users and 3 objects with it",
    ],
    "drop view names": ["Dropped view public.names"],
    "drop trigger trg on users": [
        "Dropped trigger trg on public.users",
        " ! Dropped trigger trg on public.users",
    ],
    "drop policy own on users": [
        "Dropped policy own on public.users",
        " ! Dropped policy own on public.users",
    ],
    "comment on column users.name is 'x'": ["Commented on column name of public.users"],
    "grant select, update on users to pg_monitor": ["Granted SELECT, UPDATE on users to pg_monitor"],
    "revoke all on users from public": ["Revoked all rights on users from everybody"],
    "alter default privileges grant select on tables to pg_monitor": [
        "Changed the default privileges on tables"
    ],
    "refresh materialized view fast": ["Refreshed materialized view public.fast"],
    "alter type mood add value 'old'": ["Altered type public.mood"],
    "alter sequence numbers restart": ["Altered sequence public.numbers"],
    "create table copy as select * from users": ["Created table public.copy"],
    "create schema s": ["Created schema s"],
    "alter function f() rename to g": ["Renamed function public.f() to public.g()"],
    "do $$begin create table inner_one (id int); end$$": ["Created table public.inner_one"],
    "truncate orders; alter table orders add column x int": [
        "Truncated table orders",
        "!! Truncated table orders",
        "Added column x to public.orders",
    ],
    "create role boss superuser; create table b (id int)": [
        "Gave role boss the attribute SUPERUSER",
        " ! Gave role boss the attribute SUPERUSER",
        "Created table public.b",
    ],
    "create table mine (id int); alter table mine add column x int not null; drop table mine": [
        "Created table public.mine",
        "Added column x to public.mine",
        "Dropped table public.mine",
        "!! Dropped table public.mine",
    ],
}


def told(made: Report) -> list[str]:
    lines = []
    for transaction in made.transactions:
        for command in transaction.commands:
            lines.append(plain(command.sentence))
            lines += [f"| with {', '.join(command.folded)}"] if command.folded else []
            marks = [
                ("!! " if each.destructive else " ! ") + plain(each.sentence) for each in command.findings
            ]
            lines += marks
    return lines


@pytest.mark.parametrize("sql", TOLD)
def test_command_is_told(audited_with_tables: Database, sql: str) -> None:
    connection = audited_with_tables.connect()
    before = len(events_since(connection, 0))
    with connection.transaction(force_rollback=True):
        sent(connection, sql)
        made = make(events=events_since(connection, before))
    assert told(made) == TOLD[sql]


@pytest.fixture
def audited_with_tables(newest_audited: Database) -> Database:
    sent(newest_audited.connect(), SETUP)
    return newest_audited


def test_index_on_a_table_with_rows_is_a_danger(audited_with_tables: Database) -> None:
    connection = audited_with_tables.connect()
    before = len(events_since(connection, 0))
    sent(connection, "create index on users (name)")
    sent(connection, "create index concurrently on users (name)")
    events = events_since(connection, before)
    assert make(events=events).findings == ()
    found = make(events=events, table_rows={"public.users": 5_000.0}).findings
    assert [plain(each.sentence) for each in found] == [
        "Built an index on public.users (about 5,000 rows) without CONCURRENTLY"
    ]
