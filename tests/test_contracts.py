"""Is the same thing named the same everywhere: in action.yml, the code, the README and the database?"""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from servers import Database
from test_pgoptions import people, settings_of

from audit_action.model import Event, MigrationRun, RunStatus
from audit_action.settings import Settings
from docs.fill_readme import filled

ROOT = Path(__file__).parent.parent
ACTION = YAML(typ="safe").load((ROOT / "action.yml").read_text())


def test_the_readme_shows_the_workflow_the_inputs_and_the_outputs_as_they_are() -> None:
    readme = (ROOT / "README.md").read_text()
    assert readme == filled(readme), "run `make readme`"


def test_the_example_of_the_readme_is_short_enough_to_paste() -> None:
    assert len((ROOT / "examples/workflows/migrate.yml").read_text().splitlines()) <= 24


@pytest.mark.parametrize("name", ACTION["inputs"])
def test_every_input_is_a_setting(name: str) -> None:
    assert name.replace("-", "_") in {each.name for each in fields(Settings)}


@pytest.mark.parametrize("name", ACTION["outputs"])
def test_every_output_is_written(name: str) -> None:
    glue = "".join(
        path.read_text()
        for path in (ROOT / "audit_action").glob("*.py")
        if "runner.output(" in path.read_text()
    )
    assert f'"{name}"' in glue


def test_the_settings_of_a_session_are_those_that_the_trail_reads() -> None:
    sent = set(settings_of(people(2))) | {"audit.pull_requests"}
    trail = "\n".join(path.read_text() for path in (ROOT / "sql").rglob("*.sql"))
    assert set(re.findall(r"'(audit\.(?:run_id|user_name|user_email))'", trail)) <= sent


def columns(database: Database, relation: str) -> set[str]:
    rows = database.rows(
        f"select attname from pg_attribute where attrelid = '{relation}'::regclass and attnum > 0"
    )
    return {name for (name,) in rows}


def test_a_run_and_an_event_have_the_columns_of_the_database(newest_audited: Database) -> None:
    assert {each.name for each in fields(MigrationRun)} <= columns(newest_audited, "audit.migration_run")
    assert {each.name for each in fields(Event)} <= columns(newest_audited, "audit.history")


def test_the_database_knows_each_status(newest_audited: Database) -> None:
    rows = newest_audited.rows(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = 'status_is_known'"
    )
    assert set(re.findall(r"'(\w+)'::text", rows[0][0])) == {each.value for each in RunStatus}
