"""Is every input read as the runner gives it, and every unusable one named at once?"""

from __future__ import annotations

import re

import pytest

from audit_action.errors import BadInput
from audit_action.settings import DeliveryRule, FailOn, Settings

URL = "postgres://ci_user@db/app"


def settings(**inputs: str) -> Settings:
    environ = {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in inputs.items()}
    return Settings.from_environ({"DATABASE_URL": URL} | environ)


def test_every_input_may_be_empty_because_the_runner_always_sets_it() -> None:
    names = ["database-url", "delivery", "install", "pr-comment", "require-approvals", "fail-on", "redact"]
    read = Settings.from_environ({"DATABASE_URL": URL} | {f"INPUT_{name.upper()}": "" for name in names})
    assert (read.database_url, read.audit_database_url) == (URL, URL)
    assert (read.delivery, read.install, read.pr_comment) == (DeliveryRule.AUTO, False, True)
    assert (read.require_approvals, read.fail_on, read.redact) == (0, frozenset(), ())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("install", "True", True),
        ("pr_comment", " FALSE ", False),
        ("delivery", "require-session", DeliveryRule.REQUIRE_SESSION),
        ("require_approvals", "2", 2),
        ("fail_on", "unattributed, destructive", frozenset(FailOn)),
        ("fail_on", "destructive\n", frozenset({FailOn.DESTRUCTIVE})),
        ("timeout_minutes", "0.5", 0.5),
        ("redact", "a+\n\n b \n", ("a+", "b")),
    ],
)
def test_an_input_is_read(name: str, text: str, value: object) -> None:
    assert getattr(settings(**{name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("install", "yes"),
        ("delivery", "session"),
        ("require_approvals", "-1"),
        ("require_approvals", "two"),
        ("fail_on", "everything"),
        ("timeout_minutes", "nan"),
        ("timeout_minutes", "-1"),
        ("redact", "("),
    ],
)
def test_an_input_that_is_not_understood_is_named_with_what_it_takes(name: str, text: str) -> None:
    with pytest.raises(BadInput, match=f"^{name.replace('_', '-')} is .* it takes "):
        settings(**{name: text})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadInput) as problem:
        Settings.from_environ({"INPUT_INSTALL": "maybe", "INPUT_DELIVERY": "pigeon"})
    assert [line.split(" ", 1)[0] for line in str(problem.value).splitlines()] == [
        "database-url",
        "delivery",
        "install",
    ]


def test_secrets_are_not_in_the_repr() -> None:
    text = repr(
        Settings.from_environ({"DATABASE_URL": "postgres://u:hush@h/d", "INPUT_GITHUB-TOKEN": "hush"})
    )
    assert "hush" not in text


def test_the_job_is_read_from_the_runners_variables() -> None:
    job = Settings.from_environ(
        {
            "DATABASE_URL": URL,
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_RUN_ID": "77",
            "GITHUB_RUN_ATTEMPT": "2",
            "GITHUB_SERVER_URL": "https://ghe.example",
        }
    ).job
    assert job.run_url == "https://ghe.example/acme/shop/actions/runs/77/attempts/2"


def test_url_variables_are_read_with_their_values() -> None:
    given = {
        "INPUT_URL-VARIABLES": "FLYWAY_URL, DATABASE_URL\nDIRECT_URL",
        "INPUT_DATABASE-URL": "postgresql://db/shop",
        "FLYWAY_URL": "jdbc:postgresql://db/shop",
        "DIRECT_URL": "host=db dbname=shop",
    }
    assert Settings.from_environ(given).url_variables == {
        "FLYWAY_URL": "jdbc:postgresql://db/shop",
        "DATABASE_URL": "postgresql://db/shop",
        "DIRECT_URL": "host=db dbname=shop",
    }


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("FLYWAY_URL", "names FLYWAY_URL, and there is no such"),
        ("OTHER", "names OTHER, which holds no Postgres or JDBC URL"),
        ("$FLYWAY_URL", "takes names of environment variables"),
    ],
)
def test_url_variables_that_cannot_be_used_are_named_and_their_values_are_not_shown(
    names: str, said: str
) -> None:
    given = {
        "INPUT_URL-VARIABLES": names,
        "DATABASE_URL": "postgresql://db/shop",
        "OTHER": "mysql://u:hidden@db/shop",
    }
    with pytest.raises(BadInput, match=re.escape(said)) as problem:
        Settings.from_environ(given)
    assert "hidden" not in str(problem.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("jdbc:postgresql://u:hidden@db/shop", "begins with jdbc:postgresql:"),
        ("jdbc:postgresql:shop?password=hidden", "begins with jdbc:"),
        ("postgresql+asyncpg://u:hidden@db/shop", "begins with postgresql+asyncpg:"),
        ("mysql://u:hidden@db/shop", "begins with mysql:"),
    ],
)
def test_an_address_that_libpq_cannot_read_is_refused_without_being_shown(url: str, said: str) -> None:
    with pytest.raises(BadInput, match=re.escape(said)) as problem:
        Settings.from_environ({"DATABASE_URL": url})
    assert "hidden" not in str(problem.value)


@pytest.mark.parametrize(
    "url", ["postgres://db/shop", "postgresql:///shop", "host=db dbname='a://b'", "service=shop", "shop"]
)
def test_every_form_that_libpq_reads_is_taken(url: str) -> None:
    assert Settings.from_environ({"DATABASE_URL": url}).database_url == url
