"""Is told what to write instead, and only where it helps?"""

from __future__ import annotations

import pytest

from audit_action.network import advice, hosts_of


@pytest.mark.parametrize(
    ("connection", "hosts"),
    [
        ("postgresql://ci:x@db:5432/shop", ("db",)),
        ("postgresql://ci@[::1]:5432/shop", ("::1",)),
        ("postgresql://ci@a,b:5433/shop", ("a", "b")),
        ("postgresql:///shop", ()),
        ("postgresql:///shop?host=%2Frun%2Fpostgresql&user=ci", ("/run/postgresql",)),
        ("jdbc:postgresql://localhost/shop?user=ci", ("localhost",)),
        ("host=db port=5432", ("db",)),
        ("dbname=shop hostaddr=127.0.0.1 host='db'", ("127.0.0.1", "db")),
        ("dbname=shop", ()),
        ("postgresql://ci@[db/shop", ()),
    ],
)
def test_hosts(connection: str, hosts: tuple[str, ...]) -> None:
    assert hosts_of(connection) == hosts


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ("postgresql://ci@localhost/shop", "write 172.17.0.1 as the host"),
        ("postgresql://ci@127.0.0.1:5432/shop", "@postgres:5432"),
        ("postgresql://ci@[::1]/shop", "localhost is the container itself"),
        ("postgresql:///shop", "localhost is the container itself"),
        ("host=/run/postgresql", "localhost is the container itself"),
        ("postgresql://ci@host.docker.internal/shop", "write 172.17.0.1"),
        ("postgresql://ci@postgres/shop", "key under `services:`"),
    ],
)
def test_advice(connection: str, said: str) -> None:
    assert said in advice(connection, bridge="172.17.0.1")


@pytest.mark.parametrize(
    "connection", ["postgresql://ci@db.example.com/shop", "postgresql://ci@10.0.0.7/shop"]
)
def test_an_address_that_means_something_needs_no_advice(connection: str) -> None:
    assert advice(connection, bridge="172.17.0.1") == ""


def test_outside_of_a_container_localhost_is_right() -> None:
    assert advice("postgresql://ci@localhost/shop", bridge="") == ""
