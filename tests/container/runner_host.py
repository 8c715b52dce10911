"""What does a Linux runner do around a container action? The same, step by step, with a real engine.

Everything is taken from actions/runner: the command line from Container/DockerCommandManager.cs, mounts and
path translation from Handlers/ContainerActionHandler.cs, the order of variables from there and from
ActionRunner.cs, files from FileCommandManager.cs, cancellation from Runner.Sdk/ProcessInvoker.cs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from actions_runner import Log, file_command, printed
from ruamel.yaml import YAML

ACTION: dict[str, Any] = YAML(typ="safe").load(Path(__file__).parent.parent.parent / "action.yml")
RUNNER_USER = 1001
NOT_TRANSLATED = "RUNNER_WORKSPACE", "RUNNER_TOOL_CACHE"


@dataclass(slots=True)
class Stage:
    """How one container ended, and what the runner makes of it."""

    exit_code: int
    stdout: str
    stderr: str
    command: tuple[str, ...]
    outputs: dict[str, str] = field(default_factory=dict)
    exported: dict[str, str] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    still_running: bool = False

    @property
    def log(self) -> Log:
        """Both streams, each read on its own, as the runner does."""
        out, err = printed(self.stdout), printed(self.stderr)
        return Log(commands=out.commands + err.commands, lines=out.lines + err.lines)

    def said(self, level: str) -> str:
        return "\n".join(self.log.data_of(level))


class RunnerHost:
    """One job on one runner: its folders, and the variables that its steps have exported so far."""

    def __init__(self, root: Path, *, image: str, network: str | None) -> None:
        self.image, self.network = image, network
        self.label = uuid.uuid4().hex[:6]
        self.temp = root / "_work" / "_temp"
        self.workspace = root / "_work" / "shop" / "shop"
        self.home = self.temp / "_github_home"
        self.workflow = self.temp / "_github_workflow"
        self.file_commands = self.temp / "_runner_file_commands"
        for folder in (self.workspace, self.home, self.workflow, self.file_commands):
            folder.mkdir(parents=True)
        self.job_env: dict[str, str] = {}
        self.exported: dict[str, str] = {}
        self.post_steps: list[Step] = []
        self.stages: list[Running] = []
        self.token = uuid.uuid4().hex
        self.status = "success"
        self.own()

    def own(self) -> None:
        """Everything belongs to the runner's user, who is not root."""
        if os.geteuid() == 0:
            for path in (self.temp.parent, *self.temp.parent.rglob("*")):
                os.chown(path, RUNNER_USER, RUNNER_USER, follow_symlinks=False)

    def step(
        self,
        *,
        event: str,
        payload: Mapping[str, Any],
        github: Mapping[str, str],
        inputs: Mapping[str, str],
        env: Mapping[str, str] | None = None,
    ) -> Step:
        """`uses:` of the action; inputs that are not given have their defaults. Nothing runs yet."""
        unknown = set(inputs) - set(ACTION["inputs"])
        assert not unknown, f"action.yml has no {unknown}"
        given = {name: str(each.get("default", "")) for name, each in ACTION["inputs"].items()}
        return Step(self, event, payload, dict(github), given | dict(inputs), dict(env or {}))

    def evaluated(self, value: str) -> str:
        """The two expressions of action.yml; the runner evaluates inputs anew at every stage."""
        for expression, now in (("github.token", self.token), ("job.status", self.status)):
            value = value.replace(f"${{{{ {expression} }}}}", now)
        return value

    def end(self) -> list[Stage]:
        """The end of the job: the post steps, the last one first."""
        return [self.post_steps.pop().post() for _ in range(len(self.post_steps))]

    def left_by_root(self) -> list[str]:
        """Files that the runner's user could not delete."""
        roots = (self.workspace, self.home, self.temp / "schema-audit")
        paths = [
            path for root in roots for path in (root, *root.rglob("*")) if path.is_symlink() or path.exists()
        ]
        return [str(path) for path in paths if path.lstat().st_uid == 0]

    def mounts(self) -> dict[Path, str]:
        """Host path to container path, the most specific first."""
        return {
            self.home: "/github/home",
            self.workflow: "/github/workflow",
            self.file_commands: "/github/file_commands",
            self.temp: "/github/runner_temp",
            self.workspace: "/github/workspace",
        }

    def translated(self, value: str) -> str:
        for outside, inside in self.mounts().items():
            if value == str(outside) or value.startswith(f"{outside}/"):
                return inside + value.removeprefix(str(outside))
        return value

    def close(self) -> None:
        """Nothing of this job stays: its containers carry its label."""
        listed = docker("ps", "--all", "--quiet", "--filter", f"label={self.label}").split()
        if listed:
            docker("rm", "--force", "--volumes", *listed)
        for stage in self.stages:
            stage.close()


class Step:
    """One use of the action in a job."""

    def __init__(
        self,
        host: RunnerHost,
        event: str,
        payload: Mapping[str, Any],
        github: dict[str, str],
        inputs: dict[str, str],
        env: dict[str, str],
    ) -> None:
        self.host, self.event, self.payload, self.github = host, event, payload, github
        self.inputs, self.env, self.state = inputs, env, dict[str, str]()

    def main(self) -> Stage:
        return self.start().wait()

    def start(self, *, files_broken: bool = False) -> Running:
        """The main stage in the background; where `files_broken`, a folder stands in place of each file."""
        if "post-entrypoint" in ACTION["runs"]:
            self.host.post_steps.append(self)
        return Running(self, ACTION["runs"]["entrypoint"], files_broken=files_broken)

    def post(self) -> Stage:
        return Running(self, ACTION["runs"]["post-entrypoint"]).wait()

    def variables(self, files: Mapping[str, Path]) -> dict[str, str]:
        """In the runner's order, later ones winning."""
        host = self.host
        variables = host.job_env | host.exported | self.env
        variables |= {f"STATE_{name}": value for name, value in self.state.items()}
        variables |= {
            f"INPUT_{name.replace(' ', '_').upper()}": host.evaluated(value)
            for name, value in self.inputs.items()
        }
        variables["HOME"] = str(host.home)
        variables |= {
            "GITHUB_ACTION": "__schema-audit",
            "GITHUB_ACTOR": "octocat",
            "GITHUB_API_URL": "http://127.0.0.1:9",
            "GITHUB_EVENT_NAME": self.event,
            "GITHUB_EVENT_PATH": str(host.workflow / "event.json"),
            "GITHUB_GRAPHQL_URL": "http://127.0.0.1:9/graphql",
            "GITHUB_JOB": "migrate",
            "GITHUB_REPOSITORY": "octo/shop",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_RUN_ID": "100",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_WORKFLOW": "deploy",
            "GITHUB_WORKSPACE": str(host.workspace),
            "RUNNER_NAME": "here",
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(host.temp),
            "RUNNER_TOOL_CACHE": str(host.temp.parent / "_tool"),
            "RUNNER_WORKSPACE": str(host.workspace.parent),
            **self.github,
            **{f"GITHUB_{name}": str(path) for name, path in files.items()},
        }
        variables |= {
            "ACTIONS_RUNTIME_URL": "http://127.0.0.1:9/",
            "ACTIONS_RUNTIME_TOKEN": "runtime",
            "ACTIONS_RESULTS_URL": "http://127.0.0.1:9/",
        }
        translated = {
            name: value if name in NOT_TRANSLATED else host.translated(value)
            for name, value in variables.items()
        }
        return translated | {"GITHUB_ACTIONS": "true", "CI": "true"}


class Running:
    """One container of the action, from `docker run` until the runner has read its files."""

    def __init__(self, step: Step, entrypoint: str, *, files_broken: bool = False) -> None:
        self.step, host = step, step.host
        (host.workflow / "event.json").write_text(json.dumps(step.payload), encoding="utf-8")
        unique = uuid.uuid4()
        prefixes = {"ENV": "set_env", "OUTPUT": "set_output", "STATE": "save_state", "PATH": "add_path"}
        self.files = {name: host.file_commands / f"{prefix}_{unique}" for name, prefix in prefixes.items()}
        self.files["STEP_SUMMARY"] = host.file_commands / f"step_summary_{unique}"
        for path in self.files.values():
            if files_broken:
                path.mkdir()
            else:
                path.touch(0o644)
            if os.geteuid() == 0:
                os.chown(path, RUNNER_USER, RUNNER_USER)
        variables = step.variables(self.files)
        self.name = f"{re.sub(r'[^a-zA-Z0-9]', '', host.image)}_{uuid.uuid4().hex[:6]}"
        self.command = (
            *(
                "docker",
                "run",
                "--name",
                self.name,
                "--label",
                host.label,
                "--workdir",
                "/github/workspace",
                "--rm",
            ),
            *(word for name in variables for word in ("-e", name) if name not in ("GITHUB_ACTIONS", "CI")),
            *("-e", "GITHUB_ACTIONS=true", "-e", "CI=true"),
            *("--entrypoint", entrypoint),
            *(("--network", host.network) if host.network else ()),
            *("-v", "/var/run/docker.sock:/var/run/docker.sock"),
            *(word for outside, inside in host.mounts().items() for word in ("-v", f"{outside}:{inside}")),
            host.image,
        )
        client = {
            name: os.environ[name] for name in ("PATH", "DOCKER_HOST", "DOCKER_CONFIG") if name in os.environ
        }
        self.process = subprocess.Popen(
            self.command,
            env=variables | client,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        host.stages.append(self)
        self._out, self._err = _Collector(self.process.stdout), _Collector(self.process.stderr)

    def until_printed(self, text: str) -> None:
        """Wait until the step has printed this."""
        self._out.wait_for(text)

    def interrupt(self) -> None:
        """The first signal of a cancellation alone."""
        self.process.send_signal(signal.SIGINT)

    def cancel(self) -> Stage:
        """SIGINT to the docker client, SIGTERM after 7.5 s, SIGKILL after 2.5 s more."""
        for number, seconds in ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 5)):
            self.process.send_signal(number)
            try:
                self.process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        return self.wait()

    def close(self) -> None:
        """End the docker client, whatever it was doing."""
        self.process.kill()
        self.process.wait()
        for stream in (self._out, self._err):
            stream.close()

    def wait(self) -> Stage:
        exit_code = self.process.wait(timeout=300)
        stage = Stage(exit_code, self._out.text(), self._err.text(), self.command)
        stage.still_running = bool(docker("ps", "--quiet", "--filter", f"name=^{self.name}$"))
        read = {name: _read(path) for name, path in self.files.items()}
        stage.exported = file_command(read["ENV"])
        stage.summary = read["STEP_SUMMARY"]
        stage.state = file_command(read["STATE"])
        stage.outputs = file_command(read["OUTPUT"])
        stage.exported.pop("NODE_OPTIONS", None)
        self.step.host.exported |= stage.exported
        self.step.state |= stage.state
        return stage


class _Collector:
    """Reads a stream to its end, and lets somebody wait for a word in it."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream, self._data, self._ended = stream, b"", False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while chunk := os.read(self._stream.fileno(), 65_536):
            with self._changed:
                self._data += chunk
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, text: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or text.encode() in self._data, timeout=120)
            assert text.encode() in self._data, self._data.decode(errors="replace")

    def text(self) -> str:
        self._thread.join(timeout=5)
        return self._data.decode("utf-8", "replace")

    def close(self) -> None:
        self._thread.join(timeout=5)
        self._stream.close()


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8") if path.is_file() else ""


def docker(*arguments: str) -> str:
    """What the docker client printed."""
    done = subprocess.run(("docker", *arguments), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"docker {arguments[0]}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def engine_runs() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(("docker", "info"), capture_output=True, check=False).returncode == 0
