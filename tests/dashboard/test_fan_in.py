"""Do the trails of many databases come into one, and does nothing get lost when one of them dies?"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psql import psql
from servers import Database

from audit_action.dashboard import reading
from audit_action.dashboard.database import Database as Shown
from audit_action.dashboard.filters import Filter
from audit_action.dashboard.fleet import Fleet
from audit_action.dashboard.pages import Pages
from audit_action.demo.postgres import Server, _as, _unprivileged_user, running
from audit_action.trail import Trail


@pytest.fixture(scope="module")
def warehouse() -> Iterator[tuple[Server, dict[str, Server]]]:
    """A warehouse, and two databases whose trails come into it."""
    with ExitStack() as stack:
        servers = [stack.enter_context(running(18)) for _ in range(3)]
        home, publishers = servers[0], dict(zip(("shop_eu", "shop_us"), servers[1:], strict=True))
        for server in servers:
            Trail(server.url()).install()
        for _ in range(2):  # safe to run again
            fan_in(home, warehouse="1")
        for name, server in publishers.items():
            fan_in(server, publisher="1")
            change(server, f"before_{name}")
            with psycopg.connect(home.url(), autocommit=True) as connection:
                connection.execute(
                    f"create subscription {name} connection 'host=127.0.0.1 port={server.port} user=postgres "
                    "dbname=postgres' publication schema_audit".encode()
                )
        yield home, publishers
        with psycopg.connect(home.url(), autocommit=True) as connection:
            for name in publishers:
                connection.execute(f"drop subscription {name}".encode())
        for process in REVIVED:
            process.send_signal(signal.SIGQUIT)
            process.wait(timeout=30)


def fan_in(server: Server, **side: str) -> None:
    ran = psql(Database(server, "postgres"), "sql/fan-in.sql", **side)
    assert ran.returncode == 0, ran.stderr


def change(server: Server, table: str) -> None:
    """A run that makes a table, and a change outside it."""
    run = {"repository": "brickyard/storefront", "environment": "production", "workflow": f"Make {table}"}
    with psycopg.connect(server.url(), autocommit=True) as connection:
        row = connection.execute("select audit.begin_run(%s::jsonb)", [json.dumps(run)]).fetchone()
        assert row is not None
        connection.execute(f"create table public.{table} (id bigint primary key)".encode())
        connection.execute("select audit.finish_run(%s, %s::jsonb)", [row[0], '{"status": "succeeded"}'])
        connection.execute(f"comment on table public.{table} is 'by hand'".encode())


def rows(server: Server, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


EVENTS = "select transaction_audit_id, position, command_tag, object_identity, run_status from audit.history"


def arrived(home: Server, publishers: dict[str, Server]) -> bool:
    """Whether the warehouse has exactly what its publishers have, each row under the right name."""
    return all(
        sorted(rows(server, EVENTS)) == sorted(rows(home, f"{EVENTS} where source_database = '{name}'"))
        for name, server in publishers.items()
    )


def eventually(holds: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.2)
    return holds()


@contextmanager
def died(server: Server) -> Iterator[None]:
    """The server stops at once, without writing anything more; after the block it is back."""
    data = Path(rows(server, "show data_directory")[0][0])
    command = shlex.split((data / "postmaster.opts").read_text())
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    assert eventually(lambda: not (data / "postmaster.pid").exists())
    yield
    REVIVED.append(
        subprocess.Popen(
            command,
            **_as(_unprivileged_user()),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )
    assert eventually(lambda: answers(server))


REVIVED: list[subprocess.Popen[bytes]] = []


def answers(server: Server) -> bool:
    try:
        psycopg.connect(server.url()).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.xdist_group("fan-in")
@pytest.mark.timeout(180)
def test_nothing_is_lost_when_a_database_dies_and_comes_back(
    warehouse: tuple[Server, dict[str, Server]],
) -> None:
    home, publishers = warehouse
    assert eventually(lambda: arrived(home, publishers))  # what was there before the subscription
    for name, server in publishers.items():
        change(server, f"live_{name}")
    assert eventually(lambda: arrived(home, publishers))

    change(publishers["shop_eu"], "just_before_death")
    with died(publishers["shop_eu"]):
        change(publishers["shop_us"], "meanwhile")
        assert eventually(lambda: arrived(home, {"shop_us": publishers["shop_us"]}))
    change(publishers["shop_eu"], "after_its_return")
    assert eventually(lambda: arrived(home, publishers))
    assert len(rows(publishers["shop_eu"], EVENTS)) > 8

    # And the warehouse itself may be away.
    with died(home):
        for name, server in publishers.items():
            change(server, f"without_warehouse_{name}")
    assert eventually(lambda: arrived(home, publishers))

    # What is purged at its source is kept here.
    assert rows(home, "select count(*) from audit.migration_run where source_database is null") == [(0,)]


@pytest.mark.xdist_group("fan-in")
def test_the_dashboard_shows_which_database_a_row_is_from(
    warehouse: tuple[Server, dict[str, Server]],
) -> None:
    home, publishers = warehouse
    for name, server in publishers.items():
        change(server, f"shown_{name}")
    assert eventually(lambda: arrived(home, publishers))
    database = Shown(home.url(), name="warehouse")
    database.open()
    try:
        assert database.access.warehouse
        pages = Pages(Fleet([database]))
        timeline = pages.timeline(Filter(), size=100)
        assert {each.database for each in timeline.entries} >= {"shop_eu", "shop_us"}
        for name in publishers:
            page = reading.find(database, Filter(database=name), 100)
            entries = reading.entries(database, page.found, Filter(database=name), commands=9)
            assert {each.database for each in entries} == {name}
            assert page.runs >= 2
            assert page.manual > page.runs  # a comment after each run, and the publication itself
        assert set(pages.choices().databases) >= {"warehouse", "shop_eu", "shop_us"}
        assert not pages.timeline(Filter(database="shop_eu", q="shown_shop_us")).entries
        assert pages.timeline(Filter(database="shop_us", q="shown_shop_us")).entries
    finally:
        database.close()
