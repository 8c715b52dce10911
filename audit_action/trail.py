"""What does the trail in the database hold, and how is a run written to it? The only `import psycopg`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import class_row

from audit_action.errors import CannotConnect, TrailError
from audit_action.model import (
    Block,
    Check,
    Claim,
    Delivery,
    Event,
    EventKind,
    LedgerFinding,
    MigrationRun,
    RunStatus,
    as_json,
)

_T = TypeVar("_T")

CONNECT_SECONDS = 15

_BESIDE = Path(__file__).parent
SQL = _BESIDE / "sql" if (_BESIDE / "sql").is_dir() else _BESIDE.parent / "sql"
"""The trail's SQL: inside the installed package, or at the root of a checkout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who is connected to what, and whether the trail is there for this login."""

    database: str
    server: str  # host and port as the connection string names them
    login: str
    superuser: bool
    trail_present: bool
    may_record: bool
    awake: bool  # the event triggers fire in ordinary sessions
    owns_trail: bool  # and could switch it off
    may_create: bool  # anything anywhere, itself or as a role it may become


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSuccess:
    """The newest successful run: its head commit is what the database has seen."""

    id: UUID
    head_sha: str
    finished_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a session that connects as the migration will has received."""

    refused: str = ""  # why the connection was refused with the options; empty: it was not
    run_id: str = ""
    application_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another run of the same login: open at the same time, or abandoned and closed when ours began."""

    run_id: UUID
    status: RunStatus
    started_at: datetime
    expires_at: datetime
    run_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """A table, and about how many rows it has."""

    identity: str
    estimate: float


class Trail:
    """The trail of one database. Every call has a connection of its own.

    A migration may take hours, longer than poolers and firewalls leave an idle connection alone.
    Every method raises TrailError when the database cannot be reached or refuses.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def session(self) -> Session:
        """Connect, and say who we are."""
        with self._connected() as connection:
            server = f"{connection.info.host}:{connection.info.port}"
            return _all(connection, "describe_session", {"server": server}, Session)[0]

    def install(self, *, for_dashboard: bool = False) -> None:
        """Install or upgrade the trail, in one transaction; then, if wanted, sql/dashboard.sql."""
        try:
            with self._connected() as connection:
                connection.execute(install_script())
                if for_dashboard:
                    connection.execute(dashboard_script())
        except CannotConnect:
            raise
        except TrailError as problem:
            raise TrailError(
                f"The trail could not be installed. {problem} "
                "Installing takes a role that may create event triggers: a superuser, or the role your "
                "provider names for it. Install once as that role with `schema-audit install`, then "
                "leave `install` out."
            ) from problem

    def status(self) -> tuple[Check, ...]:
        """The rows of `audit.status()`."""
        with self._connected() as connection, connection.cursor(row_factory=class_row(Check)) as cursor:
            return tuple(cursor.execute('select "check", ok, detail from audit.status()').fetchall())

    def seal(self) -> Block:
        """Seal what is committed; the newest block, which covers it."""
        with self._connected() as connection, connection.cursor(row_factory=class_row(Block)) as cursor:
            sealed = cursor.execute(
                "select number, encode(digest, 'hex') as digest from audit.seal()"
            ).fetchone()
        assert sealed is not None  # a function call gives one row
        return sealed

    def verify(self, digest: str | None = None) -> tuple[LedgerFinding, ...]:
        """The rows of `audit.verify()`; `digest` is one that was kept outside of the database."""
        with (
            self._connected() as connection,
            connection.cursor(row_factory=class_row(LedgerFinding)) as cursor,
        ):
            return tuple(
                cursor.execute("select block, subject, ok, detail from audit.verify(%s)", [digest]).fetchall()
            )

    def installed_version(self) -> str:
        """The version of the installed trail."""
        with self._connected() as connection:
            row = connection.execute(
                "select version from audit.installation order by installed_at desc limit 1"
            ).fetchone()
        return str(row[0]) if row else ""

    def last_success(self, *, repository: str, environment: str) -> LastSuccess | None:
        """The newest successful run of this repository for this environment."""
        names = {"repository": repository, "environment": environment}
        with self._connected() as connection:
            rows = _all(connection, "last_success", names, LastSuccess)
        return rows[0] if rows else None

    def begin_run(
        self, run: MigrationRun, *, database_user: str | None = None, expires_in: float | None = None
    ) -> UUID:
        """Open a run for this login, or for `database_user` where the trail's owner allows the pair.

        `expires_in` are the seconds after which an open run collects no changes any more; None: the trail's
        own six hours.
        """
        columns = {each.name: as_json(getattr(run, each.name)) for each in fields(run)}
        if database_user is not None:
            columns["database_user"] = database_user
        if expires_in is not None:
            columns["expires_in"] = expires_in
        try:
            with self._connected() as connection:
                row = connection.execute(
                    "select audit.begin_run(%s::jsonb)", [json.dumps(columns)]
                ).fetchone()
        except TrailError as problem:
            raise TrailError(f"The trail would not begin a run. {problem}") from problem
        assert row is not None  # a function call gives one row
        run_id: UUID = row[0]
        return run_id

    def finish_run(self, run_id: UUID, *, status: RunStatus, exit_code: int | None) -> None:
        """Close the run."""
        outcome = json.dumps({"status": status.value, "exit_code": exit_code})
        with self._connected() as connection:
            connection.execute("select audit.finish_run(%s, %s::jsonb)", [run_id, outcome])

    def neighbours(self, run_id: UUID) -> tuple[Neighbour, ...]:
        """The other runs of this run's login that are open now, or were found abandoned when it began."""
        with self._connected() as connection:
            found = _all(connection, "neighbours", {"run_id": run_id}, Neighbour)
        return tuple(replace(each, status=RunStatus(each.status)) for each in found)

    def claims_during_run(self, run_id: UUID) -> tuple[Claim, ...]:
        """What the sessions of the run's login claimed while it was open, its own among them."""
        with self._connected() as connection:
            found = _all(connection, "claims_during_run", {"run_id": run_id}, Claim)
        return tuple(replace(each, delivery=Delivery(each.delivery)) for each in found)

    def events_of_run(self, run_id: UUID) -> tuple[Event, ...]:
        """The events of one run, in their order."""
        with self._connected() as connection:
            return tuple(_event(row) for row in _all(connection, "events_of_run", {"run_id": run_id}, Event))

    def events_without_run(self, *, since: UUID | None, until: UUID) -> tuple[Event, ...]:
        """The changes made outside any run between the ends of two runs, in their order.

        A transaction counts from when it is committed: none is shown twice, and none is forgotten.
        """
        names = {"since": since, "until": until}
        with self._connected() as connection:
            return tuple(_event(row) for row in _all(connection, "events_without_run", names, Event))

    def table_rows(self) -> dict[str, float]:
        """About how many rows each table has (pg_class.reltuples); those that have none are absent."""
        with self._connected() as connection:
            return {each.identity: each.estimate for each in _all(connection, "table_rows", {}, TableRows)}

    def probe(self, *, options: str, application_name: str) -> Probe:
        """Connect as a command with this PGOPTIONS and PGAPPNAME will, and read back what arrived.

        What the connection string brings itself wins over them (libpq, "Environment Variables").
        """
        try:
            brought = conninfo_to_dict(self._url)
            told = {"options": options, "application_name": application_name}
            connection = psycopg.connect(
                make_conninfo("", **{**told, "connect_timeout": CONNECT_SECONDS, **brought})
            )
        except psycopg.Error as problem:
            return Probe(refused=str(problem).strip())
        with connection:
            row = connection.execute(
                "select current_setting('audit.run_id', true), current_setting('application_name')"
            ).fetchone()
        assert row is not None  # a select without from gives one row
        return Probe(run_id=row[0] or "", application_name=row[1])

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        try:
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name="schema-audit",
            )
        except psycopg.Error as problem:
            raise CannotConnect(f"The database cannot be reached: {str(problem).strip()}") from problem
        # Behind a transaction pooler a prepared statement belongs to nobody.
        connection.prepare_threshold = None
        try:
            with connection:
                yield connection
        except psycopg.Error as problem:
            hint = f" {problem.diag.message_hint}" if problem.diag.message_hint else ""
            raise TrailError(f"{problem.diag.message_primary or problem}.{hint}") from problem


def install_script() -> bytes:
    """The whole of sql/install.sql, the parts it includes put in their places."""
    return _with_includes(SQL / "install.sql")


def dashboard_script() -> bytes:
    """The whole of sql/dashboard.sql, in the same way."""
    return _with_includes(SQL / "dashboard.sql")


def _with_includes(path: Path) -> bytes:
    lines = []
    for line in path.read_bytes().splitlines(keepends=True):
        if line.startswith(b"\\ir "):
            lines.append(_with_includes(path.parent / line.split()[1].decode()))
        elif not line.startswith(b"\\"):
            lines.append(line)
    return b"".join(lines)


def _all(
    connection: psycopg.Connection, query: str, values: Mapping[str, object], record: type[_T]
) -> list[_T]:
    with connection.cursor(row_factory=class_row(record)) as cursor:
        return cursor.execute((SQL / "queries" / f"{query}.sql").read_bytes(), values).fetchall()


def _event(row: Event) -> Event:
    return replace(row, event=EventKind(row.event), delivery=Delivery(row.delivery))
