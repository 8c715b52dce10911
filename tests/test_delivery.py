"""Does what we tell a session arrive in a real one, and is the command's environment only what it needs?"""

from __future__ import annotations

import json
import os
import subprocess
from uuid import UUID

import psycopg
import pytest
from servers import Database
from test_pgoptions import HOSTILE, people, settings_of

from audit_action import delivery, pgoptions
from audit_action.model import Delivery
from audit_action.url_options import options_of, with_options

RUN = UUID("11111111-2222-4333-8444-555555555555")


def sessions(settings: dict[str, str], **given: str) -> delivery.SessionSettings:
    return delivery.session_settings(
        settings,
        run_id=RUN,
        urls={"DATABASE_URL": given.get("database_url", "postgresql://h/d"), "JDBC": "jdbc:postgresql://h/d"},
        write_into=given.get("write_into", "").split(),
        inherited=given.get("inherited", ""),
        inherited_name=given.get("inherited_name", ""),
    )


def by_psql(database: Database, name: str, **environ: str) -> str:
    """What a session of the real psql, started with this environment, reads back of one setting."""
    done = subprocess.run(
        ["psql", "-XAtq", database.url(), "-c", f"select current_setting('{name}')"],
        env={"PATH": f"{database.server.bin}{os.pathsep}{os.environ['PATH']}", **environ},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().removesuffix("\n")


@pytest.mark.parametrize("value", [*HOSTILE, "x" * 3600], ids=ascii)
def test_a_hostile_name_comes_back_from_a_real_server_unchanged(newest_postgres, value: str) -> None:
    options = pgoptions.encode({"audit.run_id": str(RUN), "audit.user_name": value})
    with psycopg.connect(newest_postgres.url(), options=options) as connection:
        row = connection.execute(
            "select current_setting('audit.user_name'), current_setting('search_path')"
        ).fetchone()
    assert row == (value, '"$user", public')


def test_five_thousand_characters_come_back_where_the_budget_allows_them(newest_postgres) -> None:
    options = pgoptions.encode({"audit.user_name": "é x" * 1666 + "ab"}, budget=10_000)
    with psycopg.connect(newest_postgres.url(), options=options) as connection:
        row = connection.execute("select current_setting('audit.user_name')").fetchone()
    assert row == ("é x" * 1666 + "ab",)


@pytest.mark.parametrize("count", [1, 400])
def test_authors_come_back_as_json_however_many(newest_postgres, count: int) -> None:
    with psycopg.connect(
        newest_postgres.url(), options=pgoptions.encode(settings_of(people(count)))
    ) as connection:
        row = connection.execute("select current_setting('audit.authors')::jsonb").fetchone()
    assert row is not None
    authors = row[0]
    assert len(authors) == count or authors[-1]["more"] == count - len(authors) + 1


def test_psql_receives_them_through_its_environment(newest_audited: Database) -> None:
    told = sessions(
        {"audit.user_name": 'Ada "the Countess" \\ 名 😀\n'}, inherited="-c statement_timeout=4321"
    )
    environ = {"PGOPTIONS": told.pgoptions, "PGAPPNAME": told.pgappname}
    assert by_psql(newest_audited, "audit.user_name", **environ) == 'Ada "the Countess" \\ 名 😀\n'
    assert by_psql(newest_audited, "statement_timeout", **environ) == "4321ms"
    assert by_psql(newest_audited, "application_name", **environ) == f"schema-audit/{RUN}"


@pytest.mark.parametrize(
    ("inherited", "name"),
    [
        ("", f"schema-audit/{RUN}"),
        ("nightly", f"schema-audit/{RUN} nightly"),
        ("é" * 20, f"schema-audit/{RUN} {'é' * 6}"),
    ],
)
def test_the_users_own_application_name_stays_readable(inherited: str, name: str) -> None:
    told = sessions({}, inherited_name=inherited).pgappname
    assert told == name
    assert len(told.encode()) <= delivery.APPLICATION_NAME_BYTES


def test_the_command_gets_neither_our_inputs_nor_the_jobs_tokens() -> None:
    environ = {
        "PATH": "/bin",
        "INPUT_GITHUB-TOKEN": "t",
        "INPUT_AUDIT-DATABASE-URL": "u",
        "STATE_run": "s",
        "ACTIONS_RUNTIME_TOKEN": "t",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
        "MY_SECRET": "kept",
    }
    told = sessions({"audit.run_id": "r"}, database_url="postgresql://h/d?options=-c%20a.b%3Dc")
    assert delivery.environment_of_command(environ, told) == {
        "PATH": "/bin",
        "MY_SECRET": "kept",
        "DATABASE_URL": "postgresql://h/d?options=-c%20a.b%3Dc%20-c%20audit.run_id%3Dr",
        "JDBC": "jdbc:postgresql://h/d",
        "PGOPTIONS": "-c audit.run_id=r",
        "PGAPPNAME": f"schema-audit/{RUN}",
    }


def test_url_variables_get_the_settings_whether_they_bring_options_or_not() -> None:
    told = sessions({"audit.run_id": "r"}, write_into="DATABASE_URL JDBC")
    assert told.urls == {
        "DATABASE_URL": "postgresql://h/d?options=-c%20audit.run_id%3Dr",
        "JDBC": "jdbc:postgresql://h/d?options=-c%20audit.run_id%3Dr",
    }


def test_options_of_the_users_own_url_count_into_the_budget() -> None:
    own = "-c x.y=" + "z" * 3000
    told = sessions(settings_of(people(60)), database_url=with_options("postgresql://h/d", own))
    options = options_of(told.urls["DATABASE_URL"])
    assert options is not None
    assert options.startswith(f"{own} -c audit.run_id=")
    assert len(options.encode()) < pgoptions.STARTUP_PACKET_BYTES


def test_where_options_are_refused_the_name_alone_is_told() -> None:
    told = delivery.without_options(
        sessions({"audit.run_id": "r"}, inherited="-c x.y=z"),
        urls={"DATABASE_URL": "u"},
        inherited="-c x.y=z",
    )
    assert (told.pgoptions, told.urls) == ("-c x.y=z", {"DATABASE_URL": "u"})
    assert told.pgappname == f"schema-audit/{RUN}"


@pytest.mark.parametrize(
    ("arrived_run_id", "arrived_name", "way"),
    [
        (str(RUN), "psql", Delivery.SESSION),
        ("", f"schema-audit/{RUN}", Delivery.APPLICATION_NAME),
        ("", f"schema-audit/{RUN} nightly", Delivery.APPLICATION_NAME),
        ("", "", Delivery.OPEN_RUN),
        (str(UUID(int=9)), "x", Delivery.OPEN_RUN),
    ],
)
def test_the_way_is_named_by_what_arrived(arrived_run_id: str, arrived_name: str, way: Delivery) -> None:
    found = delivery.carried_by(run_id=RUN, arrived_run_id=arrived_run_id, arrived_name=arrived_name)
    assert found is way


def test_json_in_the_settings_is_compact_ascii() -> None:
    authors = settings_of(people(2, name="名"))["audit.authors"]
    assert authors.isascii()
    assert authors == json.dumps(json.loads(authors), separators=(",", ":"))
