"""Why can a database not be reached from inside the container, and what should be written instead?"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_HERE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 read, not bound to


def hosts_of(connection: str) -> tuple[str, ...]:
    """The hosts of a URL or of a `key=value` string; empty when it names none.

    >>> hosts_of("postgresql://ci:x@db1:5432,db2/shop"), hosts_of("host=/run/postgresql user=ci")
    (('db1', 'db2'), ('/run/postgresql',))
    """
    if "://" not in connection:
        pairs = re.findall(r"\b(host|hostaddr)\s*=\s*'?([^\s']*)", connection)
        return tuple(host for _, value in pairs for host in value.split(",") if host)
    try:
        url = urlsplit(connection.removeprefix("jdbc:"))
    except ValueError:
        return ()
    addresses = url.netloc.rpartition("@")[2].split(",")
    named = re.findall(r"(?:^|&)host=([^&]*)", url.query)
    bare = (re.sub(r":\d*$", "", address).strip("[]") for address in addresses)
    return tuple(host for host in (*bare, *(unquote(each) for each in named)) if host)


def advice(connection: str, *, bridge: str) -> str:
    """What to write instead, when the hosts of this connection mean nothing inside a container; else empty.

    `bridge` is the runner's machine as the container sees it; empty outside of a container. Services are on
    the job's own network, where the host is the key under `services:` and the port is the container's
    (docs.github.com, "Communicating with Docker service containers"; actions/runner,
    ContainerActionHandler.cs).
    """
    if not bridge:
        return ""
    hosts = hosts_of(connection)
    if not hosts or any(host.lower() in _HERE or host.startswith("/") for host in hosts):
        return (
            "The action runs in a container of its own, and in there localhost is the container itself. For "
            "a database under `services:` write its key as the host, and the container's port whatever "
            "`ports:` says: postgresql://...@postgres:5432/... For a database on the runner's machine let "
            f"it listen on the Docker bridge, and write {bridge} as the host."
        )
    if "host.docker.internal" in hosts:
        return (
            f"The runner gives containers no host.docker.internal; write {bridge} for the runner's machine."
        )
    single = [host for host in hosts if "." not in host and ":" not in host]
    if single:
        return (
            f"A name without a dot, such as {single[0]}, is known only on the job's own network: is it "
            "spelled like the key under `services:`, and are the services in this very job?"
        )
    return ""
