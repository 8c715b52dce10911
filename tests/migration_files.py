"""Migration files as people and tools write them: generated, valid, and nasty where files in the wild are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

WORDS = [
    "orders",
    "customer",
    "invoice",
    "Order Item",
    "line.item",
    "naïve",
    'say "hi"',
    "events",
    "tag",
    "名前",
]
TYPES = ["text", "bigint", "numeric(12,2)", "timestamptz", "jsonb", "uuid", "varchar(80)", "date", "boolean"]
COMMENTS = [
    "-- a comment; with a semicolon",
    "-- it's got a quote",
    "/* one; two; 'three' */",
    "/* outer /* inner; */ still outer; */",
    "-- $$ not a quote",
    "-- migrate:up",
    "-- CreateTable",
    "",
    "",
    "",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationFile:
    """One file. `statements` are what a server is sent, in order, without semicolons; `text` is the file."""

    name: str
    statements: tuple[str, ...]
    text: str
    only_psql: bool  # it has COPY data or backslash commands, which no server understands


@dataclass(slots=True)
class _Tables:
    """What exists so far, so that every statement is valid."""

    columns: dict[str, list[str]] = field(default_factory=dict)
    views: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    made: int = 0


def migration_file(seed: int) -> MigrationFile:
    """The file of that number, always the same."""
    random = Random(seed)
    writer = _Writer(random)
    for _ in range(random.randint(3, 14)):
        writer.write()
    only_psql = random.random() < 0.15
    wrapped = not only_psql and random.random() < 0.15
    statements = writer.statements
    if wrapped:
        statements = ["BEGIN", *statements, random.choice(["COMMIT", "END", "commit work"])]
    if only_psql:
        statements = [*statements, "create table copied (id int)"]
    text = "".join(_written(random, each) for each in statements)
    if only_psql:
        text = "\\set ON_ERROR_STOP on\n\\echo starting; now\n" + text + _copied(random)
    trailing = random.choice(["", "\n-- the end", "\n/* done; */\n", ";\n"])
    return MigrationFile(
        name=f"{seed:04}", statements=tuple(statements), text=text + trailing, only_psql=only_psql
    )


def _written(random: Random, statement: str) -> str:
    comment = random.choice(COMMENTS)
    tail = random.choice([";", ";", ";", " ;", ";;", "; -- why; because", "\n;"])
    return f"{comment}\n{statement}{tail}\n" if comment else f"{statement}{tail}\n"


def _copied(random: Random) -> str:
    return f"\\echo 'copying; it''s fun'\nCOPY copied (id) FROM stdin;\n{random.randint(1, 10**9)}\n\\.\n"


class _Writer:
    """Writes one valid statement after the other."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.tables = _Tables()
        self.statements: list[str] = []

    def write(self) -> None:
        kinds = _KINDS if self.tables.columns else [_create_table]
        self.statements += self.random.choice(kinds)(self)

    def name(self) -> str:
        self.tables.made += 1
        word = self.random.choice(WORDS)
        plain = word.isidentifier() and word.isascii()
        if plain and self.random.random() < 0.3:
            word = word.upper()
        inner = f"{word}_{self.tables.made}"
        return inner if plain else '"' + inner.replace('"', '""') + '"'

    def table(self) -> str:
        return self.random.choice(list(self.tables.columns))

    def column(self, table: str) -> str:
        return self.random.choice(self.tables.columns[table])

    def cased(self, sql: str) -> str:
        """The keyword in one of the ways people write it."""
        return self.random.choice([str.upper, str.lower])(sql)


def _create_table(w: _Writer) -> Iterator[str]:
    name, exists = w.name(), w.random.random() < 0.25
    columns = [w.name() for _ in range(w.random.randint(1, 4))]
    key = w.random.choice(
        [
            "id serial primary key",
            "id bigint generated always as identity primary key",
            "id int",
            "id bigint not null",
        ]
    )
    lines = [key, *(f"{each} {w.random.choice(TYPES)}" for each in columns)]
    keyed = [each for each in w.tables.columns if f"{each}/pk" in w.tables.views]
    if keyed and w.random.random() < 0.4:
        lines.append(f"parent_id bigint references {w.random.choice(keyed)} (id) on delete cascade")
    if w.random.random() < 0.3:
        lines.append("note text default 'semi; colon and ''quote''' unique check (note <> E'\\';')")
    w.tables.columns[name] = columns
    if "primary key" in key:
        w.tables.views.append(f"{name}/pk")
    yield (
        f"{w.cased('create table')}{' IF NOT EXISTS' if exists else ''} {name} (\n  "
        + ",\n  ".join(lines)
        + "\n)"
    )


def _add_column(w: _Writer) -> Iterator[str]:
    table, name = w.table(), w.name()
    kind = w.random.choice(
        [
            *TYPES,
            "serial",
            "int default 3 not null",
            "text default 'a;b' unique",
            "int generated always as identity",
        ]
    )
    w.tables.columns[table].append(name)
    optional = w.random.choice(["", "", " if not exists"])
    yield f"{w.cased('alter table')} {table} add column{optional} {name} {kind}"


def _alter_many(w: _Writer) -> Iterator[str]:
    table, name = w.table(), w.name()
    gone = w.tables.columns[table].pop() if len(w.tables.columns[table]) > 2 else None
    parts = [f"ADD COLUMN {name} text", *([f"DROP COLUMN {gone} CASCADE"] if gone else [])]
    w.tables.columns[table].append(name)
    yield f"ALTER TABLE {table}\n  " + ",\n  ".join(parts)


def _drop_column(w: _Writer) -> Iterator[str]:
    table = w.table()
    if len(w.tables.columns[table]) > 1:
        yield f"alter table {table} drop column {w.tables.columns[table].pop()} cascade"


def _rename(w: _Writer) -> Iterator[str]:
    table = w.table()
    columns = w.tables.columns[table]
    new = w.name()
    yield f"alter table {table} rename column {columns[-1]} to {new}"
    columns[-1] = new


def _type_change(w: _Writer) -> Iterator[str]:
    table, name = w.table(), w.name()
    w.tables.columns[table].append(name)
    yield f"alter table {table} add {name} int"
    yield f"alter table {table} alter column {name} type bigint using {name}::bigint + 1"


def _index(w: _Writer) -> Iterator[str]:
    table = w.table()
    name = w.random.choice(["", w.name(), f"if not exists {w.name()}"])
    yield f"create {w.random.choice(['', 'unique '])}index {name} on {table} (id)"


def _view(w: _Writer) -> Iterator[str]:
    name, table = w.name(), w.table()
    yield f"create view {name} as select id, ';' as semi from {table}"
    if w.random.random() < 0.5:
        yield f"create or replace view {name} as select id, ';' as semi, 1 as one from {table}"
    if w.random.random() < 0.3:
        yield f"drop view {name}"


def _materialized(w: _Writer) -> Iterator[str]:
    name = w.name()
    yield f"create materialized view {name} as select id from {w.table()} with data"
    yield f"refresh materialized view {name}"


def _function(w: _Writer) -> Iterator[str]:
    name = w.name()
    yield w.random.choice([
        f"create or replace function {name}() returns trigger language plpgsql as $$\nbegin\n"
        "  -- it's; here\n  execute 'select 1; select 2';\n  return new;\nend;\n$$",
        f"create function {name}(a int, b text default ';') returns text language sql\n"
        "as $body$ select $$a;b$$ || b; $body$",
        f"create function {name}() returns int language sql begin atomic; select 1; select 2; end",
        f"CREATE FUNCTION {name}() RETURNS void AS $outer$\nDECLARE\n"
        "  q text := $inner$ create table x; $inner$;\nBEGIN\n"
        "  IF false THEN EXECUTE q; END IF;\nEND $outer$ LANGUAGE plpgsql",
    ])  # fmt: skip


def _trigger(w: _Writer) -> Iterator[str]:
    function, trigger, table = w.name(), w.name(), w.table()
    yield f"create function {function}() returns trigger language plpgsql as 'begin return new; end;'"
    yield f"create trigger {trigger} before update on {table} for each row execute function {function}()"
    if w.random.random() < 0.4:
        yield f"alter table {table} disable trigger {trigger}"
        yield f"drop trigger if exists {trigger} on {table}"


def _do(w: _Writer) -> Iterator[str]:
    name = w.name()
    quoted = name.replace("'", "''")
    yield (
        f"do $do$\nbegin\n  execute 'create table {quoted} (id int); ';\n"
        f"  create index on {name} (id);\nexception when duplicate_table then null;\nend $do$"
    )


def _comment(w: _Writer) -> Iterator[str]:
    table = w.table()
    yield f"comment on table {table} is 'it''s; ok'"
    yield f"COMMENT ON COLUMN {table}.{w.column(table)} IS $$semi;colon$$"


def _grant(w: _Writer) -> Iterator[str]:
    yield f"grant select on {w.table()} to public"


def _policy(w: _Writer) -> Iterator[str]:
    table, name = w.table(), w.name()
    yield f"alter table {table} enable row level security"
    yield f"create policy {name} on {table} for select using (id > 0)"


def _enum(w: _Writer) -> Iterator[str]:
    name = w.name()
    yield f"create type {name} as enum ('new', 'semi;colon')"
    if w.random.random() < 0.5:
        yield f"alter type {name} rename value 'new' to 'newer'"


def _data(w: _Writer) -> Iterator[str]:
    yield w.random.choice([
        f"update {w.table()} set id = default where id = -1",
        "select set_config('my.setting', 'a;b', true)",
        "set local lock_timeout = '5s'",
        f"delete from {w.table()} where id < 0",
        f"lock table {w.table()} in access share mode",
        f"analyze {w.table()}",
    ])  # fmt: skip


def _temporary(w: _Writer) -> Iterator[str]:
    name = w.name()
    yield f"create temp table {name} (id int)"
    yield f"alter table {name} add column more text"
    yield f"drop table {name}"


def _drop_table(w: _Writer) -> Iterator[str]:
    if len(w.tables.columns) > 1:
        table = w.table()
        del w.tables.columns[table]
        yield f"drop table {w.random.choice(['', 'if exists '])}{table} cascade"
    else:
        yield "drop table if exists never_there"


def _partitions(w: _Writer) -> Iterator[str]:
    parent, part = w.name(), w.name()
    yield f"create table {parent} (id int primary key, at date) partition by range (id)"
    yield f"create table {part} partition of {parent} for values from (0) to (10)"
    yield f"create index on {parent} (at)"


def _as_select(w: _Writer) -> Iterator[str]:
    name = w.name()
    yield w.random.choice(
        [f"create table {name} as select * from {w.table()}", f"select * into {name} from {w.table()}"]
    )


def _like(w: _Writer) -> Iterator[str]:
    name = w.name()
    yield f"create table {name} (like {w.table()} including all)"


def _constraint(w: _Writer) -> Iterator[str]:
    table, name = w.table(), w.name()
    yield f"alter table {table} add constraint {name} check (id <> -5) not valid"
    yield f"alter table {table} validate constraint {name}"


def _sequence(w: _Writer) -> Iterator[str]:
    name = w.name()
    yield f"create sequence {name}"
    yield f"select setval('{name.replace(chr(39), chr(39) * 2)}', 42)"


_KINDS: list[Callable[[_Writer], Iterator[str]]] = [
    _create_table, _create_table, _create_table, _add_column, _add_column, _alter_many, _drop_column, _rename,
    _type_change, _index, _index, _view, _materialized, _function, _function, _trigger, _do, _comment, _grant,
    _policy, _enum, _data, _data, _temporary, _drop_table, _partitions, _as_select, _like, _constraint,
    _sequence,
]  # fmt: skip
