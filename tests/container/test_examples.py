"""Do the example workflows do what they say, word for word? Under the runner's rules, and in nektos/act."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jobs import PUSH, on_pull_request, on_push
from ruamel.yaml import YAML
from runner_host import RUNNER_USER, RunnerHost
from services import Service, ServiceDatabase

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples" / "workflows"


def steps_of(name: str) -> list[dict[str, Any]]:
    workflow: dict[str, Any] = YAML(typ="safe").load(EXAMPLES / name)
    [job] = workflow["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def filled(values: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    pattern = re.compile(r"\$\{\{ secrets\.(\w+) \}\}")
    return {key: pattern.sub(lambda match: secrets[match[1]], value) for key, value in values.items()}


def our_step(name: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """The inputs of our step in an example, its secrets filled in; an underscore for each hyphen."""
    [inputs] = [step["with"] for step in steps_of(name) if "/schema-audit-action@" in step.get("uses", "")]
    return {key.replace("-", "_"): value for key, value in filled(inputs, secrets).items()}


def with_drizzle(folder: Path) -> None:
    """A checkout of the example's project."""
    project = ROOT / "examples" / "drizzle"
    shutil.copytree(project, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))


@pytest.mark.node
def test_migrate(host: RunnerHost, audited: ServiceDatabase) -> None:
    with_drizzle(host.workspace)
    host.own()
    inputs = our_step("migrate.yml", {"DATABASE_URL": audited.url})
    for attempt in ("first", "second"):
        stage = on_push(host, **inputs).main()
        assert stage.exit_code == 0, f"{attempt}: {stage.stdout}{stage.stderr}"
    assert stage.outputs["commands"] == "0"  # the second one has nothing to do
    assert (host.workspace / "node_modules").stat().st_uid == RUNNER_USER
    assert host.left_by_root() == []
    rows = audited.rows(
        "select distinct delivery, environment from audit.history where schema_name = 'public'"
    )
    assert rows == [("session", "production")]


def test_pull_request(host: RunnerHost, service: Service) -> None:
    (host.workspace / "migrations").mkdir()
    (host.workspace / "migrations/1.sql").write_text("create table widget (id int);\n")
    host.own()
    stage = on_pull_request(host, merged=False, **our_step("pull-request.yml", {})).main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert "public.widget" in stage.summary
    (host.workspace / "migrations/1.sql").write_text("drop table widget;\n")
    stage = on_pull_request(host, merged=False, **our_step("pull-request.yml", {})).main()
    assert stage.exit_code == 4, stage.stdout + stage.stderr


def test_following_steps(host: RunnerHost, audited: ServiceDatabase) -> None:
    (host.workspace / "migrations").mkdir()
    (host.workspace / "migrations/1.sql").write_text("create table widget (id int);\n")
    if shutil.which("psql") is None:
        pytest.skip("NO psql ON THIS MACHINE: no step can follow")
    secrets = {"DATABASE_URL": audited.url.replace("@postgres:", f"@{audited.address}:")}
    stage = on_push(host, **our_step("following-steps.yml", secrets)).main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    [step] = [each for each in steps_of("following-steps.yml") if "run" in each]
    env = {"PATH": os.environ["PATH"], **host.exported, **filled(step["env"], secrets)}
    subprocess.run(("bash", "-e", "-c", step["run"]), cwd=host.workspace, env=env, check=True)
    [post] = host.end()
    assert post.exit_code == 0, post.stdout + post.stderr
    assert "public.widget" in post.summary
    rows = audited.rows(
        "select distinct delivery, environment from audit.history where schema_name = 'public'"
    )
    assert rows == [("session", "production")]


@pytest.mark.node
def test_migrate_in_act(audited: ServiceDatabase, tmp_path: Path) -> None:
    """nektos/act reads the workflow itself; where it differs from the runner, the tests above are right."""
    act = shutil.which("act", path=f"{ROOT / 'build' / 'act'}:{os.environ['PATH']}")
    if act is None:
        pytest.skip("NO nektos/act ON THIS MACHINE: .ci/run installs it where there is Go")
    repository, action = tmp_path / "repository", tmp_path / "action"
    with_drizzle(repository)
    (repository / ".github/workflows").mkdir(parents=True)
    shutil.copy(EXAMPLES / "migrate.yml", repository / ".github/workflows")
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "remote", "add", "origin", "https://github.com/octo/shop")
    git(repository, "add", ".")
    git(repository, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-qm", "Add widgets")
    shutil.copytree(ROOT, action, ignore=shutil.ignore_patterns(".*", "build", "node_modules", "__pycache__"))
    (tmp_path / "event.json").write_text(json.dumps(PUSH))
    url = audited.url.replace("@postgres:", f"@{audited.address}:")
    done = subprocess.run(
        (
            *(act, "push", "--rm", "--pull=false", "--action-offline-mode"),
            *("--workflows", ".github/workflows/migrate.yml", "--eventpath", str(tmp_path / "event.json")),
            *("--platform", "ubuntu-24.04=node:24-trixie-slim"),
            *("--local-repository", f"org/schema-audit-action@v1={action}"),
            *("--secret", "DATABASE_URL", "--secret", "GITHUB_TOKEN"),
        ),
        cwd=repository,
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "DATABASE_URL": url,
            "GITHUB_TOKEN": uuid.uuid4().hex,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert audited.password not in done.stdout + done.stderr
    assert audited.rows("select status, environment, event from audit.migration_run") == [
        ("succeeded", "production", "push")
    ]
    assert audited.rows("select distinct delivery from audit.history where schema_name = 'public'") == [
        ("session",)
    ]


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(("git", "-C", str(folder), *arguments), check=True)
