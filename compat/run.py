"""Does every tool's run find its changes? Each tool's own command, on a real project, through the action.

python -m compat.run                 all tools; writes compat/results.json and docs/compatibility.md
python -m compat.run --tool NAME     these tools, the other results stay
python -m compat.run --check         the tools that CI runs; says what differs from the results, exit 1
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import psycopg

from audit_action.demo.job import run_step
from audit_action.demo.postgres import Server, running
from audit_action.trail import Trail
from compat.document import DOCUMENT, RESULTS, Result, read_results, render
from compat.pooler import pooling
from compat.tools import HERE, CannotInstall, Tool, install, search_path, tools, version_of

AUTHOR = 'Ada O\'Neil \\ "Q" 100% é 名 😀'
SHA = "c0ffee" + "0" * 34
EXPECTED = ["account.email", "account.id", "account.name", "account_name"]

_NUMBERS = itertools.count(1)


@contextmanager
def servers() -> Iterator[tuple[Server, Server]]:
    """A server, and the same behind a PgBouncer in transaction mode that refuses startup options."""
    with running(18) as server:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute("create database template_with_trail")
            admin.execute("create role ci_user login")
        Trail(server.url("template_with_trail")).install()
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute("grant audit_recorder to ci_user")
        with pooling(server, users=["ci_user"]) as pooled:
            yield server, pooled


def verdict(tool: Tool, server: Server, *, reached: Server, in_url: bool) -> tuple[str, bool]:
    """How the tool's changes found their run, and whether the author's name came through whole.

    `reached` is the server as the tool reaches it. The verdict names the ways, or says why there are none.
    """
    name = new_database(server)
    url, jdbc = addresses(reached, name)
    variables = environment(tool, reached, jdbc)
    with project(tool) as workspace:
        step = run_step(
            workspace.parent / f"job-{name}",
            event=push(),
            inputs={
                "database-url": url,
                "command": tool.command,
                "url-variables": tool.variable if in_url else "",
            },
            variables={
                **variables,
                "GITHUB_REPOSITORY": "acme/shop",
                "GITHUB_EVENT_NAME": "push",
                "GITHUB_SHA": SHA,
                "GITHUB_REF": "refs/heads/main",
            },
            workspace=workspace,
        )
    missing = [each for each in EXPECTED if each not in made(server, name)]
    if step.exit_code == 0 and not missing:
        return found(server, name)
    alone, said = without_action(tool, server, reached)
    if alone and in_url:
        return "refuses the parameter", False
    print(step.log[-3000:] if alone else said[-1500:], file=sys.stderr)
    return (f"BROKEN: exit {step.exit_code}" if alone else "fails, without the action too"), False


def without_action(tool: Tool, server: Server, reached: Server) -> tuple[bool, str]:
    """Whether the very same command works there on its own."""
    name = new_database(server)
    url, jdbc = addresses(reached, name)
    with project(tool) as workspace:
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", tool.command],
            cwd=workspace,
            env={
                **environment(tool, reached, jdbc),
                "HOME": os.environ["HOME"],
                "DATABASE_URL": url,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    return done.returncode == 0 and all(each in made(server, name) for each in EXPECTED), done.stdout


def new_database(server: Server) -> str:
    name = f"shop_{next(_NUMBERS)}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f'create database "{name}" template template_with_trail'.encode())
        admin.execute(f'grant create on database "{name}" to ci_user'.encode())
    with psycopg.connect(server.url(name), autocommit=True) as admin:
        admin.execute("grant create on schema public to ci_user")
    return name


def addresses(reached: Server, name: str) -> tuple[str, str]:
    """The database as a URL, and as JDBC's."""
    return reached.url(name, "ci_user"), f"jdbc:postgresql://127.0.0.1:{reached.port}/{name}?user=ci_user"


def environment(tool: Tool, reached: Server, jdbc: str) -> dict[str, str]:
    """What the job sets for the tool, beside the action's inputs."""
    given = {variable: value.format(jdbc=jdbc) for variable, value in tool.env.items()}
    return {"PATH": f"{search_path(tool)}{os.pathsep}{reached.bin}", "JARS": str(tool.home / "lib"), **given}


@contextmanager
def project(tool: Tool) -> Iterator[Path]:
    """The tool's project in a folder of its own below what its group installed, and the shared SQL in it."""
    tool.home.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="work-", dir=tool.home))
    folder = place / "project"
    try:
        if tool.folder == tool.group:
            folder.mkdir()
        else:
            shutil.copytree(HERE / tool.folder, folder)
        if not (folder / "sql").exists():
            shutil.copytree(HERE / "sql", folder / "sql")
        if (tool.home / "node_modules").is_dir():
            (folder / "node_modules").symlink_to(tool.home / "node_modules")
        yield folder
    finally:
        shutil.rmtree(place, ignore_errors=True)


def made(server: Server, name: str) -> set[str]:
    """What there is of the migrations: columns, and the index."""
    with psycopg.connect(server.url(name)) as admin:
        rows = admin.execute(
            "select table_name || '.' || column_name from information_schema.columns union all "
            "select indexname from pg_indexes where schemaname = 'public'"
        ).fetchall()
    return {row[0].removeprefix("shop_").replace("shop_account.", "account.") for row in rows}


def found(server: Server, name: str) -> tuple[str, bool]:
    """The verdict on what the trail holds."""
    with psycopg.connect(server.url(name)) as admin:
        rows = admin.execute(
            "select h.delivery, h.run_id is null, h.application_user_name, "
            "h.authors -> 0 #>> '{person,name}' from audit.history h, audit.migration_run r "
            "where h.event_time > r.started_at order by h.event_time"
        ).fetchall()
    ways = " + ".join(dict.fromkeys(row[0] for row in rows))
    lost = sum(row[1] for row in rows)
    whole = all(
        person == AUTHOR and (setting == AUTHOR if way == "session" else setting in (None, AUTHOR))
        for way, _, setting, person in rows
    )
    if lost or not rows:
        return f"BROKEN: {lost} of {len(rows)} changes belong to no run", False
    return ways, whole


def push() -> str:
    """The event of a push of one commit by the author."""
    person = {"name": AUTHOR, "email": "ada@example.org"}
    commit = {
        "id": SHA,
        "message": "Accounts",
        "timestamp": "2026-11-20T10:00:00Z",
        "author": person,
        "committer": person,
        "distinct": True,
    }
    return json.dumps(
        {
            "ref": "refs/heads/main",
            "before": "b" * 40,
            "after": SHA,
            "commits": [commit],
            "head_commit": commit,
            "repository": {"full_name": "acme/shop"},
            "sender": {"login": "ada"},
        }
    )


def result(tool: Tool, server: Server, pooled: Server) -> Result:
    """All verdicts on one tool."""
    ways = {
        "direct": verdict(tool, server, reached=server, in_url=False),
        "in_url": verdict(tool, server, reached=server, in_url=True) if tool.variable else ("", True),
        "pooled": verdict(tool, server, reached=pooled, in_url=False),
    }
    arrived = [whole for way, whole in ways.values() if "session" in way or "_" in way]
    return Result(
        tool=tool.name,
        version=version_of(tool),
        driver=tool.driver,
        direct=ways["direct"][0],
        in_url=ways["in_url"][0],
        pooled=ways["pooled"][0],
        intact=bool(arrived) and all(arrived),
        ci=tool.ci,
        remark=tool.remark,
    )


def run(wanted: Sequence[Tool], *, installing: bool) -> Iterator[Result]:
    """The results of these tools, one by one; one that cannot be had has the reason."""
    with servers() as (server, pooled):
        for tool in wanted:
            reason = tool.not_run
            try:
                if installing and not reason:
                    install(tool)
            except CannotInstall as problem:
                reason = str(problem)
            one = _not_run(tool, reason) if reason else result(tool, server, pooled)
            print(f"{tool.key}: {reason or [one.direct, one.in_url, one.pooled, one.intact]}", flush=True)
            yield one


def _not_run(tool: Tool, reason: str) -> Result:
    return Result(
        tool=tool.name, version=tool.version, driver=tool.driver, ci=False, remark=tool.remark, not_run=reason
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tool", action="append", help="a name out of tools.toml; may be repeated")
    parser.add_argument("--check", action="store_true", help="compare what CI runs with the results")
    parser.add_argument("--no-install", action="store_true", help="take what build/compat has")
    arguments = parser.parse_args()
    stored = {each.key: each for each in read_results()}
    wanted = [
        each
        for each in tools()
        if (each.ci if arguments.check else True) and (not arguments.tool or each.name in arguments.tool)
    ]
    now = list(run(wanted, installing=not arguments.no_install))
    broken = [
        each.key
        for each in now
        if "BROKEN" in f"{each.direct}{each.in_url}{each.pooled}" or "fails" in each.direct
    ]
    if arguments.check:
        differing = [
            each for each in now if each.key not in stored or each.verdicts != stored[each.key].verdicts
        ]
        for each in differing:
            print(f"{each.key} differs:\n  stored {stored.get(each.key)}\n  now    {each}", file=sys.stderr)
        return 1 if differing or broken else 0
    merged = {each.key: each for each in now}
    order = [merged.get(f"{each.name} ({each.driver})") or stored.get(each.key) for each in tools()]
    results = [each for each in order if each is not None]
    RESULTS.write_text(json.dumps([asdict(each) for each in results], indent=1, ensure_ascii=False) + "\n")
    DOCUMENT.write_text(render(results))
    for key in broken:
        print(f"{key}: not every change is attributed", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
