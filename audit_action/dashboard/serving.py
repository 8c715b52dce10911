"""How is the dashboard started? Who may look is settled before anybody can."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address

import uvicorn

from audit_action.dashboard.app import create_app
from audit_action.dashboard.database import Database, name_of
from audit_action.dashboard.fleet import Fleet
from audit_action.dashboard.security import Guard, is_password_hash, networks
from audit_action.errors import BadInput, NothingWasRun, TrailError

DEFAULT_LISTEN = "127.0.0.1:8321"
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
PASSWORD_VARIABLE = "SCHEMA_AUDIT_PASSWORD_HASH"  # noqa: S105  the name of a variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line and the environment ask for."""

    urls: tuple[str, ...] = field(repr=False)
    listen: str = DEFAULT_LISTEN
    password_hash: str = field(default="", repr=False)
    proxies: tuple[str, ...] = ()
    user_header: str = "X-Forwarded-User"
    timeout: float = 5.0
    allow_writer: bool = False
    certificate: str = ""
    key: str = ""


def serve(asked: Asked, say: Callable[[str], None]) -> int:
    """Serve until a signal ends it. Raises BadInput and NothingWasRun before anything is served."""
    host, port = address(asked.listen)
    guard = guard_for(asked, host)
    databases = named(asked.urls, timeout=asked.timeout)
    fleet = Fleet(databases, patience=asked.timeout * 2)
    fleet.open()
    try:
        check_logins(fleet, say, allow_writer=asked.allow_writer)
        with listening(host, port) as listener:
            scheme = "https" if asked.certificate else "http"
            shown = f"[{host}]" if ":" in host else host
            say(f"The dashboard is on {scheme}://{shown}:{listener.getsockname()[1]}/ (Ctrl-C ends it)")
            if guard.password_hash and not asked.certificate:
                say("Over http the password can be read on its way: put TLS in front, or use --certificate.")
            with suppress(KeyboardInterrupt):  # uvicorn raises the signal once more when it has ended
                server(fleet, guard, asked).run(sockets=[listener])
    finally:
        fleet.close()
    return 0


def listening(host: str, port: int) -> socket.socket:
    """The socket, so that its port is known and taken before anything is said. Raises NothingWasRun."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=256
        )
    except OSError as problem:
        raise NothingWasRun(f"The dashboard cannot listen on {host}:{port}: {problem.strerror}.") from None


def server(fleet: Fleet, guard: Guard, asked: Asked) -> uvicorn.Server:
    """The web server; it believes no header about where a request is from: the guard looks at the peer."""
    return uvicorn.Server(
        uvicorn.Config(
            create_app(fleet, guard),
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=3,
            ssl_certfile=asked.certificate or None,
            ssl_keyfile=asked.key or None,
        )
    )


def address(listen: str) -> tuple[str, int]:
    """Host and port of HOST:PORT, :PORT or PORT.

    >>> address("[::1]:80"), address("8000")
    (('::1', 80), ('127.0.0.1', 8000))
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not (port.isdecimal() and int(port) < 65536):
        raise BadInput(f"--listen is {listen!r}, which is not understood: it takes HOST:PORT.")
    return host, int(port)


def guard_for(asked: Asked, host: str) -> Guard:
    """Who is let in. Raises BadInput where anybody would be."""
    if asked.password_hash and not is_password_hash(asked.password_hash):
        raise BadInput(
            f"{PASSWORD_VARIABLE} holds no hash of a password. `schema-audit dashboard --hash-password` "
            "makes one: it asks for the password and prints the hash."
        )
    try:
        proxies = networks(asked.proxies)
    except ValueError as problem:
        raise BadInput(f"--trusted-proxy takes addresses or networks such as 10.0.0.5: {problem}.") from None
    if any(each.prefixlen == 0 for each in proxies):
        raise BadInput("--trusted-proxy names the whole internet: anybody could say to be anybody.")
    guarded = bool(asked.password_hash or proxies)
    if not guarded and not is_loopback(host):
        raise BadInput(
            f"--listen {asked.listen} can be reached from elsewhere, and nothing asks who comes. Set "
            f"{PASSWORD_VARIABLE}, or name the proxy in front that does it with --trusted-proxy, or listen "
            "on 127.0.0.1."
        )
    return Guard(
        hosts=() if guarded else LOOPBACK_HOSTS,
        password_hash=asked.password_hash,
        proxies=proxies,
        user_header=asked.user_header,
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it; a name other than localhost could become any address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def named(urls: Sequence[str], *, timeout: float) -> tuple[Database, ...]:
    """The databases, each under a name of its own: NAME=URL, else host/database, numbered where alike."""
    found: list[Database] = []
    for each in urls:
        name, sign, url = each.partition("=")
        if not (sign and "://" in url and name.replace("-", "").replace("_", "").isalnum()):
            url, name = each, name_of(each)
        taken = sum(database.name.partition(" (")[0] == name for database in found)
        found.append(Database(url, name=f"{name} ({taken + 1})" if taken else name, timeout=timeout))
    return tuple(found)


def check_logins(fleet: Fleet, say: Callable[[str], None], *, allow_writer: bool) -> None:
    """No login that could write to the trail. Raises NothingWasRun; a dead database is only told of."""
    said = fleet.ask(lambda database: database.access)
    for problem in said.problems:
        say(f"{problem.reason} It is shown as such until it answers.")
    if len(said.problems) == len(fleet.databases) == 1:
        raise TrailError(said.problems[0].reason)
    writers = [(database, access) for database, access in said.answers if access.may_write]
    for database, access in writers:
        if not allow_writer:
            raise NothingWasRun(
                f"The login {access.login} may write to the trail of {database.name}, and a page that only "
                "reads does not need that. Give it a login with the role audit_reader and nothing else: "
                "`create role dashboard login in role audit_reader`. --allow-writer starts it all the same."
            )
        say(f"The login {access.login} may write to the trail of {database.name}: use one that only reads.")
