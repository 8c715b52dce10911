"""How does the runner start our step? A job's files and variables, laid out as the runner lays them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

ENTRYPOINT = Path(__file__).parents[2] / "entrypoint.py"
_FILES = {
    "GITHUB_OUTPUT": "set_output",
    "GITHUB_ENV": "set_env",
    "GITHUB_STATE": "save_state",
    "GITHUB_STEP_SUMMARY": "step_summary",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How a step ended, and what it told the runner."""

    exit_code: int
    log: str
    summary: str
    outputs: Mapping[str, str]


def run_step(
    folder: Path, *, event: str, inputs: Mapping[str, str], variables: Mapping[str, str], workspace: Path
) -> Step:
    """Run the action's entrypoint as one step of a job whose files lie in `folder`.

    `event` is the text of the event file; `variables` are the job's own, `GITHUB_REPOSITORY` among them.
    The step has no other variables of ours than PATH, as the runner passes none of the host's.
    """
    commands = folder / "file_commands"
    commands.mkdir(parents=True, exist_ok=True)
    (folder / "event.json").write_text(event)
    for name in _FILES.values():
        (commands / name).write_text("")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_WORKSPACE": str(workspace),
        "RUNNER_TEMP": str(folder),
        **{variable: str(commands / name) for variable, name in _FILES.items()},
        **{f"INPUT_{name.upper()}": value for name, value in inputs.items()},
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-I", "-u", ENTRYPOINT],
        env=environ,
        cwd=workspace,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return Step(
        exit_code=done.returncode,
        log=done.stdout.decode(),
        summary=(commands / "step_summary").read_text(),
        outputs=pairs((commands / "set_output").read_text()),
    )


def pairs(text: str) -> dict[str, str]:
    """The names and values of a file command, read by the runner's rules (FileCommandManager.cs)."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        name, heredoc, delimiter = line.partition("<<")
        if heredoc and "=" not in name:
            found[name] = "\n".join(takewhile(delimiter.__ne__, lines))
        elif line:
            name, _, only_line = line.partition("=")
            found[name] = only_line
    return found
