"""Which history do the dashboard's tests look at? Runs and DDL of a storefront, some of it hostile."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

PEOPLE: dict[str, dict[str, Any]] = {
    "ada": {"login": "adalovelace", "name": "Ada Lovelace", "email": "ada@brickyard.example", "kind": "user"},
    "grace": {"login": "ghopper", "name": "Grace Hopper", "email": "grace@brickyard.example", "kind": "user"},
    "barbara": {
        "login": "bliskov",
        "name": "Barbara Liskov",
        "email": "barbara@brickyard.example",
        "kind": "user",
    },
    "margaret": {
        "login": "mhamilton",
        "name": "Margaret Hamilton",
        "email": "margaret@brickyard.example",
        "kind": "user",
    },
    "radia": {
        "login": "rperlman",
        "name": "Radia Perlman",
        "email": "radia@brickyard.example",
        "kind": "user",
    },
    "bot": {"login": "renovate", "name": "renovate", "kind": "bot"},
    "hostile": {
        "login": "<script>alert(1)</script>",
        "name": '"><img src=x onerror="alert(\'n\')"> \u202eevil',
        "email": "x@evil.example",
        "kind": "unmatched",
    },
}

HOSTILE_SQL = """-- <script>document.title = 'owned'</script>
create table public."<img src=x onerror=alert(1)>" (
  "'); alert(1) //" text default '</code></pre><script>alert(2)</script>'
)"""


def story(url: str, ci_url: str) -> None:
    """Tell it in an audited database: the first login owns everything, the second is CI's."""
    with psycopg.connect(url, autocommit=True) as admin:
        ci = psycopg.conninfo.conninfo_to_dict(ci_url)["user"]
        admin.execute(sql.SQL("grant create, usage on schema public to {}").format(sql.Identifier(str(ci))))
        admin.execute(
            sql.SQL("grant create on database {} to {}").format(
                sql.Identifier(admin.info.dbname), sql.Identifier(str(ci))
            )
        )
        admin.execute(sql.SQL("grant audit_recorder to {}").format(sql.Identifier(str(ci))))
    _users(ci_url)
    with psycopg.connect(url, autocommit=True, application_name="psql") as admin:
        admin.execute("create index orders_by_hand on public.orders (total)")
    _members(ci_url)
    _run(ci_url, "Nothing to migrate", 45, ["bot"], "grace", [], [], environment="staging")
    with psycopg.connect(url, autocommit=True, application_name="DBeaver 24.1") as admin:
        admin.execute("set audit.user_name = 'Ada Lovelace'; set audit.user_email = 'ada@brickyard.example'")
        admin.execute("alter table public.members add column emergency_note text")
    _run(
        ci_url,
        "<b>Bold</b> & hostile </title><script>alert(3)</script>",
        46,
        ["hostile"],
        "hostile",
        [],
        [HOSTILE_SQL],
        pull_url="javascript:alert(4)",
        run_url="javascript:alert(5)",
    )
    _run(
        ci_url,
        "Retire the old orders",
        47,
        ["barbara", "radia"],
        "margaret",
        [("grace", "APPROVED", "fresh")],
        ["drop table public.orders cascade", "alter table public.members drop column name cascade"],
        status="failed",
        exit_code=3,
    )


def _users(ci_url: str) -> None:
    _run(
        ci_url,
        "Create users and orders",
        41,
        ["ada", "margaret"],
        "grace",
        [("barbara", "APPROVED", "fresh"), ("radia", "CHANGES_REQUESTED", "stale")],
        [
            "create table public.users (\n  id bigint generated always as identity primary key,\n"
            "  name text not null -- as they like to be called\n)",
            "create table public.orders (id bigint primary key, total numeric(12, 2) not null default 0)",
            "create index users_name on public.users (lower(name))",
            "create function public.stamp() returns trigger language plpgsql as "
            "$$ begin new.name := trim(new.name); return new; end $$",
            "create trigger tidy before insert on public.users for each row execute function public.stamp()",
            "create policy own_row on public.users using (name = current_user)",
            "comment on column public.users.name is 'As they like to be called'",
        ],
    )


def _members(ci_url: str) -> None:
    _run(
        ci_url,
        "Users are members now",
        44,
        ["radia"],
        "grace",
        [("ada", "APPROVED", "fresh")],
        [
            "create schema crm",
            "alter table public.users rename to members",
            "alter table public.members add column email text, add constraint members_email unique (email)",
            "create table public.users (id int)",
            "drop table public.users",
            "alter table public.members set schema crm",
            "alter table crm.members set schema public",
            "create view public.member_names as select id, name from public.members",
        ],
        approvers=["barbara"],
    )


def _run(
    url: str,
    title: str,
    number: int,
    authors: Sequence[str],
    merger: str,
    reviews: Sequence[tuple[str, str, str]],
    statements: Sequence[str],
    *,
    environment: str = "production",
    approvers: Sequence[str] = (),
    status: str = "succeeded",
    exit_code: int = 0,
    pull_url: str = "",
    run_url: str = "",
) -> None:
    repository = "brickyard/storefront"
    run: Mapping[str, Any] = {
        "repository": repository,
        "environment": environment,
        "workflow": "Migrate",
        "job": "migrate",
        "run_id": 7_310_000 + number,
        "run_attempt": 1,
        "run_url": run_url or f"https://github.com/{repository}/actions/runs/{7_310_000 + number}/attempts/1",
        "event": "push",
        "ref": "refs/heads/main",
        "base_sha": f"{number - 1:040x}",
        "head_sha": f"{number:07x}".rjust(40, "e"),
        "range_source": "last run on this database",
        "actor": PEOPLE[merger]["login"],
        "triggering_actor": PEOPLE[merger]["login"],
        "commits": [{"sha": f"{number:040x}", "headline": title}],
        "pull_requests": [
            {
                "number": number,
                "title": title,
                "url": pull_url or f"https://github.com/{repository}/pull/{number}",
                "merged": True,
                "commits": [{"sha": f"{number:040x}"}],
            }
        ],
        "authors": [{"person": PEOPLE[each], "roles": ["author"], "commits": 1} for each in authors],
        "mergers": [{"person": PEOPLE[merger], "pull_request": number}],
        "reviewers": [
            {"person": PEOPLE[who], "pull_request": number, "state": state, "freshness": freshness}
            for who, state, freshness in reviews
        ],
        "approvers": [
            {"person": PEOPLE[each], "environment": environment, "state": "approved"} for each in approvers
        ],
        "unavailable": [{"field": "rerun_by", "reason": "not allowed", "permission": "actions: read"}],
    }
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("select audit.begin_run(%s::jsonb)", [json.dumps(run)]).fetchone()
        assert row is not None
        run_id = row[0]
        connection.execute("select set_config('audit.run_id', %s, false)", [str(run_id)])
        for each in statements:
            connection.execute(each.encode())
        ending = json.dumps({"status": status, "exit_code": exit_code})
        connection.execute("select audit.finish_run(%s, %s::jsonb)", [run_id, ending])
