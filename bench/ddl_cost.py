"""What does the trail add to a DDL command, against no trigger and against the usual two-table trigger?

    python bench/ddl_cost.py [--majors 18,15] [--blocks 60] [--only comment]

Each variant has a database and a session of its own. The sessions take turns, a block of commands each, so
that what disturbs the machine hits all of them; the order turns round every time. Client and backends are
pinned to a core each. Reported is the lower quartile of a variant's blocks, by the clock and by the processor
time of the backend itself (Linux, /proc/<pid>/schedstat), which others hardly touch. `none again` is the
control: what it adds is the error of all.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from servers import Database, bin_dir, create_database, drop_database  # noqa: E402

from audit_action.demo.postgres import Server, running  # noqa: E402
from audit_action.trail import dashboard_script, install_script  # noqa: E402

SETTINGS = {"autovacuum": "off", "max_wal_size": "4GB", "shared_buffers": "256MB", "checkpoint_timeout": "1h"}
PLAIN = (ROOT / "bench/plain_trigger.sql").read_bytes()
VARIANTS = {
    "none": (),
    "none again": (),
    "plain": (PLAIN,),
    "trail": (install_script(),),
    "trail, dashboard": (install_script(), dashboard_script()),
}
# A plain trigger that keeps as much as the trail does: of a drop it keeps no row of what was dropped, and of
# the nine settings that a migration run delivers it keeps two.
WITH_DROPS = {"plain, with drops": (PLAIN, (ROOT / "bench/plain_drops.sql").read_bytes())}
WITH_SETTINGS = {"plain, with settings": (PLAIN, (ROOT / "bench/plain_settings.sql").read_bytes())}
WARM_UP = 3

# A row that is updated on a full page costs its page's cleaning, and how full the pages of the catalog are
# depends on what was installed: every variant begins on a page of its own.
FRESH_PAGE = """
do $$
declare
  last int := (select max((ctid::text::point)[0]) from pg_description);
begin
  for number in 1 .. 1000 loop
    execute format('create table filler_%s ()', number);
    execute format('comment on table filler_%s is %L', number, repeat('x', 300));
    exit when last < (select max((ctid::text::point)[0]) from pg_description);
  end loop;
end
$$
"""
TABLES = tuple(f"create table bench_{n} (id int)" for n in range(50))


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is done before, and the commands of the block of a number."""

    prepare: tuple[str, ...] = ()
    block: Callable[[int], Sequence[str]]
    in_run: bool = False  # with the settings that a migration run delivers
    more: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)  # variants for this work alone


@dataclass(slots=True, kw_only=True)
class Turns:
    """A variant's session, and what its blocks took: seconds a command, by the clock and of the processor."""

    database: Database
    session: psycopg.Connection[tuple[int]]
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    size: int = 0


def _works(blocks: int) -> dict[str, Work]:
    made = tuple(f"create table made_{block}_{n} (id int)" for block in range(blocks) for n in range(20))
    return {
        "comment on table": Work(
            prepare=TABLES,
            block=lambda b: [f"comment on table bench_{n} is 'remark {b}'" for n in range(50)],
        ),
        "alter table add column": Work(
            prepare=TABLES,
            block=lambda b: [f"alter table bench_{n} add column added_{b} int" for n in range(50)],
        ),
        "create table": Work(block=lambda b: [f"create table new_{b}_{n} (id int)" for n in range(20)]),
        "drop table": Work(
            prepare=made,
            block=lambda b: [f"drop table made_{b}_{n}" for n in range(20)],
            more=WITH_DROPS,
        ),
        "comment on table, in a run": Work(
            prepare=TABLES,
            block=lambda b: [f"comment on table bench_{n} is 'remark {b}'" for n in range(50)],
            in_run=True,
            more=WITH_SETTINGS,
        ),
        "comment, one transaction": Work(
            prepare=TABLES,
            block=lambda b: [
                "begin",
                *(f"comment on table bench_{n} is 'remark {b}'" for n in range(50)),
                "commit",
            ],
        ),
    }


def _messages() -> dict[str, Work]:
    def message(count: int) -> Work:
        text = ";".join(
            f"comment on table bench_0 is 'remark number {n} of the message'" for n in range(count)
        )
        return Work(prepare=TABLES[:1], block=lambda b: [text])

    return {f"{count} x comment in one message": message(count) for count in (100, 300, 1000, 3000)}


def _begin(server: Server, name: str, scripts: Sequence[bytes], work: Work, stack: ExitStack) -> Turns:
    database = create_database(server, name)
    stack.callback(drop_database, database)
    with psycopg.connect(database.url(), autocommit=True) as admin:
        for script in scripts:
            admin.execute(script)
        for statement in (FRESH_PAGE, *work.prepare):
            admin.execute(statement.encode())
        options = _settings(admin) if work.in_run else ""
    session = stack.enter_context(psycopg.connect(database.url(), autocommit=True, options=options))
    session.prepare_threshold = None
    os.sched_setaffinity(session.info.backend_pid, {1})
    return Turns(database=database, session=session, size=_size(session))


def _settings(admin: psycopg.Connection[tuple[int]]) -> str:
    """PGOPTIONS as the action writes them, of a run that is open where there is a trail."""
    run = uuid4()
    if admin.execute("select to_regnamespace('audit') is not null").fetchone() == (True,):
        row = admin.execute("select audit.begin_run('{}')").fetchone()
        assert row is not None  # a function call gives one row
        run = UUID(str(row[0]))
    person = '{"login":"ada","name":"Ada\\ Lovelace","email":"ada@example.com"}'
    settings = {
        "user_name": "Ada\\ Lovelace",
        "user_email": "ada@example.com",
        "run_id": run,
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "authors": f"[{person}]",
        "merger": person,
        "reviewers": f"[{person}]",
        "pull_requests": "42",
        "run_url": "https://github.com/example/storefront/actions/runs/1/attempts/1",
    }
    return " ".join(f"-c audit.{name}={value}" for name, value in settings.items())


def _turn(turns: Turns, statements: Sequence[str], *, counts: bool) -> None:
    encoded = [statement.encode() for statement in statements]
    commands = sum(s.count(";") + 1 for s in statements if s not in ("begin", "commit"))
    start, own = time.perf_counter(), _processor_seconds(turns.session.info.backend_pid)
    for statement in encoded:
        turns.session.execute(statement)
    own = _processor_seconds(turns.session.info.backend_pid) - own
    taken = time.perf_counter() - start
    if counts:
        turns.clock.append(taken / commands)
        turns.processor.append(own / commands)


def _processor_seconds(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _size(session: psycopg.Connection[tuple[int]]) -> int:
    row = session.execute(
        "select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint"
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname in ('audit', 'plain') and c.relkind = 'r'"
    ).fetchone()
    assert row is not None  # an aggregate gives one row
    return row[0]


def _quartile(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 4]


def _measure(server: Server, name: str, work: Work, blocks: int) -> None:
    with ExitStack() as stack:
        all_turns = {
            variant: _begin(server, f"bench_{number}", scripts, work, stack)
            for number, (variant, scripts) in enumerate({**VARIANTS, **work.more}.items())
        }
        for block in range(blocks):
            order = list(all_turns.values())
            for turns in order if block % 2 else order[::-1]:
                _turn(turns, work.block(block), counts=block >= WARM_UP)
        none, plain = all_turns["none"], all_turns["plain"]
        for variant, turns in all_turns.items():
            clock, own = _quartile(turns.clock), _quartile(turns.processor)
            added = own - _quartile(none.processor)
            share = added / (_quartile(plain.processor) - _quartile(none.processor))
            grown = (_size(turns.session) - turns.size) / blocks
            print(
                f"| {server.major} | {name} | {variant} | {clock * 1e6:.1f} | {own * 1e6:.1f} "
                f"| {added * 1e6:.1f} | {share:.2f} | {own / _quartile(none.processor):.2f} "
                f"| {grown / 1e6:.2f} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--majors", default="18,15")
    parser.add_argument("--blocks", type=int, default=60)
    parser.add_argument("--only", default="", help="a part of a workload's name")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {0})
    print(
        "| PostgreSQL | work | variant | us a command | of the processor | added | of the plain trigger's"
        " | of none | MB a block |"
    )
    print("|-|-|-|-|-|-|-|-|-|")
    for major in map(int, arguments.majors.split(",")):
        with running(major, bin_dir(major), settings=SETTINGS) as server:
            for name, work in _works(arguments.blocks).items():
                if arguments.only in name:
                    _measure(server, name, work, arguments.blocks)
            for name, work in _messages().items():
                if arguments.only in name:
                    _measure(server, name, work, WARM_UP + 8)


if __name__ == "__main__":
    main()
