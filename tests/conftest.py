"""What do tests start from? Real PostgreSQL servers, one of each major for the whole session."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import psycopg
import pytest
from servers import MAJORS, Database, bin_dir, create_database, drop_database

from audit_action.demo.postgres import Server, running
from audit_action.trail import install_script

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[int], Server]]:
    """The running server of a major; started when a test first asks for it, ended with the session."""
    with ExitStack() as stack:

        @cache
        def server(major: int) -> Server:
            started = stack.enter_context(running(major, bin_dir(major), settings={"max_connections": "60"}))
            # Every test database with a trail is a copy of this one.
            template = create_database(started, "audited_template")
            with psycopg.connect(template.url(), autocommit=True) as connection:
                connection.execute(install_script())
            return started

        yield server


@pytest.fixture(params=[pytest.param(major, id=f"pg{major}") for major in MAJORS])
def postgres(request: pytest.FixtureRequest, servers: Callable[[int], Server]) -> Server:
    """A server of each major in turn: for what may differ between them."""
    server: Server = servers(request.param)
    return server


@pytest.fixture
def newest_postgres(servers: Callable[[int], Server]) -> Server:
    """The server of the newest major: for what does not depend on it."""
    return servers(max(MAJORS))


@pytest.fixture
def new_database(postgres: Server) -> Iterator[Callable[..., Database]]:
    """Makes databases on `postgres` that end with the test; `options` are those of CREATE DATABASE."""
    made: list[Database] = []

    def make(options: str = "") -> Database:
        made.append(create_database(postgres, f"test_{os.getpid()}_{next(NUMBERS)}", options))
        return made[-1]

    yield make
    for database in made:
        drop_database(database)


@pytest.fixture
def database(new_database: Callable[..., Database]) -> Database:
    """An empty database, without a trail, on each major."""
    return new_database()


@pytest.fixture
def audited(new_database: Callable[..., Database]) -> Database:
    """A fresh database with the trail installed, on each major."""
    return new_database("template audited_template")


@pytest.fixture
def newest_audited(newest_postgres: Server) -> Iterator[Database]:
    """A fresh database with the trail installed, on the newest major alone."""
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    made = create_database(newest_postgres, name, "template audited_template")
    yield made
    drop_database(made)
