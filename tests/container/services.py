"""What is the PostgreSQL service of a job, and its databases?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

BASE = "python:3.13-slim-trixie"

# As a `services:` container of the postgres image: any user by password, from anywhere on its network.
START = """
set -eu
install -d -o nobody /data
printf %s "$POSTGRES_PASSWORD" >/data/password
chown nobody /data/password
setpriv --reuid=65534 --regid=65534 --clear-groups "$BIN/initdb" --no-sync -U postgres --locale=C \\
    --encoding=UTF8 --auth=scram-sha-256 --pwfile=/data/password -D /data/db >/dev/null
echo 'host all all all scram-sha-256' >>/data/db/pg_hba.conf
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$BIN/postgres" -D /data/db \\
    -c listen_addresses='*' -c unix_socket_directories= -c fsync=off
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDatabase:
    """A database of one test: as the job's containers reach it, and as this process does."""

    name: str
    login: str
    password: str
    address: str
    admin_password: str

    @property
    def url(self) -> str:
        """For the migration's login, by the service's name."""
        return f"postgresql://{self.login}:{self.password}@postgres:5432/{self.name}"

    @property
    def admin(self) -> str:
        return f"postgresql://postgres:{self.admin_password}@{self.address}:5432/{self.name}"

    @property
    def service_admin(self) -> str:
        return f"postgresql://postgres:{self.admin_password}@postgres:5432/{self.name}"

    def connect(self) -> psycopg.Connection[Any]:
        """An administrator's connection from this process."""
        return psycopg.connect(self.admin, autocommit=True)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(query.encode()).fetchall()

    def wait_for(self, condition: str) -> None:
        """Wait until this expression is true in the database."""
        for _ in range(600):
            if self.rows(f"select {condition}") == [(True,)]:
                return
            time.sleep(0.05)
        pytest.fail(f"never came true: {condition}")

    def wait_for_a_lock(self) -> None:
        """Wait until a session of the migration's login waits for a lock."""
        self.wait_for(
            f"exists (select from pg_stat_activity where usename = '{self.login}' "
            "and wait_event_type = 'Lock')"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The network of a job, the PostgreSQL on it, and the address of this machine there."""

    network: str
    address: str
    gateway: str
    admin_password: str

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(
            f"postgresql://postgres:{self.admin_password}@{self.address}:5432/{database}", autocommit=True
        )

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, f"no answer from {self.address}"
                time.sleep(0.1)
            else:
                return
