"""What do the dashboard's tests start from? One storefront's history, the pages over it, a browser."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from addresses import serving_at
from history import story
from playwright.sync_api import Browser, sync_playwright
from servers import Database, create_database, drop_database

from audit_action.dashboard.database import Database as Shown
from audit_action.dashboard.security import Guard
from audit_action.demo.postgres import Server

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-background-networking --no-first-run --disable-component-update "
    "--disable-sync"
)
NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server(servers: Callable[[int], Server]) -> Server:
    return servers(18)


@pytest.fixture(scope="session")
def shop(server: Server) -> Iterator[Database]:
    """A database with the whole story, which no test changes; roles `dash_ci` and `dash_reader`."""
    with psycopg.connect(server.url(), autocommit=True) as admin:
        for role in ("create role dash_ci login", "create role dash_reader login in role audit_reader"):
            admin.execute(role.encode())
    made = create_database(server, f"shop_{id(server)}", "template audited_template")
    story(made.url(), made.url("dash_ci"))
    yield made
    drop_database(made)


@pytest.fixture
def other(server: Server, shop: Database) -> Iterator[Database]:
    """Another audited database, to be changed."""
    made = create_database(server, f"other_{id(server)}_{next(NUMBERS)}", "template audited_template")
    yield made
    drop_database(made)


@pytest.fixture(scope="session")
def reader(shop: Database) -> Iterator[Shown]:
    """The story as the dashboard reads it."""
    database = Shown(shop.url("dash_reader"), name="shop")
    database.open()
    yield database
    database.close()


@pytest.fixture(scope="session")
def site(shop: Database) -> Iterator[str]:
    """The address of the dashboard on the story."""
    with serving_at([f"shop={shop.url('dash_reader')}"]) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("NOT TESTED: there is no Chromium here (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS.split())
        yield started
        started.close()


def open_guard() -> Guard:
    """Lets everybody in."""
    return Guard(hosts=())
