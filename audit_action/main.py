"""The flow, as prose: find out who, tell Postgres, run the migration, read back what happened, show it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from audit_action import delivery, export, migration, policy, preflight
from audit_action.deployment import find_out
from audit_action.errors import ActionError, Interrupted
from audit_action.github_api import GitHub
from audit_action.masking import masks_for
from audit_action.model import MigrationResult, RunStatus
from audit_action.publish import close_and_publish
from audit_action.report import Report
from audit_action.runner import Runner, in_container
from audit_action.settings import Settings, runner_files
from audit_action.signals import Signals
from audit_action.trail import Trail

A_BUG = 70
TO_CLOSE_SECONDS = 600
"""How long after its time limit a command may take to end, and its run to be closed."""

FOUND = 4


def environment() -> dict[str, str]:
    """The process's environment: the one place that reads it."""
    return dict(os.environ)


def main() -> int:
    """The container's main step."""
    environ = environment()
    runner = Runner(runner_files(environ), sys.stdout.buffer)
    return bounded(runner, lambda: action(Settings.from_environ(environ), environ, runner))


def post() -> int:
    """The container's post step: closes the run that export mode left open, if it did."""
    environ = environment()
    runner = Runner(runner_files(environ), sys.stdout.buffer)
    run_id = environ.get(f"STATE_{export.RUN_ID}", "")
    if not run_id:
        return 0
    return bounded(runner, lambda: job_ends(Settings.from_environ(environ), runner, UUID(run_id)))


def bounded(runner: Runner, step: Callable[[], int]) -> int:
    """Run a step and give its exit code: the one place where a failure becomes one (design 4.7)."""
    try:
        return step()
    except ActionError as problem:
        runner.error(str(problem))
        return problem.exit_code
    except Exception:  # noqa: BLE001 the boundary: whatever else comes is a bug of ours, and says so
        runner.error("This is a bug of schema-audit-action; please report it with the lines below.")
        runner.log(traceback.format_exc())
        return A_BUG


def action(
    settings: Settings, environ: Mapping[str, str], runner: Runner, *, command: Sequence[str] = ()
) -> int:
    """The whole flow for the `command` input, or for an argument list; the step's exit code."""
    trail = Trail(settings.audit_database_url)
    github = _github(settings)
    mask = _mask(settings, runner)
    with Signals() as signals:
        session = preflight.check(settings, trail, runner)
        deployment = find_out(settings, session, trail, github)
        signals.raise_if_received()
        run_id = trail.begin_run(
            deployment.run, database_user=deployment.recorded_for, expires_in=_expires_in(settings)
        )
        result: MigrationResult | None = None
        status = RunStatus.FAILED
        try:
            policy.check_approvals(settings.require_approvals, deployment.change_set, deployment.attribution)
            sessions = preflight.deliver(settings, run_id, deployment, runner)
            if not (command or settings.command):
                export.hand_over(settings, runner, run_id, sessions)
                status = RunStatus.OPEN
                return 0
            with runner.stop_commands() as out:
                result = migration.run(
                    command or settings.command,
                    env=delivery.environment_of_command(environ, sessions),
                    cwd=settings.working_directory,
                    out=out,
                    mask=mask,
                    timeout_seconds=settings.timeout_minutes * 60 or None,
                    signals=signals,
                )
            status = _status(result)
        except Interrupted:
            status = RunStatus.CANCELLED
            raise
        except ActionError:
            status = RunStatus.REFUSED
            raise
        finally:
            signals.hold()
            if in_container():
                runner.give_back(settings.workspace, Path("/github/home"))
            if status is not RunStatus.OPEN:
                report = close_and_publish(
                    settings, runner, trail, github, deployment, run_id, status, result
                )
    assert result is not None  # without one an error is on its way
    return result.exit_code or _found(settings, runner, report)


def job_ends(settings: Settings, runner: Runner, run_id: UUID) -> int:
    """The end of the job in export mode; the post step's exit code."""
    _mask(settings, runner)
    with Signals() as signals:
        signals.hold()
        report = export.close(settings, runner, Trail(settings.audit_database_url), _github(settings), run_id)
    return _found(settings, runner, report) if report.status is RunStatus.SUCCEEDED else 0


def _github(settings: Settings) -> GitHub | None:
    return GitHub(token=settings.github_token, api_url=settings.api_url) if settings.github_token else None


def _mask(settings: Settings, runner: Runner) -> tuple[str, ...]:
    """Let nothing print the logins; the values are masked in the command's output too."""
    urls = (settings.database_url, settings.audit_database_url, *settings.url_variables.values())
    masks = masks_for(*urls, passwords=[settings.pgpassword])
    # A real token has 40 characters or more; a stand-in's short one would star out ordinary words.
    values = (*masks.values, *(token for token in [settings.github_token] if len(token) >= 20))
    for value in values:
        runner.mask(value)
    if masks.too_common:
        runner.warning(
            "The database password is a short or common word. Masking it would star that word out of the "
            "whole log, so it is not masked. Choose a password that nobody would write by chance."
        )
    return values


def _expires_in(settings: Settings) -> float | None:
    """Seconds after which a killed job's run must not collect changes any more; None: the trail's default."""
    return settings.timeout_minutes * 60 + TO_CLOSE_SECONDS if settings.timeout_minutes else None


def _status(result: MigrationResult) -> RunStatus:
    if result.cancelled:
        return RunStatus.CANCELLED
    return RunStatus.SUCCEEDED if result.exit_code == 0 else RunStatus.FAILED


def _found(settings: Settings, runner: Runner, report: Report) -> int:
    """What `fail-on` makes of a migration that succeeded."""
    found = policy.findings(
        settings.fail_on,
        unattributed=report.counts.unattributed,
        destructive=report.counts.destructive,
    )
    if found:
        runner.error(f"The migration succeeded, and fail-on found: {', '.join(found)}. See the job summary.")
        return FOUND
    return 0
