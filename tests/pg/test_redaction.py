"""Are secrets gone before anything is stored, and is everything else still there?"""

from __future__ import annotations

import pytest
from servers import Database

SECRET = "hunter2"

# Each holds the secret once or more; what must survive follows it.
STATEMENTS = [
    ("create role r password 'hunter2'", "create role r password "),
    ("CREATE ROLE r PASSWORD 'hunter2' VALID UNTIL '2030-01-01'", "VALID UNTIL '2030-01-01'"),
    ("create user r with encrypted\n\tpassword\n'hunter2' login", "login"),
    ("alter role r /* why */ password /* 'no' */ 'hunter2'", "/* why */"),
    ("alter role r password -- here\n 'hunter2'", "alter role r"),
    ("alter role r password E'hun\\'ter2 hunter2'", "alter role r"),
    ("alter role r password $$hunter2$$ nologin", "nologin"),
    ("alter role r password $x$hunter2$x$ nologin", "nologin"),
    ("alter role r password U&'hunter2'", "alter role r"),
    ("alter role r password 'hun'\n  'hunter2' nologin", "nologin"),
    ("alter role r password 'a''b hunter2 c' nologin", "nologin"),
    ("alter role bob set app.jwt_secret = 'hunter2'", "app.jwt_secret"),
    ("""alter database d set "app.jwt_secret" to 'hunter2'""", "app.jwt_secret"),
    ("alter system set primary_conninfo = 'host=h password=hunter2'", "primary_conninfo"),
    ("create user mapping for u server s options (user 'bob', password 'hunter2')", "user 'bob'"),
    ("create user mapping for u server s options (\"password\" 'hunter2')", "server s"),
    (
        "alter user mapping for u server s options (set password 'hunter2', add passcode 'hunter2')",
        "server s",
    ),
    (
        "create server s foreign data wrapper w options (host 'db.example', passfile 'hunter2')",
        "host 'db.example'",
    ),
    ("alter server s options (set sslkey 'hunter2', port '5432')", "port '5432'"),
    ("create subscription s connection 'host=h password=hunter2' publication p", "publication p"),
    ("alter subscription s connection 'postgresql://u:hunter2@h/d'", "alter subscription s"),
    ("create view v as select * from dblink('dbname=d password=hunter2') as t(a int)", "dbname=d"),
    ("create view v as select * from dblink('postgresql://u:hunter2@h/d') as t(a int)", "postgresql://u:"),
    (
        "do $$ begin create role r password 'hunter2'; create table kept (a int); end $$",
        "create table kept (a int)",
    ),
    ("do $$ begin execute 'create role r password ''hunter2'''; end $$", "execute 'create role r"),
    ("do $$ begin execute format('alter role %I password %L', 'r', 'hunter2'); end $$", "alter role %I"),
    ("do $$ begin execute 'alter role r password ' || quote_literal('hunter2'); end $$", "alter role r"),
    (
        "do $$ declare p text := 'hunter2'; begin execute format('alter role r password %L', p); end $$",
        "alter role r",
    ),
    ("do $a$ begin execute $b$create role r password 'hunter2'$b$; end $a$", "create role r"),
    ("do 'begin create role r password ''hunter2''; end'", "create role r"),
    ("select set_config('app.api_key', 'hunter2', false)", "app.api_key"),
    ("-- create role r password 'hunter2'\ncreate table kept (a int)", "create table kept (a int)"),
    ("/* password 'hunter2' */ create table kept (a int)", "create table kept (a int)"),
    (
        "create table kept (note text default 'it''s; $$'); create role r password 'hunter2'",
        "default 'it''s; $$'",
    ),
    (
        "create role r password 'hunter2'; comment on table t is 'kept $x$ and /* kept'",
        "'kept $x$ and /* kept'",
    ),
    (
        "create function f() returns text as $$ select 'don''t' $$; create role r password 'hunter2'",
        "don''t",
    ),
]

# Nothing here is a secret, though some of it sounds like one.
HARMLESS = [
    "create table t (id int, password text, token uuid default gen_random_uuid())",
    "comment on column t.password is 'hashed with bcrypt'",
    "create function f(server text) returns text language sql as $$ select 'a' || server $$",
    "alter table t add column server_name text default 'db''1'",
    "create index on t (token) where token is not null",
    "create policy p on t using (secret_level < 3)",
    "comment on table t is 'see https://example.com/mapping?a=b'",
    'create view "pass""word" as select $1 as "a$$b", \'x\' as y',
    "create user mapping for current_user server s",
    "create function token() returns text as $$ a$b$$; select 'x' || $x$ $$ $x$",
    "create procedure g() language plpgsql as $f$ begin raise notice 'no password given'; end $f$",
]


def redact(database: Database, statement: str) -> str:
    text: str = database.rows("select audit.redact(%s)", statement)[0][0]
    return text


def test_no_secret_survives_and_the_rest_does(audited: Database) -> None:
    for statement, kept in STATEMENTS:
        redacted = redact(audited, statement)
        assert SECRET not in redacted, redacted
        assert kept in redacted, redacted
        assert "<redacted>" in redacted
        assert redact(audited, redacted) == redacted, "redacting twice changes nothing"


def test_every_text_with_a_secret_is_looked_at(audited: Database) -> None:
    """Redacting costs a command more than all the rest, so that a quick test of the text comes before it."""
    for statement, _ in STATEMENTS:
        assert audited.rows("select audit.may_hold_secret(%s)", statement) == [(True,)], statement
    assert audited.rows("select audit.may_hold_secret('alter table orders add column total numeric')") == [
        (False,)
    ]


def test_what_is_no_secret_stays_as_it_was(newest_audited: Database) -> None:
    for statement in HARMLESS:
        assert redact(newest_audited, statement) == statement


def test_backslashes_escape_where_the_session_says_so(newest_audited: Database) -> None:
    connection = newest_audited.connect(
        options="-c standard_conforming_strings=off -c escape_string_warning=off"
    )
    connection.execute(
        rb"begin; create role r password 'a\'hunter2'; drop role r;"
        rb"create table kept (a text default 'x\'y'); commit"
    )
    text = newest_audited.rows("select query_text from audit.history where object_identity = 'public.kept'")[
        0
    ][0]
    assert SECRET not in text
    assert r"default 'x\'y'" in text


@pytest.mark.parametrize(
    "statement",
    [
        "create role r password 'hunter2'",
        "do $$ begin create role r password 'hunter2'; create table kept (a int); drop table kept; end $$",
        "do $$ begin execute 'create role r password ''hunter2'''; end $$",
    ],
)
def test_a_row_says_that_its_text_was_redacted(newest_audited: Database, statement: str) -> None:
    connection = newest_audited.connect()
    connection.execute(f"begin; {statement}; create table beside (a int); drop role r; commit".encode())
    rows = newest_audited.rows("select query_text, redacted from audit.history")
    assert rows
    for text, redacted in rows:
        assert SECRET not in text
        assert redacted
    stored = newest_audited.rows("select count(*) from audit.ddl_audit d where d::text like '%%hunter2%%'")
    assert stored == [(0,)]


def test_tokens_are_the_text_again(newest_audited: Database) -> None:
    texts = (
        [statement for statement, _ in STATEMENTS]
        + HARMLESS
        + ["", "'", '"', "/*", "$$", "a$b$c", "/* /* */ */"]
    )
    for text in texts:
        joined = newest_audited.rows("select coalesce(string_agg(t, ''), '') from audit.tokens(%s) t", text)
        assert joined == [(text,)]
