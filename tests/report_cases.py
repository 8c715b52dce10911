"""The reports that are kept as golden files; each name says what the report shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from reports import (
    ADA,
    CHANGES,
    GRACE,
    JOB,
    MARGARET,
    PEOPLE,
    PULL,
    RUN,
    START,
    Trail,
    make,
)

from audit_action.model import (
    Attribution,
    Author,
    AuthorRole,
    ChangeSet,
    Commit,
    Confidence,
    Delivery,
    Freshness,
    Merger,
    MigrationResult,
    Person,
    PersonKind,
    PullRequest,
    RangeSource,
    Relation,
    Reviewer,
    ReviewState,
    RunStatus,
    Unavailable,
)
from audit_action.report import Report

FAILED_TAIL = (
    "Applying: 20260314_01_customer_email.sql",
    "Applied:  20260314_01_customer_email.sql in 41 ms",
    "Applying: 20260314_02_email_unique.sql",
    'psql:sql/20260314_02_email_unique.sql:7: ERROR:  could not create unique index "customers_email_key"',
    "DETAIL:  Key (email)=(someone@example.org) is duplicated.",
    "STATEMENT:  alter table customers add constraint customers_email_key unique (email)",
)


def nothing_to_do() -> Report:
    return make(result=MigrationResult(exit_code=0, seconds=0.41))


def one_change() -> Report:
    trail = Trail().transaction().message("alter table customers add column email text")
    return make(events=trail.command("ALTER TABLE", "table", "public.customers").events)


def the_story() -> Trail:
    """A dbmate file in one message, an index built by itself, a table retired."""
    trail = Trail(application=f"schema-audit/{RUN} dbmate").transaction()
    trail.message(
        "-- migrate:up\n"
        "create table loyalty_points (\n"
        "  id bigint generated always as identity primary key,\n"
        "  customer_id bigint not null references customers (id),\n"
        "  points integer not null default 0 check (points >= 0)\n"
        ");\n\n"
        "comment on table loyalty_points is 'One row a purchase; the sum is what a customer may spend.';\n\n"
        "alter table customers\n  add column email text,\n  drop column fax;\n\n"
        "create policy own_points on loyalty_points\n"
        "  using (customer_id = current_setting('shop.customer')::bigint);\n"
    )
    trail.command("CREATE SEQUENCE", "sequence", "public.loyalty_points_id_seq")
    trail.command("CREATE TABLE", "table", "public.loyalty_points")
    trail.command("CREATE INDEX", "index", "public.loyalty_points_pkey")
    trail.command("ALTER TABLE", "table", "public.loyalty_points")
    trail.command("ALTER SEQUENCE", "sequence", "public.loyalty_points_id_seq")
    trail.command("COMMENT", "table", "public.loyalty_points")
    trail.drop("ALTER TABLE", "table column", "public.customers.fax")
    trail.command("ALTER TABLE", "table", "public.customers")
    trail.command("CREATE POLICY", "policy", "own_points on public.loyalty_points")
    trail.transaction().message(
        "create unique index concurrently customers_email_key on customers (lower(email))"
    )
    trail.command("CREATE INDEX", "index", "public.customers_email_key")
    trail.transaction().message("drop table old_orders cascade")
    trail.drop("DROP TABLE", "table", "public.old_orders")
    trail.drop("DROP TABLE", "index", "public.old_orders_pkey", original=False)
    trail.drop("DROP TABLE", "view", "public.orders_by_year", original=False)
    trail.drop("DROP TABLE", "rule", '"_RETURN" on public.orders_by_year', original=False)
    trail.drop("DROP TABLE", "table constraint", "refunds_order_fkey on public.refunds", original=False)
    return trail


def strangers() -> Trail:
    """What two people did by hand since the last run."""
    trail = Trail(
        run_id=None,
        user="alice",
        application="DBeaver 24.2.0",
        address="203.0.113.7",
        delivery=Delivery.NONE,
        start=START - timedelta(days=2),
    )
    trail.transaction().message("create index on public.orders (created_at)")
    trail.command("CREATE INDEX", "index", "public.orders_created_at_idx")
    trail.transaction().message("alter table public.orders disable trigger audit_orders")
    return trail.command("ALTER TABLE", "table", "public.orders")


def many_changes() -> Report:
    return make(events=the_story().events)


def destructive() -> Report:
    trail = Trail().transaction()
    trail.message("alter table events alter column payload type jsonb using payload::jsonb")
    trail.rewrite("ALTER TABLE", "public.events", 4).command("ALTER TABLE", "table", "public.events")
    trail.message("drop schema legacy cascade").drop("DROP SCHEMA", "schema", "legacy")
    trail.drop("DROP SCHEMA", "table", "legacy.invoices", original=False)
    trail.drop("DROP SCHEMA", "sequence", "legacy.invoices_id_seq", original=False)
    trail.drop("DROP SCHEMA", "index", "legacy.invoices_pkey", original=False)
    trail.drop("DROP SCHEMA", "function", "legacy.next_number()", original=False)
    trail.message(
        "truncate sessions, public.carts;\n"
        "alter table users alter column email set not null, disable row level security;\n"
        "create role reporting bypassrls;\n"
        "create index on users (email);"
    )
    trail.command("ALTER TABLE", "table", "public.users").command(
        "CREATE INDEX", "index", "public.users_email_idx"
    )
    trail.message("drop policy own_rows on users").drop("DROP POLICY", "policy", "own_rows on public.users")
    return make(events=trail.events, table_rows={"public.users": 1_200_000.0})


def unattributed() -> Report:
    trail = Trail().transaction().message("alter table customers add column email text")
    trail.command("ALTER TABLE", "table", "public.customers")
    return make(
        events=trail.events,
        unattributed=strangers().events,
        unattributed_since=START - timedelta(days=6, hours=2),
    )


def failed() -> Report:
    trail = Trail().transaction().message("alter table customers add column email text")
    trail.command("ALTER TABLE", "table", "public.customers")
    return make(
        status=RunStatus.FAILED,
        result=MigrationResult(exit_code=3, seconds=4.7, tail=FAILED_TAIL),
        events=trail.events,
    )


def cancelled() -> Report:
    return make(
        status=RunStatus.CANCELLED,
        result=MigrationResult(
            exit_code=130, seconds=185.0, cancelled=True, tail=("Applying: 20260314_03_backfill.sql",)
        ),
        warnings=("The database could not be reached to close the run; it closes by itself after 6 hours.",),
    )


def no_github_token() -> Report:
    claims = Person(name="Grace Hopper", email="grace@example.org", kind=PersonKind.UNMATCHED)
    return make(
        github_known=False,
        change_set=replace(
            CHANGES, pull_requests=(), range_source=RangeSource.HEAD_ONLY, confidence=Confidence.LOW
        ),
        attribution=Attribution(
            authors=(
                Author(person=claims, roles=(AuthorRole.AUTHOR,), commits=2),
                Author(person=ADA, roles=(AuthorRole.CO_AUTHOR,), commits=1),
            ),
            actor="kjohnson",
            triggering_actor="mhamilton",
        ),
    )


def permission_missing() -> Report:
    unavailable = Unavailable(
        field="reviewers",
        reason="GitHub refused: Resource not accessible by integration",
        permission="pull-requests: read",
    )
    return make(attribution=replace(PEOPLE, reviewers=(), unavailable=(unavailable,)))


def preview() -> Report:
    return make(
        preview=True,
        environment="preview-128",
        target="branch-128.internal/shop",
        job=replace(JOB, event="pull_request", ref="refs/pull/128/merge"),
        change_set=replace(CHANGES, pull_requests=(replace(PULL, merged=False, merged_at=None),)),
        attribution=replace(PEOPLE, mergers=(), approvers=()),
        events=the_story().events,
    )


def preview_turned_applied() -> Report:
    return make(environment="preview-128", target="branch-128.internal/shop", events=the_story().events)


def rollback_of_two_pull_requests() -> Report:
    other = PullRequest(number=131, title="Undo it", url="https://github.com/acme/shop/pull/131", merged=True)
    queue = Person(login="github-merge-queue", kind=PersonKind.BOT)
    return make(
        change_set=replace(CHANGES, relation=Relation.BEHIND, pull_requests=(PULL, other)),
        attribution=replace(
            PEOPLE,
            mergers=(
                *PEOPLE.mergers,
                Merger(person=queue, pull_request=131, enabled_by=MARGARET, merged_by=queue),
            ),
            reviewers=(
                *PEOPLE.reviewers,
                Reviewer(
                    person=GRACE,
                    pull_request=131,
                    state=ReviewState.APPROVED,
                    freshness=Freshness.STALE,
                    can_write=False,
                    is_author=True,
                    after_merge=True,
                ),
                Reviewer(person=Person(kind=PersonKind.GHOST), pull_request=131, state=ReviewState.COMMENTED),
            ),
        ),
    )


HOSTILE = (
    "@everyone <img src=x onerror=alert(1)> **bold** _em_ `code` [click](https://evil.example) #1 "
    "acme/shop#2 GH-3 https://evil.example www.evil.example a@evil.example :tada: | | $x$ "
    "<!-- c --> &#64;octocat \u202egnp.exe"
)


def hostile_names() -> Report:
    author = Person(name=HOSTILE, email="x@evil.example", login='a"><script>', id=1)
    table = 'public."' + HOSTILE.replace('"', '""') + '"'
    text = f"alter table {table} add column x text default '```\n</details>\n# heading @octocat\n```'"
    trail = Trail(user="ci|user", application=HOSTILE, address=None).transaction().message(text)
    trail.command("ALTER TABLE", "table", table)
    outside = Trail(run_id=None, user=HOSTILE, application=HOSTILE, delivery=Delivery.NONE).transaction()
    outside.message("drop table x").drop("DROP TABLE", "table", table)
    return make(
        environment=HOSTILE,
        target=f"db/{HOSTILE}",
        job=replace(JOB, workflow=HOSTILE, triggering_actor=HOSTILE),
        change_set=ChangeSet(
            head_sha=CHANGES.head_sha,
            commits=(Commit(sha=CHANGES.head_sha, headline=HOSTILE, authors=(author,)),),
            pull_requests=(PullRequest(number=1, title=HOSTILE, url="javascript:alert(1)"),),
        ),
        attribution=Attribution(
            authors=(Author(person=author, roles=(AuthorRole.AUTHOR,), commits=1),),
            mergers=(Merger(person=author, pull_request=1),),
            reviewers=(Reviewer(person=author, pull_request=1, state=ReviewState.APPROVED),),
            actor=HOSTILE,
            triggering_actor=HOSTILE,
            unavailable=(Unavailable(field=HOSTILE, reason=HOSTILE, permission=HOSTILE),),
        ),
        status=RunStatus.FAILED,
        result=MigrationResult(
            exit_code=1,
            seconds=1.0,
            tail=(
                f"ERROR:  {HOSTILE}",
                "````",
                "::error::not a command",
                "##[error]neither",
                "\x1b[31mred\x1b[0m",
            ),
        ),
        events=trail.events,
        unattributed=outside.events,
        drift=(HOSTILE,),
        warnings=(HOSTILE,),
    )


def twenty_thousand_commands() -> Report:
    trail = Trail().transaction()
    body = "x" * 50_000
    for number in range(20_000):
        trail.message(f"create function f{number}() returns text language sql as $$select '{body}'$$")
        trail.command("CREATE FUNCTION", "function", f"public.f{number}()")
    return make(events=trail.events, attribution=replace(PEOPLE, mergers=PEOPLE.mergers * 50))


CASES = {
    each.__name__: each
    for each in (
        nothing_to_do,
        one_change,
        many_changes,
        destructive,
        unattributed,
        failed,
        cancelled,
        no_github_token,
        permission_missing,
        preview,
        preview_turned_applied,
        rollback_of_two_pull_requests,
        hostile_names,
    )
}
"""The golden files: name, and how the report is made."""
