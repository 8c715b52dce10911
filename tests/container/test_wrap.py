"""Wrap mode: is the command run as the runner's contract asks, and its run told truly?"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from jobs import BASE, HEAD, PUSH, on_pull_request, on_push
from runner_host import RUNNER_USER, RunnerHost, Stage
from services import Service, ServiceDatabase

from audit_action.demo.postgres import Server, running

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]

CREATE = 'psql "$DATABASE_URL" -qc "create table widget (id bigint primary key)"'
HOSTILE = r"""
printf '::set-output name=run-id::forged\n'
printf '::add-mask::widget\n'
printf '##[add-mask]shop\n' >&2
printf 'progress ##[set-output name=status;]forged\r::error::forged\r\n'
printf '::stop-commands::mine\n::warning::forged\n' >&2
printf '::save-state name=run::forged'
"""


def run_of(audited: ServiceDatabase) -> tuple[str, int | None]:
    """Status and exit code of the one run in the trail."""
    [(status, exit_code)] = audited.rows("select status, exit_code from audit.migration_run")
    return status, exit_code


def assert_kept(stage: Stage, audited: ServiceDatabase) -> None:
    """No login in anything that was printed, but in the commands that hide it."""
    shown = [
        line for line in (stage.stdout + stage.stderr).splitlines() if not line.startswith("::add-mask::")
    ]
    assert audited.password not in "\n".join(shown)
    assert audited.password not in json.dumps([stage.outputs, stage.exported, stage.state, stage.summary])


def test_push(host: RunnerHost, audited: ServiceDatabase) -> None:
    stage = on_push(host, database_url=audited.url, command=CREATE, environment="production").main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert run_of(audited) == ("succeeded", 0)
    [(identity, delivery, head, authors)] = audited.rows(
        "select object_identity, delivery, head_sha, authors from audit.history where object_type = 'table'"
    )
    assert (identity, delivery, head) == ("public.widget", "session", HEAD)
    assert [each["person"]["name"] for each in authors] == ["Ada Lovelace", "Grace Hopper"]
    assert {name: stage.outputs[name] for name in ("status", "exit-code", "base-sha", "head-sha")} == {
        "status": "succeeded",
        "exit-code": "0",
        "base-sha": BASE,
        "head-sha": HEAD,
    }
    assert "public.widget" in stage.summary
    assert "Grace Hopper" in stage.summary
    assert stage.exported == {}
    assert_kept(stage, audited)


def test_a_report_is_found_by_the_next_step(host: RunnerHost, audited: ServiceDatabase) -> None:
    """The output names the path outside of the container; the runner's user may delete the file."""
    stage = on_push(host, database_url=audited.url, command=CREATE).main()
    for name in ("report-json", "report-markdown"):
        assert stage.outputs[name].startswith(str(host.temp))
        assert "widget" in Path(stage.outputs[name]).read_text(encoding="utf-8")
    assert host.left_by_root() == []


def test_a_merged_pull_request(host: RunnerHost, audited: ServiceDatabase) -> None:
    stage = on_pull_request(host, merged=True, database_url=audited.url, command=CREATE).main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert run_of(audited) == ("succeeded", 0)


def test_a_pull_request_of_a_fork_that_was_deleted(host: RunnerHost, audited: ServiceDatabase) -> None:
    """Its token may not comment, and `head.repo` is null: the migration runs all the same."""
    stage = on_pull_request(
        host, merged=False, fork=True, database_url=audited.url, command=CREATE, github_token=""
    ).main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert run_of(audited) == ("succeeded", 0)


def test_a_command_that_fails(host: RunnerHost, audited: ServiceDatabase) -> None:
    stage = on_push(host, database_url=audited.url, command=f"{CREATE}; echo to the log; exit 7").main()
    assert stage.exit_code == 7
    assert run_of(audited) == ("failed", 7)
    assert (stage.outputs["status"], stage.outputs["exit-code"]) == ("failed", "7")
    assert "to the log" in stage.log.lines
    assert "public.widget" in stage.summary


def test_a_command_with_a_pipe_that_fails(host: RunnerHost, audited: ServiceDatabase) -> None:
    stage = on_push(host, database_url=audited.url, command="false | cat; echo not reached").main()
    assert (stage.exit_code, run_of(audited)) == (1, ("failed", 1))
    assert "not reached" not in stage.log.lines


def test_the_time_limit(host: RunnerHost, audited: ServiceDatabase) -> None:
    stage = on_push(
        host, database_url=audited.url, command=f"{CREATE}; sleep 60", timeout_minutes="0.05"
    ).main()
    assert stage.exit_code == 143
    assert run_of(audited) == ("failed", 143)
    assert "public.widget" in stage.summary


# --- Cancellation ---------------------------------------------------------------------------------


def test_cancelled_while_the_command_runs(host: RunnerHost, audited: ServiceDatabase) -> None:
    under_way = on_push(host, database_url=audited.url, command=f"{CREATE}; echo under way; sleep 60").start()
    under_way.until_printed("under way")
    stage = under_way.cancel()
    assert (stage.exit_code, stage.still_running) == (130, False)
    assert run_of(audited) == ("cancelled", 130)
    assert stage.outputs["status"] == "cancelled"
    assert "public.widget" in stage.summary


def test_cancelled_while_the_command_does_not_listen(host: RunnerHost, audited: ServiceDatabase) -> None:
    """It is killed after 5 s; the rest is done before the runner's 10 s are over."""
    deaf = f"trap '' INT TERM; {CREATE}; echo under way; while :; do sleep 0.2; done"
    under_way = on_push(host, database_url=audited.url, command=deaf).start()
    under_way.until_printed("under way")
    stage = under_way.cancel()
    assert (stage.exit_code, stage.still_running) == (137, False)
    assert run_of(audited) == ("cancelled", 137)
    assert "public.widget" in stage.summary


def test_cancelled_before_the_command_starts(host: RunnerHost, audited: ServiceDatabase) -> None:
    """The preflight is held by a lock; what was asked is given up, and nothing is run."""
    with audited.connect() as holder:
        holder.execute("begin")
        holder.execute("lock table audit.migration_run in access exclusive mode")
        under_way = on_push(host, database_url=audited.url, command=CREATE).start()
        audited.wait_for_a_lock()
        stage = under_way.cancel()
    assert (stage.exit_code, stage.still_running) == (130, False)
    assert "nothing was run" in stage.said("error")
    assert audited.rows("select to_regclass('public.widget')") == [(None,)]
    assert audited.rows("select count(*) from audit.migration_run where status = 'open'") == [(0,)]


def test_cancelled_while_the_report_is_written(host: RunnerHost, audited: ServiceDatabase) -> None:
    """The command has ended; its own end is what is told, and the run is closed."""
    with audited.connect() as holder:
        under_way = on_push(host, database_url=audited.url, command=f"{CREATE}; sleep 2").start()
        audited.wait_for("to_regclass('public.widget') is not null")
        holder.execute("begin")
        holder.execute("lock table audit.migration_run in access exclusive mode")
        audited.wait_for_a_lock()
        under_way.interrupt()
        holder.execute("rollback")
        stage = under_way.wait()
    assert stage.still_running is False
    assert run_of(audited) == ("succeeded", 0)
    assert stage.outputs["status"] == "succeeded"


# --- Output ---------------------------------------------------------------------------------------


def test_hostile_output(host: RunnerHost, audited: ServiceDatabase) -> None:
    stage = on_push(host, database_url=audited.url, command=HOSTILE + f"\n{CREATE}").main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    obeyed = {each.name for each in stage.log.commands}
    assert obeyed <= {"add-mask", "stop-commands", "notice", "warning", "debug", "group", "endgroup"}
    assert "forged" not in " ".join(each.data for each in stage.log.commands)
    assert {"widget", "shop"}.isdisjoint(stage.log.data_of("add-mask"))
    assert stage.outputs["status"] == "succeeded"
    assert "::set-output name=run-id::forged" in stage.stdout  # passed on, unchanged, and not obeyed


def test_two_megabytes_of_output(host: RunnerHost, audited: ServiceDatabase) -> None:
    many = "seq 300000; printf 'the end, without a newline'"
    stage = on_push(host, database_url=audited.url, command=many).main()
    assert stage.exit_code == 0
    lines = stage.log.lines
    start = lines.index("1")
    assert lines[start : start + 300_000] == [str(number) for number in range(1, 300_001)]
    assert lines[start + 300_000] == "the end, without a newline"
    assert len(stage.summary) < 100_000


def test_a_secret_that_the_command_prints(host: RunnerHost, audited: ServiceDatabase) -> None:
    leak = 'echo "$DATABASE_URL"; for c in $(grep -o . <<<"$PASSWORD"); do printf %s "$c"; done; env >&2'
    stage = on_push(host, {"PASSWORD": audited.password}, database_url=audited.url, command=leak).main()
    assert stage.exit_code == 0
    assert_kept(stage, audited)
    assert "***" in stage.stdout


def test_what_the_command_is_not_given(host: RunnerHost, audited: ServiceDatabase) -> None:
    stage = on_push(host, database_url=audited.url, command="env").main()
    names = {line.partition("=")[0] for line in stage.log.lines}
    assert {"DATABASE_URL", "PGOPTIONS", "PGAPPNAME", "GITHUB_SHA", "HOME"} <= names
    assert not {name for name in names if name.startswith("INPUT_") or name == "ACTIONS_RUNTIME_TOKEN"}
    assert host.token not in stage.stdout.replace(f"::add-mask::{host.token}", "")


# --- The runner's files -----------------------------------------------------------------------------


def test_files_that_cannot_be_written(host: RunnerHost, audited: ServiceDatabase) -> None:
    """A Kubernetes runner mounts none; here each is a folder."""
    stage = on_push(host, database_url=audited.url, command=CREATE).start(files_broken=True).wait()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert run_of(audited) == ("succeeded", 0)
    assert "was not handed to the runner" in stage.said("debug")


def test_nothing_stays_that_only_root_can_delete(host: RunnerHost, audited: ServiceDatabase) -> None:
    write = "mkdir -p node_modules/x; touch node_modules/x/y; ln -s /nowhere dangling; touch ~/cache"
    stage = on_push(host, database_url=audited.url, command=write).main()
    assert stage.exit_code == 0
    assert (host.workspace / "node_modules/x/y").lstat().st_uid == RUNNER_USER
    assert host.left_by_root() == []


# --- A hostile checkout -----------------------------------------------------------------------------


def test_nothing_is_imported_from_the_checkout(host: RunnerHost, audited: ServiceDatabase) -> None:
    trap = "import os; os.system('touch /github/workspace/sprung')\nraise SystemExit('hijacked')\n"
    for name in ("argparse", "json", "psycopg", "github", "audit_action", "sitecustomize", "usercustomize"):
        (host.workspace / f"{name}.py").write_text(trap)
    (host.workspace / "pyvenv.cfg").write_text("home = /github/workspace\n")
    host.own()
    stage = on_push(
        host,
        {"PYTHONPATH": "/github/workspace", "PYTHONSTARTUP": "json.py"},
        database_url=audited.url,
        command=CREATE,
    ).main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert not (host.workspace / "sprung").exists()


def test_git_works_in_a_checkout_of_another_user(host: RunnerHost, audited: ServiceDatabase) -> None:
    stage = on_push(
        host,
        database_url=audited.url,
        command="git init -q; chown -R 1001:1001 .; git status --short; echo fine",
    ).main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert "fine" in stage.log.lines


def test_the_git_config_of_the_checkout_starts_nothing(host: RunnerHost, audited: ServiceDatabase) -> None:
    """GitHub is not reached, so git is asked; it lacks the base, and the promisor would be asked for it."""
    git = ("git", "-C", str(host.workspace), "-c", "safe.directory=*")
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    subprocess.run((*git, "init", "--quiet"), check=True)
    subprocess.run((*git, *person, "commit", "--quiet", "--allow-empty", "-m", "Add widgets"), check=True)
    head = subprocess.run((*git, "rev-parse", "HEAD"), check=True, capture_output=True, text=True).stdout
    head = head.strip()
    spring = "sh -c 'touch /github/workspace/sprung'"
    for name, value in (
        ("remote.origin.url", "/github/workspace"),
        ("remote.origin.uploadpack", spring),
        ("remote.origin.promisor", "true"),
        ("extensions.partialClone", "origin"),
        ("protocol.file.allow", "always"),
        ("core.fsmonitor", spring),
        ("core.pager", spring),
        ("log.showSignature", "true"),
        ("gpg.program", "/github/workspace/gpg"),
    ):
        subprocess.run((*git, "config", name, value), check=True)
    (host.workspace / "gpg").write_text("#!/bin/sh\ntouch /github/workspace/sprung\n")
    (host.workspace / "gpg").chmod(0o755)
    host.own()
    payload = {**PUSH, "after": head, "commits": []}
    stage = host.step(
        event="push",
        payload=payload,
        github={"GITHUB_SHA": head, "GITHUB_REF": "refs/heads/main"},
        inputs={"database-url": audited.url, "command": CREATE},
    ).main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr
    assert not (host.workspace / "sprung").exists()


# --- The network --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_a_database_on_localhost_is_explained(host: RunnerHost, service: Service, name: str) -> None:
    """The first thing users hit: inside the container localhost is the container."""
    stage = on_push(host, database_url=f"postgresql://ci:hunter22@{name}:5432/shop", command="true").main()
    assert stage.exit_code == 2
    assert "localhost is the container itself" in stage.said("error")
    assert "@postgres:5432" in stage.said("error")
    assert f"write {service.gateway} as the host" in stage.said("error")


def test_a_database_on_the_runners_machine_by_the_bridge(
    new_host: Callable[..., RunnerHost], bridge: str
) -> None:
    """Without services the container is on the default bridge; the address that the message names works."""
    with tempfile.TemporaryDirectory() as folder, open_to(bridge, Path(folder)) as server:
        url = f"postgresql://postgres@{bridge}:{server.port}/postgres"
        stage = on_push(new_host(network=None), database_url=url, command="true", install="true").main()
    assert stage.exit_code == 0, stage.stdout + stage.stderr


def open_to(bridge: str, folder: Path) -> AbstractContextManager[Server]:
    """A server of this machine that listens on the Docker bridge too."""
    folder.chmod(0o755)
    rules = folder / "pg_hba.conf"
    rules.write_text("host all all all trust\n")
    rules.chmod(0o644)
    return running(settings={"listen_addresses": f"127.0.0.1,{bridge}", "hba_file": str(rules)})
