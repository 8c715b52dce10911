"""Does action.yml list exactly what the code reads and writes, and do the validators accept it?"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from npm_packages import installed
from ruamel.yaml import YAML

from audit_action.settings import Settings

ROOT = Path(__file__).parent.parent
ACTION: dict[str, Any] = YAML(typ="safe").load(ROOT / "action.yml")
PARSER = ("@actions/workflow-parser@0.3.61", "@actions/languageservice@0.3.61")
BIN = Path(sys.executable).parent
WORKFLOWS = sorted([*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("examples/workflows/*.yml")])


def source(*names: str) -> str:
    return "\n".join((ROOT / "audit_action" / name).read_text() for name in names)


def test_every_input_is_read_and_every_input_read_is_listed() -> None:
    read = set(re.findall(r'\.(?:input|parsed|flag)\(\s*"([a-z-]+)"', source("settings.py")))
    assert read == set(ACTION["inputs"])


def test_the_defaults_are_those_of_the_code() -> None:
    """What the runner passes when nothing is written in the workflow means the same as nothing at all."""
    base = {"DATABASE_URL": "postgresql://db/shop", "GITHUB_WORKSPACE": "/github/workspace"}
    given = {
        f"INPUT_{name.upper()}": "" if "${{" in str(each.get("default", "")) else each.get("default", "")
        for name, each in ACTION["inputs"].items()
    }
    assert all(isinstance(value, str) for value in given.values())
    assert Settings.from_environ(base | given) == Settings.from_environ(base)


def test_every_output_is_written_and_every_output_written_is_listed() -> None:
    text = source("publish.py", "export.py")
    table = re.search(r"outputs = \{(.*?)\n    \}", text, re.DOTALL)
    assert table
    written = {*re.findall(r'^        "([a-z-]+)":', table[1], re.MULTILINE)}
    written |= {*re.findall(r'\.output\("([a-z-]+)"', text)}
    assert written == set(ACTION["outputs"])


def test_the_entrypoints_are_executables_of_the_image() -> None:
    """One token without arguments (actions/runner, ContainerActionHandler.cs), copied by the Dockerfile."""
    runs = ACTION["runs"]
    for key in sorted({"entrypoint", "post-entrypoint"} & set(runs)):
        name = Path(runs[key]).name
        assert runs[key] == f"/app/{name}"
        assert (ROOT / name).stat().st_mode & 0o111
        assert (ROOT / name).read_text().startswith("#!/opt/schema-audit/bin/python -Iu\n")
        assert re.search(
            rf"^COPY .*\b{re.escape(name)}\b.* /app/$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
        )


def test_the_schema_of_actions_accepts_it() -> None:
    _accepts("check-jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_schema_of_workflows_accepts_them(path: Path) -> None:
    _accepts("check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)


def test_there_is_nothing_for_zizmor_to_warn_of() -> None:
    _accepts(
        "zizmor",
        "--offline",
        "--no-progress",
        "--config",
        ROOT / ".github/zizmor.yml",
        ROOT / "action.yml",
        *WORKFLOWS,
    )


@pytest.fixture(scope="session")
def language_service() -> Callable[..., str]:
    """GitHub's own parser of actions and workflows, from npm; what it has to say about some files."""
    folder = installed(ROOT / "build" / "language-service", *PARSER).parent

    def said(*files: Path) -> str:
        command = (BIN / "node", ROOT / "tests" / "language_service.mjs", folder, *files)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return said


@pytest.mark.node
@pytest.mark.xdist_group("language-service")
def test_githubs_own_parser_has_nothing_to_say(language_service: Callable[..., str]) -> None:
    assert language_service(ROOT / "action.yml", *WORKFLOWS) == ""


@pytest.mark.node
@pytest.mark.xdist_group("language-service")
def test_githubs_own_parser_would_find_a_wrong_input(
    language_service: Callable[..., str], tmp_path: Path
) -> None:
    wrong = tmp_path / "workflow.yml"
    text = (ROOT / "examples/workflows/migrate.yml").read_text()
    wrong.write_text(text.replace("database-url:", "databse-url:").replace("secrets.", "secret."))
    said = language_service(ROOT / "action.yml", wrong)
    assert "Invalid action input 'databse-url'" in said
    assert "secret" in said


def _accepts(program: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [BIN / program, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
