"""What does the action do? Its real entrypoint on a throw-away PostgreSQL, with a stand-in of GitHub."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg

from audit_action.dashboard.serving import Asked, serve
from audit_action.demo.github import serving
from audit_action.demo.job import Step, run_step
from audit_action.demo.postgres import Server, running
from audit_action.demo.story import REPOSITORY, tell
from audit_action.trail import SQL, Trail

MIGRATIONS = Path(__file__).with_name("migrations")
COMMAND = 'for file in migrations/*.sql; do psql -qv ON_ERROR_STOP=1 -f "$file" "$DATABASE_URL"; done'

_HISTORY = """
select
  command_tag,
  coalesce(object_identity, object_type, ''),
  case when run_id is null then 'outside any run, by ' || database_user
       else format('run %s of commit %s, told by %s', left(run_id::text, 8), left(head_sha, 7), delivery) end,
  (select string_agg(format('%s (%s)', a #>> '{person,name}', a #>> '{roles,0}'), ', ')
     from jsonb_array_elements(authors) a),
  (select string_agg(m #>> '{person,name}', ', ') from jsonb_array_elements(mergers) m),
  (select string_agg(format('%s (%s)', r #>> '{person,name}', r ->> 'state'), ', ')
     from jsonb_array_elements(reviewers) r)
from audit.history
order by event_time, position
"""


def show(environ: Mapping[str, str], folder: Path | None = None, *, dashboard: bool = False) -> int:
    """Tell the demo's story in a new folder, or in `folder`; the step's exit code.

    With `dashboard` the pages are served until Ctrl-C; where somebody sits at a terminal they are offered.
    """
    folder = folder or Path(tempfile.mkdtemp(prefix="schema-audit-demo-"))
    story = tell()
    print("Starting a throw-away PostgreSQL 18 and a stand-in of GitHub on this machine.")
    with running(18) as server, serving(story.world) as github:
        url = _storefront(server)
        print(f"{REPOSITORY}: pull request 42 was merged to main, and its migrations run as ci_user.\n")
        workspace = folder / "workspace"
        shutil.copytree(MIGRATIONS, workspace / "migrations", dirs_exist_ok=True)
        environ_path = f"{server.bin}{os.pathsep}{environ.get('PATH', os.defpath)}"
        step = run_step(
            folder,
            event=story.event,
            inputs={
                "database-url": url,
                "command": COMMAND,
                "environment": "production",
                "github-token": "demo",
            },
            variables={**story.variables, "GITHUB_API_URL": github.api_url, "PATH": environ_path},
            workspace=workspace,
        )
        (folder / "comment.md").write_text("\n\n".join(each.body for each in story.world.comments))
        _tell(step, server, folder)
        if dashboard or _wanted():
            _serve(server)
    return step.exit_code


def _wanted() -> bool:
    """Whether somebody at a terminal wants to see the pages; without one, only how to."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("As web pages: schema-audit demo --dashboard")
        return False
    try:
        return input("\nSee it as web pages? [Y/n] ").strip().lower() in ("", "y", "yes")
    except (EOFError, KeyboardInterrupt):
        return False


def _serve(server: Server) -> None:
    """The dashboard on the demo's database, with a login that can only read."""
    serve(
        Asked(urls=(f"storefront={server.url('storefront', 'dashboard')}",), listen="127.0.0.1:0"),
        lambda said: print(said, flush=True),
    )


def _storefront(server: Server) -> str:
    """A database with a past, a trail, a login for CI, and a change that somebody made by hand."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create database storefront")
    admin = server.url("storefront")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("create role ci_user login")
        connection.execute("create table public.old_orders (id bigint primary key, total numeric)")
        connection.execute("create view public.open_orders as select id from public.old_orders")
        connection.execute("alter table public.old_orders owner to ci_user")
        connection.execute("alter view public.open_orders owner to ci_user")
        connection.execute("grant usage, create on schema public to ci_user")
    Trail(admin).install()
    # As the README says it.
    logins = ("-v", "ci_role=ci_user", "-v", "reader_role=dashboard")
    subprocess.run(
        (server.bin / "psql", "-Xq", "-v", "ON_ERROR_STOP=1", *logins, "-f", SQL / "roles.sql", admin),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    with psycopg.connect(admin, autocommit=True, application_name="psql") as connection:
        connection.execute("create index old_orders_total on public.old_orders (total)")
    return server.url("storefront", "ci_user")


def _tell(step: Step, server: Server, folder: Path) -> None:
    """Print what the step printed for people, then what stands in the database itself."""
    print(re.sub(r"(?m)^::.*\n", "", step.log))
    print("And in the database itself, event by event (audit.history):\n")
    with psycopg.connect(server.url("storefront")) as connection:
        for tag, thing, run, authors, merger, reviewers in connection.execute(_HISTORY.encode()):
            print(f"  {tag:<16}{thing:<30}{run}")
            if authors:
                print(f"{'':<18}written by {authors}\n{'':<18}merged by {merger}; reviewed by {reviewers}")
    (folder / "job-summary.md").write_text(step.summary)
    print(f"\nThe job summary, the comment and the report as JSON are in {folder}")
