"""What can one ask the dashboard for on the command line? `dashboard` and `export`, and what they take."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.util import find_spec
from typing import TYPE_CHECKING

from audit_action.dashboard.filters import Filter
from audit_action.errors import BadInput
from audit_action.runner import Runner
from audit_action.settings import database_url

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_FILTERS = {
    "q": "words in the SQL",
    "person": "a login, e-mail address or name, in any role",
    "object": "an object such as public.users",
    "kind": "a command tag or its verb: DROP, CREATE TABLE",
    "user": "a database user",
    "environment": "an environment: production",
    "delivery": "session, application_name, open_run or none",
    "since": "the first day, as 2026-01-31",
    "until": "the last day",
}


def add(subcommands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two subcommands."""
    page = subcommands.add_parser("dashboard", help="show the history of one database or many as web pages")
    _databases(page)
    page.add_argument("--listen", default="127.0.0.1:8321", metavar="HOST:PORT", help="default: %(default)s")
    page.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="a reverse proxy that has asked who the user is; may be given many times",
    )
    page.add_argument(
        "--user-header",
        default="X-Forwarded-User",
        metavar="NAME",
        help="the header in which it says so (default: %(default)s)",
    )
    page.add_argument("--certificate", default="", metavar="FILE", help="serve https with it")
    page.add_argument("--key", default="", metavar="FILE", help="the certificate's key")
    page.add_argument(
        "--hash-password", action="store_true", help="ask for a password and print SCHEMA_AUDIT_PASSWORD_HASH"
    )
    export = subcommands.add_parser(
        "export", help="write the history as a static site, as CSV or as JSON Lines"
    )
    _databases(export)
    where = export.add_mutually_exclusive_group(required=True)
    where.add_argument("--html", metavar="DIR", help="a self-contained site, for an artifact or Pages")
    where.add_argument("--csv", metavar="FILE", help="one line an event; - for standard output")
    where.add_argument("--jsonl", metavar="FILE", help="one JSON object an event; - for standard output")
    for name, told in _FILTERS.items():
        export.add_argument(f"--{name}", default="", help=f"only: {told}")
    export.add_argument("--manual", action="store_true", help="only changes outside runs")
    export.add_argument("--destructive", action="store_true", help="only what lost data")


def _databases(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--database-url",
        action="append",
        default=[],
        metavar="[NAME=]URL",
        help="a database; may be given many times (default: the variable DATABASE_URL)",
    )
    parser.add_argument(
        "--timeout", type=float, default=5.0, metavar="SECONDS", help="of each query (default: %(default)s)"
    )
    parser.add_argument(
        "--allow-writer", action="store_true", help="accept a login that could write to the trail"
    )


def dashboard(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
    """Serve the pages until a signal ends it."""
    _require()
    from audit_action.dashboard import serving  # its packages are an extra

    if arguments.hash_password:
        return _hash_password(runner)
    return serving.serve(
        serving.Asked(
            urls=_urls(arguments.database_url, environ),
            listen=arguments.listen,
            password_hash=environ.get(serving.PASSWORD_VARIABLE, ""),
            proxies=tuple(arguments.trusted_proxy),
            user_header=arguments.user_header,
            timeout=_seconds(arguments.timeout),
            allow_writer=arguments.allow_writer,
            certificate=arguments.certificate,
            key=arguments.key,
        ),
        runner.log,
    )


def export(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
    """Write what the filter finds, all of it."""
    _require()
    from audit_action.dashboard.exporting import Target, write  # its packages are an extra

    given = {each.name: getattr(arguments, each.name, "") for each in fields(Filter)}
    target = Target(html=arguments.html or "", csv=arguments.csv or "", jsonl=arguments.jsonl or "")
    return write(
        _urls(arguments.database_url, environ),
        Filter.parse({name: str(value) for name, value in given.items() if value}),
        target,
        runner.log,
        timeout=_seconds(arguments.timeout),
        allow_writer=arguments.allow_writer,
    )


def _require() -> None:
    """The packages of the extra. Raises BadInput where one is missing."""
    for package in ("starlette", "uvicorn", "psycopg_pool"):
        if find_spec(package) is None:
            raise BadInput(
                f"The dashboard needs the package {package}, which is not installed: "
                "`pip install 'schema-audit-action[dashboard]'`."
            )


def _urls(given: Sequence[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(given) or (database_url("", environ),)


def _seconds(given: float) -> float:
    if not 0 < given <= 3600:
        raise BadInput(f"--timeout is {given:g}: it takes seconds, more than 0 and at most 3600.")
    return given


def _hash_password(runner: Runner) -> int:
    from audit_action.dashboard.security import hash_password

    asked = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if len(asked) < 12:
        raise BadInput("The password is shorter than 12 characters: others can reach this page too.")
    runner.log(hash_password(asked))
    return 0
