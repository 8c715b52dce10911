"""What does the trail add to a DDL command, against no trigger and against the usual two-table trigger?

    python bench/ddl_cost.py [--majors 18,15] [--rounds 7]

Every round runs each variant once on a database of its own; the variants take turns, so that a disturbance
of the machine hits all of them. Client and backend are pinned to a core each. Reported is the fastest round:
what disturbs a run can only make it slower. `none again` is the control: it must come out as 1.00 +- 0.05.
The processor time is the backend's own (Linux, /proc/<pid>/schedstat): what others do to the machine hardly
touches it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import psycopg

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from servers import bin_dir, create_database, drop_database  # noqa: E402

from audit_action.demo.postgres import Server, running  # noqa: E402
from audit_action.trail import install_script  # noqa: E402

VARIANTS = ("none", "none again", "plain", "trail", "trail again")
SETTINGS = {"autovacuum": "off", "max_wal_size": "4GB", "shared_buffers": "256MB", "checkpoint_timeout": "1h"}


def _separate() -> dict[str, tuple[list[str], list[str]]]:
    """Workloads of one message a command: what to prepare, what to time."""
    tables = [f"create table bench_{n} (id int)" for n in range(50)]
    return {
        "comment on table": (
            tables,
            [f"comment on table bench_{n % 50} is 'remark {n}'" for n in range(1500)],
        ),
        "alter table add column": (
            tables,
            [f"alter table bench_{n % 50} add column added_{n} int" for n in range(1500)],
        ),
        "create and drop table": (
            [],
            [
                f"{what} table made_{n}{rest}"
                for n in range(400)
                for what, rest in (("create", " (id int)"), ("drop", ""))
            ],
        ),
        "comment, one transaction": (
            tables,
            ["begin", *(f"comment on table bench_{n % 50} is 'remark {n}'" for n in range(1500)), "commit"],
        ),
    }


def _one_message(kind: str, count: int) -> tuple[list[str], list[str]]:
    if kind == "comment":
        return ["create table bench_0 (id int)"], [
            ";".join(f"comment on table bench_0 is 'remark number {n} of the message'" for n in range(count))
        ]
    return [], [";".join(f"create table made_{n} (id int, name text, at timestamptz)" for n in range(count))]


def _install(database_url: str, variant: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        if variant == "plain":
            connection.execute((ROOT / "bench/plain_trigger.sql").read_bytes())
        elif variant.startswith("trail"):
            connection.execute(install_script())


def _timed(server: Server, variant: str, prepare: list[str], timed: list[str]) -> tuple[float, float, int]:
    """Seconds of the timed statements, the backend's own of them, and the bytes that the trail grew by."""
    database = create_database(server, f"bench_{os.getpid()}")
    try:
        _install(database.url(), variant)
        with psycopg.connect(database.url(), autocommit=True) as connection:
            connection.prepare_threshold = None
            os.sched_setaffinity(connection.info.backend_pid, {1})
            for statement in prepare:
                connection.execute(statement.encode())
            before = _size(connection)
            encoded = [statement.encode() for statement in timed]
            start, own = time.perf_counter(), _processor_seconds(connection.info.backend_pid)
            for statement in encoded:
                connection.execute(statement)
            seconds = time.perf_counter() - start
            own = _processor_seconds(connection.info.backend_pid) - own
            return seconds, own, _size(connection) - before
    finally:
        drop_database(database)


def _processor_seconds(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _size(connection: psycopg.Connection[tuple[int]]) -> int:
    row = connection.execute(
        "select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint"
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname in ('audit', 'plain') and c.relkind = 'r'"
    ).fetchone()
    assert row is not None
    return row[0]


def _measure(
    server: Server, name: str, work: tuple[list[str], list[str]], rounds: int, variants: tuple[str, ...]
) -> None:
    commands = sum(statement.count(";") + 1 for statement in work[1] if statement not in ("begin", "commit"))
    best = dict.fromkeys(variants, float("inf"))
    least = dict.fromkeys(variants, float("inf"))
    size = dict.fromkeys(variants, 0)
    for number in range(rounds):
        for variant in variants if number % 2 else variants[::-1]:
            seconds, own, size[variant] = _timed(server, variant, *work)
            best[variant] = min(best[variant], seconds)
            least[variant] = min(least[variant], own)
    none = best["none"]
    for variant in variants:
        added = (best[variant] - none) / commands * 1e6
        ratio = best[variant] / none
        added_own = (least[variant] - least["none"]) / commands * 1e6
        print(
            f"| {server.major} | {name} | {variant} | {best[variant] * 1e3:.1f} | {ratio:.2f} | {added:.1f} "
            f"| {least[variant] / commands * 1e6:.1f} | {added_own:.1f} "
            f"| {size[variant] / 1e6:.2f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--majors", default="18,15")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="a part of a workload's name")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {0})
    print(
        "| PostgreSQL | work | variant | ms | ratio | added us a command | CPU us | added CPU us | trail MB |"
    )
    print("|-|-|-|-|-|-|-|-|-|")
    for major in map(int, arguments.majors.split(",")):
        # As real servers do it: since 16 the login is then known without asking the activity table.
        with running(major, bin_dir(major), settings=SETTINGS, password="bench") as server:
            for name, work in _separate().items():
                if arguments.only in name:
                    _measure(server, name, work, arguments.rounds, VARIANTS)
            for kind in ("comment", "create"):
                for count in (100, 300, 1000, 3000):
                    name = f"{count} x {kind} in one message"
                    if arguments.only in name:
                        work = _one_message(kind, count)
                        _measure(
                            server, name, work, max(2, arguments.rounds // 2), ("none", "plain", "trail")
                        )


if __name__ == "__main__":
    main()
