"""How do the following steps of a job join a run, and how does the job's end close it? Export mode, as glue.

The main stage leaves the run open and hands the session settings to the job's environment; the post stage,
another container of the same step, closes it by the job's status (actions/runner, ActionRunner.cs).
"""

from __future__ import annotations

from uuid import UUID

from audit_action.delivery import SessionSettings
from audit_action.deployment import find_out
from audit_action.errors import NothingWasRun
from audit_action.github_api import GitHub
from audit_action.publish import close_and_publish
from audit_action.report import Report
from audit_action.runner import Runner
from audit_action.settings import Settings
from audit_action.trail import Trail

RUN_ID = "run-id"
"""The state by which the post stage knows its run; nothing but this, because the log shows it."""


def hand_over(settings: Settings, runner: Runner, run_id: UUID, sessions: SessionSettings) -> None:
    """Let the following steps of the job speak for this run.

    DATABASE_URL goes to them only where `url-variables` names it: from the runner's machine the address may
    be another one than from this container.

    Raises:
        NothingWasRun: the runner takes nothing from this container.
    """
    told = {name: sessions.urls[name] for name in settings.url_variables}
    told |= {"PGOPTIONS": sessions.pgoptions, "PGAPPNAME": sessions.pgappname}
    taken = all(runner.export(name, value) for name, value in told.items() if value)
    if not (taken and runner.save_state(RUN_ID, str(run_id))):
        raise NothingWasRun(
            "The runner takes no variables from this container, so the following steps could not join the "
            "run. Runners on Kubernetes are like that (container hooks 0.8): give the migration as `command`."
        )
    runner.output("run-id", str(run_id))
    runner.output("pgoptions", sessions.pgoptions)
    runner.log(f"The following steps belong to migration run {run_id}; the end of the job closes it.")


def close(settings: Settings, runner: Runner, trail: Trail, github: GitHub | None, run_id: UUID) -> Report:
    """Close the run by the job's status and report it, as the wrapped command's end would have."""
    deployment = find_out(settings, trail.session(), trail, github)
    return close_and_publish(settings, runner, trail, github, deployment, run_id, settings.job_status, None)
