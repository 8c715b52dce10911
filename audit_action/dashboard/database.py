"""What does one database answer? Read only, with a time limit; the dashboard's only `import psycopg`."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, cached_property
from pathlib import Path
from threading import local
from time import monotonic
from typing import TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool, PoolTimeout, TooManyRequests

from audit_action.dashboard.records import Access
from audit_action.errors import CannotConnect, TrailError

_T = TypeVar("_T")

_QUERIES = Path(__file__).parent / "queries"
_SLOT = re.compile(r"\{(\w+)\}")

logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # what it warns of is shown on the page


DOWN = 10.0
"""Seconds for which a database that could not be reached keeps no page waiting."""

EXPORT = 12
"""How many times as long an export may take to its next rows as a page to all of its own."""

# Every query ends after some rows, so it is fastest row by row through indexes; the planner, who guesses how
# many a word finds, would now and then read everything first.
_PLANS = (
    "set local enable_hashjoin = off; set local enable_mergejoin = off; set local jit = off; "
    "set local max_parallel_workers_per_gather = 0"
)


class TooSlow(TrailError):
    """The statement timeout came before the answer."""


class Database:
    """The trail of one database, to be read. Every method raises TrailError when it cannot be."""

    def __init__(self, url: str, *, name: str = "", timeout: float = 5.0, connections: int = 6) -> None:
        self._url = url
        self._timeout = timeout
        self.name = name or name_of(url)
        self._down_until, self._why_down = 0.0, ""
        self._here = local()
        self._pool: ConnectionPool[psycopg.Connection] = ConnectionPool(
            url,
            open=False,
            min_size=0,
            max_size=connections,
            timeout=min(timeout, 3.0),
            max_idle=60,
            reconnect_timeout=timeout,
            check=ConnectionPool.check_connection,
            kwargs={
                "autocommit": True,
                "connect_timeout": max(2, int(timeout)),
                "application_name": "schema-audit dashboard",
                # Behind a transaction pooler a prepared statement belongs to nobody.
                "prepare_threshold": None,
            },
        )

    def open(self) -> None:
        """Let connections be made, each when it is first needed."""
        self._pool.open(wait=False)

    def close(self) -> None:
        """End all connections."""
        self._pool.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What this thread asks inside is answered by one connection, out of one snapshot."""
        with self._reading() as connection:
            self._here.connection = connection
            try:
                yield
            finally:
                self._here.connection = None

    def rows(self, query: str, values: Mapping[str, object], record: type[_T]) -> list[_T]:
        """All rows of the query of that name, as records with a field for each column."""
        with (
            self._here_or_reading() as connection,
            connection.cursor(row_factory=class_row(record)) as cursor,
        ):
            return cursor.execute(self._sql(query), values).fetchall()

    def stream(self, query: str, values: Mapping[str, object], record: type[_T]) -> Iterator[_T]:
        """The rows of the query one after the other, held by the server until they are wanted."""
        with self._reading(patience=EXPORT) as connection:
            with connection.cursor("export", row_factory=class_row(record)) as cursor:
                cursor.itersize = 1_000
                cursor.execute(self._sql(query), values)
                yield from cursor

    @cached_property
    def access(self) -> Access:
        """What this login may do, and what the trail here has. Remembered from the first answer on."""
        with (
            self._here_or_reading() as connection,
            connection.cursor(row_factory=class_row(Access)) as cursor,
        ):
            found = cursor.execute(_text("describe_access")).fetchone()
        assert found is not None  # a select without from gives one row
        return found

    def _sql(self, query: str) -> bytes:
        return _filled(query, warehouse=self.access.warehouse)

    def _here_or_reading(self) -> AbstractContextManager[psycopg.Connection]:
        here: psycopg.Connection | None = getattr(self._here, "connection", None)
        return nullcontext(here) if here else self._reading()

    @contextmanager
    def _reading(self, patience: int = 1) -> Iterator[psycopg.Connection]:
        if monotonic() < self._down_until:
            raise CannotConnect(self._why_down)
        try:
            with self._pool.connection() as connection, connection.transaction():
                milliseconds = int(self._timeout * patience * 1000)
                connection.execute(
                    "set transaction isolation level repeatable read, read only; "
                    f"set local statement_timeout = {milliseconds}; set local timezone = 'UTC'; {_PLANS}"
                )
                yield connection
        except (PoolTimeout, TooManyRequests) as problem:
            raise CannotConnect(self._why_not(str(problem))) from problem
        except psycopg.errors.QueryCanceled as problem:
            raise TooSlow(
                f"{self.name} did not answer within {self._timeout:g} seconds. A narrower filter takes less: "
                "dates, an object or an environment. Words are found fast with pg_trgm: see the page State."
            ) from problem
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as problem:
            raise TrailError(
                f"{self.name} has no trail: {problem.diag.message_primary}. `schema-audit install` makes one."
            ) from problem
        except psycopg.errors.InsufficientPrivilege as problem:
            raise TrailError(
                f"{self.name} does not let this login read: {problem.diag.message_primary}. "
                "Grant it the role audit_reader."
            ) from problem
        except psycopg.Error as problem:
            raise TrailError(
                f"{self.name}: {problem.diag.message_primary or _first_line(problem)}"
            ) from problem

    def _why_not(self, waited: str) -> str:
        """One attempt of our own: the pool tells only that it waited."""
        try:
            psycopg.connect(self._url, connect_timeout=2).close()
        except psycopg.Error as problem:
            self._why_down = f"{self.name} cannot be reached: {_first_line(problem)}"
            self._down_until = monotonic() + DOWN
            return self._why_down
        return f"{self.name} is busy: {waited}"


def name_of(url: str) -> str:
    """What a database is called on the pages: host and database name, never the login.

    >>> name_of("postgresql://reader:pw@db.example:6432/shop")
    'db.example/shop'
    """
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as problem:
        raise TrailError(f"This is no database URL: {_first_line(problem)}") from None
    host = str(parts.get("host") or parts.get("hostaddr") or "localhost")
    return f"{host}/{parts.get('dbname') or parts.get('user') or 'postgres'}"


def _first_line(problem: Exception) -> str:
    return str(problem).strip().partition("\n")[0]


@cache
def _text(name: str) -> bytes:
    return (_QUERIES / f"{name}.sql").read_bytes()


@cache
def _filled(name: str, *, warehouse: bool) -> bytes:
    """The query with its parts put in their places; only a warehouse knows where a row is from."""
    parts = {
        f"{prefix}source": f"{alias}.source_database" if warehouse else "null::text"
        for prefix, alias in (("", "h"), ("run_", "r"), ("first_", "first"))
    }

    def part(slot: re.Match[str]) -> str:
        return parts.get(slot[1]) or _SLOT.sub(part, _text(slot[1]).decode().rstrip())

    return _SLOT.sub(part, _text(name).decode()).encode()
