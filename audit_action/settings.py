"""What was asked of us? The action's inputs and the runner's variables, parsed once.

Inputs arrive as `INPUT_<NAME>`: upper case, hyphens kept, empty when not given (actions/runner,
src/Runner.Worker/Handlers/Handler.cs).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from pathlib import Path
from typing import TypeVar

from audit_action.errors import BadInput
from audit_action.model import Job, RunnerFiles, RunStatus
from audit_action.url_options import takes_options

_T = TypeVar("_T")


@unique
class DeliveryRule(StrEnum):
    """Whether a run whose session settings do not arrive may start."""

    AUTO = "auto"
    REQUIRE_SESSION = "require-session"


@unique
class FailOn(StrEnum):
    """A finding after a successful migration that makes the step fail with exit code 4."""

    UNATTRIBUTED = "unattributed"
    DESTRUCTIVE = "destructive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The inputs of `action.yml` under their own names, and what the runner says about the job."""

    database_url: str = field(repr=False)
    audit_database_url: str = field(repr=False)
    command: str
    working_directory: Path
    environment: str
    url_variables: Mapping[str, str] = field(repr=False)
    delivery: DeliveryRule
    install: bool
    github_token: str = field(repr=False)
    pr_comment: bool
    job_summary: bool
    require_approvals: int
    fail_on: frozenset[FailOn]
    timeout_minutes: float
    redact: tuple[str, ...]
    job_status: RunStatus
    job: Job
    files: RunnerFiles
    api_url: str
    event_path: Path | None
    workspace: Path
    inherited_pgoptions: str = field(repr=False)
    inherited_pgappname: str
    pgpassword: str = field(repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read inputs and variables; every unusable one is named in the same BadInput."""
        read = _Reader(environ)
        try:
            url = database_url(read.input("database-url"), environ)
        except BadInput as problem:
            read.problems.append(str(problem))
            url = ""
        workspace = Path(environ.get("GITHUB_WORKSPACE") or Path.cwd())
        settings = cls(
            database_url=url,
            audit_database_url=read.input("audit-database-url") or url,
            command=read.input("command"),
            working_directory=workspace / (read.input("working-directory") or "."),
            environment=read.input("environment"),
            url_variables=_url_variables(read, {**environ, "DATABASE_URL": url}),
            delivery=read.parsed("delivery", DeliveryRule.AUTO, DeliveryRule, "auto or require-session"),
            install=read.flag("install", default=False),
            github_token=read.input("github-token"),
            pr_comment=read.flag("pr-comment", default=True),
            job_summary=read.flag("job-summary", default=True),
            require_approvals=read.parsed("require-approvals", 0, _count, "a whole number, 0 or more"),
            fail_on=read.parsed("fail-on", frozenset(), _fail_on, "any of " + ", ".join(FailOn)),
            timeout_minutes=read.parsed("timeout-minutes", 0.0, _minutes, "a number of minutes, 0 for none"),
            redact=read.parsed("redact", (), _patterns, "regular expressions, one a line"),
            job_status=read.parsed("job-status", RunStatus.SUCCEEDED, _job_status, "what `job.status` gives"),
            job=_job(environ),
            files=runner_files(environ),
            api_url=environ.get("GITHUB_API_URL") or "https://api.github.com",
            event_path=Path(environ["GITHUB_EVENT_PATH"]) if environ.get("GITHUB_EVENT_PATH") else None,
            workspace=workspace,
            inherited_pgoptions=environ.get("PGOPTIONS", ""),
            inherited_pgappname=environ.get("PGAPPNAME", ""),
            pgpassword=environ.get("PGPASSWORD", ""),
        )
        if read.problems:
            raise BadInput("\n".join(read.problems))
        return settings


def database_url(given: str, environ: Mapping[str, str]) -> str:
    """The database that was given, else DATABASE_URL. Raises BadInput where libpq could not read it."""
    url = given or environ.get("DATABASE_URL", "")
    scheme = re.match(r"\s*((?:\w+:)*\w+(?:\+\w+)?:(?=//)|jdbc:)", url)
    if scheme and scheme[1] not in ("postgres:", "postgresql:"):
        raise BadInput(
            f"The database's address begins with {scheme[1]}, which PostgreSQL's own clients do not know: "
            "write it as postgresql://user:password@host:port/database, and leave the other form in the "
            "variable from which your tool reads it."
        )
    if url:
        return url
    raise BadInput(
        "database-url is empty and there is no DATABASE_URL: say which database to migrate, "
        "for instance `database-url: ${{ secrets.DATABASE_URL }}`."
    )


class _Reader:
    """Reads inputs one by one and keeps every problem, so that all are told at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def input(self, name: str) -> str:
        return self._environ.get(f"INPUT_{name.upper()}", "").strip()

    def parsed(self, name: str, default: _T, parse: Callable[[str], _T], expected: str) -> _T:
        text = self.input(name)
        if not text:
            return default
        try:
            return parse(text)
        except ValueError:
            self.problems.append(f"{name} is {text!r}, which is not understood: it takes {expected}.")
            return default

    def flag(self, name: str, *, default: bool) -> bool:
        return self.parsed(name, default, _boolean, "true or false")


def _url_variables(read: _Reader, environ: Mapping[str, str]) -> dict[str, str]:
    """The connection strings that `url-variables` names. They may be secrets: no message shows one."""
    nothing: tuple[str, ...] = ()
    names = read.parsed("url-variables", nothing, _names, "names of environment variables")
    found = {name: environ.get(name, "") for name in names}
    for name, value in found.items():
        if not value:
            read.problems.append(
                f"url-variables names {name}, and there is no such environment variable, or it is empty: "
                f"give the step an `env:` with {name}, or take the name out."
            )
        elif not takes_options(value):
            read.problems.append(
                f"url-variables names {name}, which holds no Postgres or JDBC URL that takes options: take "
                "the name out; the run is told in other ways too."
            )
    return found


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name for name in re.split(r"[\s,]+", text) if name)
    if bad := [name for name in names if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)]:
        raise ValueError(bad)
    return names


def _boolean(text: str) -> bool:
    """YAML 1.2's core schema, as the runner's own toolkit reads a boolean input."""
    try:
        return {"true": True, "false": False}[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _job_status(text: str) -> RunStatus:
    """The words of the `job` context (docs.github.com, "Contexts reference")."""
    ends = {
        "success": RunStatus.SUCCEEDED,
        "failure": RunStatus.FAILED,
        "cancelled": RunStatus.CANCELLED,
    }
    try:
        return ends[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 <= minutes < 1e6:
        raise ValueError(text)
    return minutes


def _fail_on(text: str) -> frozenset[FailOn]:
    return frozenset(FailOn(word) for word in re.split(r"[\s,]+", text) if word)


def _patterns(text: str) -> tuple[str, ...]:
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    for line in lines:
        try:
            re.compile(line)
        except re.error as problem:
            raise ValueError(line) from problem
    return lines


def _job(environ: Mapping[str, str]) -> Job:
    def number(name: str) -> int | None:
        text = environ.get(name, "")
        return int(text) if text.isdecimal() else None

    return Job(
        repository=environ.get("GITHUB_REPOSITORY", ""),
        event=environ.get("GITHUB_EVENT_NAME", ""),
        ref=environ.get("GITHUB_REF", ""),
        sha=environ.get("GITHUB_SHA", ""),
        workflow=environ.get("GITHUB_WORKFLOW", ""),
        workflow_ref=environ.get("GITHUB_WORKFLOW_REF", ""),
        name=environ.get("GITHUB_JOB", ""),
        run_id=number("GITHUB_RUN_ID"),
        run_attempt=number("GITHUB_RUN_ATTEMPT"),
        actor=environ.get("GITHUB_ACTOR", ""),
        triggering_actor=environ.get("GITHUB_TRIGGERING_ACTOR", ""),
        server_url=environ.get("GITHUB_SERVER_URL") or "https://github.com",
    )


def runner_files(environ: Mapping[str, str]) -> RunnerFiles:
    """The runner's files, also where the inputs are unusable: the message must reach the log.

    Inside the container the temporary folder is mounted at another path than the job's other steps know
    (actions/runner, ContainerActionHandler.cs). `RUNNER_WORKSPACE` is not translated, and both lie in the
    runner's work folder.
    """

    def path(name: str) -> Path | None:
        return Path(environ[name]) if environ.get(name) else None

    temp, workspace = path("RUNNER_TEMP"), path("RUNNER_WORKSPACE")
    mounted = temp == Path("/github/runner_temp") and workspace is not None
    return RunnerFiles(
        in_actions=environ.get("GITHUB_ACTIONS") == "true",
        output=path("GITHUB_OUTPUT"),
        env=path("GITHUB_ENV"),
        state=path("GITHUB_STATE"),
        summary=path("GITHUB_STEP_SUMMARY"),
        temp=temp,
        temp_outside=workspace.parent / "_temp" if mounted and workspace else temp,
    )
