"""Does each report show what its name says, all of it, and nothing that its readers must not see?"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from golden_files import GOLDEN, assert_golden
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from report_cases import CASES, HOSTILE, hostile_names, many_changes, strangers, twenty_thousand_commands
from reports import CHANGES, PEOPLE, START, Trail, make
from test_safe_text import ALIVE, hostile, rendered

from audit_action import report as reports
from audit_action.model import Attribution, Author, AuthorRole, MigrationResult, Person, RunStatus
from audit_action.report import Rung
from audit_action.report.safe_text import visible

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "docs" / "report.schema.json").read_text())


# --- Golden files --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_comment_is_as_kept(name: str) -> None:
    assert_golden(f"{name}.md", reports.comment(CASES[name]()))


@pytest.mark.parametrize("name", CASES)
def test_terminal_text_is_as_kept(name: str) -> None:
    assert_golden(f"{name}.txt", reports.terminal(CASES[name]()))


def test_no_golden_file_is_left_over() -> None:
    kept = {path.name.partition(".")[0] for path in GOLDEN.iterdir()}
    assert kept == {*CASES, "twenty_thousand_commands"}


# --- Size ----------------------------------------------------------------------------------------


def test_twenty_thousand_commands_of_50_kilobytes_each() -> None:
    made = twenty_thousand_commands()
    for rung in Rung:
        body = reports.comment(made, rung)
        assert len(body) + 300 <= 65_536  # the marker needs some
        assert_golden(f"twenty_thousand_commands.{rung.name.lower()}.md", body)
    summary = reports.summary(made)
    assert len(summary.encode()) < 1024 * 1024
    assert "20,000 schema changes" in summary
    assert "more changes" in summary
    found = json.loads(reports.as_json_text(made))
    commands = [each for one in found["transactions"] for each in one["commands"]]
    assert found["counts"]["commands"] == len(commands) == 20_000
    assert all(len(each["statement"]) > 50_000 for each in commands)


def test_bodies_come_from_the_fullest_to_the_smallest() -> None:
    bodies = reports.comments(many_changes())
    assert len(bodies) == 3
    assert [len(each) for each in bodies] == sorted(map(len, bodies), reverse=True)


@pytest.mark.parametrize("field", ["title", "name", "warning", "tail", "target"])
def test_one_endless_text_does_not_break_the_limit(field: str) -> None:
    endless = "😀<" * 500_000
    person = Person(name=endless, login="octocat")
    overrides: dict[str, dict[str, Any]] = {
        "title": {
            "change_set": replace(
                CHANGES,
                pull_requests=tuple(replace(CHANGES.pull_requests[0], title=endless) for _ in range(300)),
            )
        },
        "name": {
            "attribution": Attribution(
                authors=(Author(person=person, roles=(AuthorRole.AUTHOR,), commits=1),) * 1_000
            )
        },
        "warning": {"warnings": (endless,) * 1_000},
        "tail": {
            "status": RunStatus.FAILED,
            "result": MigrationResult(exit_code=1, seconds=1, tail=(endless,) * 30),
        },
        "target": {"target": endless},
    }
    made = make(**overrides[field])
    for rung in Rung:
        body = reports.comment(made, rung)
        assert len(body.encode("utf-16-le")) // 2 <= 65_236
    assert len(reports.summary(made).encode()) < 1024 * 1024


# --- Safe text -------------------------------------------------------------------------------------

OURS = {"a", "blockquote", "br", "code", "details", "div", "h3", "li", "p", "pre", "strong", "sub", "summary"}
OURS |= {"table", "tbody", "td", "th", "thead", "tr", "ul"}


def assert_tame(body: str, allowed_links: tuple[str, ...] = ("https://github.com/",)) -> None:
    page = rendered(body)
    assert set(page.elements) <= OURS
    assert page.comments == []
    assert all(each.startswith(allowed_links) for each in page.links)
    outside_blocks = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", body)
    assert not ALIVE.search(rendered(re.sub(r"<a href=[^>]*>(?:&#35;\u200b\d+)?", "", outside_blocks)).text)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("rung", Rung)
def test_every_comment_is_tame(name: str, rung: Rung) -> None:
    made = CASES[name]()
    body = reports.comment(made, rung)
    if len(made.change_set.pull_requests) > 1:  # our own references to the pull requests of the change set
        body = re.sub(r" \(#\d+\)", "", body)
    assert_tame(body)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=hostile)
def test_no_text_in_any_field_comes_alive(text: str) -> None:
    person = Person(name=text, login=text, email=text)
    trail = Trail(user=text, application=text, address=text).transaction().message(text)
    trail.command("CREATE TABLE", text or "table", text).drop("DROP TABLE", "table", text)
    made = make(
        environment=text,
        target=text,
        status=RunStatus.FAILED,
        result=MigrationResult(exit_code=1, seconds=1.0, tail=(f"ERROR:  {text}", text)),
        change_set=replace(
            CHANGES,
            pull_requests=(replace(CHANGES.pull_requests[0], title=text, url=f"https://github.com/{text}"),),
        ),
        attribution=replace(
            PEOPLE,
            authors=(Author(person=person, roles=(AuthorRole.AUTHOR,), commits=1),),
            actor=text,
            triggering_actor=text,
        ),
        events=trail.events,
        unattributed=trail.events,
        drift=(text,),
        warnings=(text,),
    )
    assert_tame(reports.comment(made))
    for line in reports.terminal(made).replace("\u200b", "").splitlines():
        assert visible(line) == line


def test_templates_never_switch_escaping_off() -> None:
    for path in (ROOT / "audit_action" / "templates").glob("*.j2"):
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", path.read_text()), path.name


# --- Secrets ---------------------------------------------------------------------------------------


def test_secrets_are_masked_in_every_rendering() -> None:
    word = "correct-horse-battery"
    trail = Trail().transaction()
    trail.message(f"create user mapping for app server far options (user 'app', password '{word}')")
    trail.command("CREATE USER MAPPING", "user mapping", "app on server far")
    trail.message(
        f"select dblink('host=far password={word}'); comment on table a is 'postgres://u:{word}@far/db'"
    )
    trail.command("COMMENT", "table", "public.a")
    made = make(
        events=trail.events,
        status=RunStatus.FAILED,
        result=MigrationResult(
            exit_code=1, seconds=1, tail=(f"connecting to postgresql://app:{word}@far/shop",)
        ),
        warnings=(f"password={word}", "the code is 4711"),
        redact=(r"\b\d{4}\b(?= *$)",),
    )
    shown = [
        *reports.comments(made),
        reports.summary(made),
        reports.as_json_text(made),
        reports.terminal(made),
    ]
    for text in shown:
        assert word not in text
        assert "4711" not in text
    assert "***" in shown[0]


# --- JSON and annotations --------------------------------------------------------------------------


def closed(schema: Any) -> Any:
    """The schema without room for fields that it does not describe."""
    if isinstance(schema, dict):
        found = {name: closed(each) for name, each in schema.items()}
        return {**found, "additionalProperties": False} if "properties" in schema else found
    return [closed(each) for each in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("name", CASES)
def test_json_is_what_its_schema_describes(name: str) -> None:
    text = reports.as_json_text(CASES[name]())
    Draft202012Validator(closed(SCHEMA)).validate(json.loads(text))
    assert text.isascii()


def test_schema_requires_what_every_report_has() -> None:
    made = json.loads(reports.as_json_text(many_changes()))
    assert set(SCHEMA["required"]) == set(SCHEMA["properties"]) == set(made)
    for missing in made:
        assert not Draft202012Validator(SCHEMA).is_valid({k: v for k, v in made.items() if k != missing})


def test_annotations_tell_destruction_and_strangers() -> None:
    made = make(
        events=CASES["many_changes"]().transactions and strangers().events, unattributed=strangers().events
    )
    assert [(each.title, each.message) for each in reports.annotations(made)] == [
        (
            "Schema change outside any migration run",
            "Created index public.orders_created_at_idx, by alice at 2026-03-12 09:26 UTC",
        ),
        (
            "Schema change outside any migration run",
            "Disabled trigger audit_orders on public.orders, by alice at 2026-03-12 09:26 UTC",
        ),
    ]
    assert [each.title for each in reports.annotations(many_changes())] == ["Destructive schema change"] * 2


def test_annotations_are_ten_at_most_and_say_so() -> None:
    trail = Trail().transaction()
    for number in range(30):
        trail.message(f"drop table t{number}").drop("DROP TABLE", "table", f"public.t{number}")
    found = reports.annotations(make(events=trail.events))
    assert len(found) == 10
    assert found[-1].message == "21 more findings in the job summary"


def test_annotations_of_hostile_names_are_one_line_each() -> None:
    for each in reports.annotations(hostile_names()):
        assert "\n" not in each.message
        assert "##[" not in each.message


# --- Failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tail", "message", "location", "statement"),
    [
        (["psql:a.sql:3: ERROR:  boom", "LINE 1: selec 1"], "boom", "a.sql:3", "selec 1"),
        (["ERROR: syntax error (SQLSTATE 42601)"], "syntax error (SQLSTATE 42601)", "", ""),
        (["ERROR:  first", "psql:b.sql:9: ERROR:  second"], "second", "b.sql:9", ""),
        (["FATAL:  password authentication failed"], "password authentication failed", "", ""),
        (["npm ERR! code 1"], "", "", ""),
        ([], "", "", ""),
    ],
)
def test_failing_statement_is_told_where_the_output_names_it(
    tail: list[str], message: str, location: str, statement: str
) -> None:
    result = MigrationResult(exit_code=1, seconds=1, tail=tuple(tail))
    failure = make(status=RunStatus.FAILED, result=result).failure
    assert failure is not None
    assert (failure.message, failure.location, failure.statement) == (message, location, statement)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (MigrationResult(exit_code=3, seconds=1), "The command ended with exit code 3."),
        (MigrationResult(exit_code=137, seconds=1), "The command was ended by signal SIGKILL."),
        (MigrationResult(exit_code=255, seconds=1), "The command ended with exit code 255."),
        (
            MigrationResult(exit_code=143, seconds=1, timed_out=True),
            "The command ran longer than timeout-minutes allows and was stopped.",
        ),
        (
            MigrationResult(exit_code=130, seconds=1, cancelled=True),
            "The workflow was cancelled, and the command was stopped.",
        ),
    ],
)
def test_reason_of_a_failure_is_prose(result: MigrationResult, reason: str) -> None:
    failure = make(status=RunStatus.FAILED, result=result).failure
    assert failure is not None
    assert failure.reason == reason


def test_a_run_that_succeeded_has_no_failure() -> None:
    assert make().failure is None
    assert make(status=RunStatus.REFUSED, result=None).failure is None


def test_unattributed_list_says_how_many_it_leaves_out() -> None:
    outside = Trail(run_id=None, start=START)
    for number in range(400):
        outside.transaction().message("x").command("CREATE TABLE", "table", f"public.t{number}")
    body = reports.comment(make(unattributed=outside.events))
    assert "400 changes outside any migration run" in body
    assert "… and 350 more" in body
    assert len(json.loads(reports.as_json_text(make(unattributed=outside.events)))["unattributed"]) == 400


def test_hostile_text_is_hostile() -> None:
    page = rendered(HOSTILE)
    assert page.links
    assert page.comments
    assert ALIVE.search(page.text)
