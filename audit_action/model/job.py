"""What happened on GitHub, and where do we run? The event, the job, the files of the runner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audit_action.model.changes import Commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The job that runs us, from the `GITHUB_*` variables. Empty and None: not run by GitHub Actions."""

    repository: str = ""
    event: str = ""
    ref: str = ""
    sha: str = ""
    workflow: str = ""
    workflow_ref: str = ""  # owner/name/.github/workflows/file.yml@ref
    name: str = ""
    run_id: int | None = None
    run_attempt: int | None = None
    actor: str = ""
    triggering_actor: str = ""
    server_url: str = "https://github.com"

    @property
    def run_url(self) -> str:
        """The page of this attempt of the workflow run, or empty text."""
        if not (self.repository and self.run_id):
            return ""
        return (
            f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}/attempts/{self.run_attempt or 1}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What happened: the event, reduced to what decides the range and the people.

    `commits` are those of the event itself: names and e-mails where no API can be asked.
    """

    event: str
    repository: str
    head_sha: str
    action: str = ""
    ref: str = ""
    before: str = ""  # a push's own base; empty for a new ref
    base_sha: str = ""  # the base of a pull request or merge group
    pull_request: int | None = None
    preview: bool = False  # an open pull request: nothing is merged yet
    forced: bool = False
    sender: str = ""
    commits: tuple[Commit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerFiles:
    """Where the Actions runner takes what a step says; None where it named no file.

    `temp` lies inside the container; `temp_outside` is the same folder as the job's other steps see it.
    """

    in_actions: bool = False
    output: Path | None = None
    env: Path | None = None
    state: Path | None = None
    summary: Path | None = None
    temp: Path | None = None
    temp_outside: Path | None = None
