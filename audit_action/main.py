"""The flow, as prose: find out who, tell Postgres, run the migration, read back what happened, show it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from audit_action import delivery, export, migration, policy
from audit_action.deployment import Deployment, find_out
from audit_action.errors import ActionError, CannotConnect, Interrupted, NothingWasRun
from audit_action.github_api import GitHub
from audit_action.inherited import pgappname_of_the_user, pgoptions_of_the_user
from audit_action.masking import masks_for
from audit_action.model import Delivery, MigrationResult, RunStatus
from audit_action.network import advice
from audit_action.pgoptions import session_settings
from audit_action.publish import close_and_publish
from audit_action.report import Report
from audit_action.runner import Runner, bridge_address, in_container
from audit_action.settings import DeliveryRule, Settings, runner_files
from audit_action.signals import Signals
from audit_action.trail import Session, Trail

A_BUG = 70
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
        session = _preflight(settings, trail, runner)
        deployment = find_out(settings, session, trail, github)
        signals.raise_if_received()
        run_id = trail.begin_run(deployment.run, database_user=deployment.recorded_for)
        result: MigrationResult | None = None
        status = RunStatus.FAILED
        try:
            policy.check_approvals(settings.require_approvals, deployment.change_set, deployment.attribution)
            sessions = _deliver(settings, run_id, deployment, runner)
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
    values = (*masks.values, settings.github_token) if settings.github_token else masks.values
    for value in values:
        runner.mask(value)
    if masks.too_common:
        runner.warning(
            "The database password is a short or common word. Masking it would star that word out of the "
            "whole log, so it is not masked. Choose a password that nobody would write by chance."
        )
    return values


def _preflight(settings: Settings, trail: Trail, runner: Runner) -> Session:
    """Whether the trail is there and works for this login; else stop before anything runs."""
    try:
        if settings.install:
            Trail(settings.database_url).install()
        session = trail.session()
    except CannotConnect as problem:
        why = advice(settings.audit_database_url, bridge=bridge_address())
        raise CannotConnect(f"{problem} {why}".strip()) from problem
    if not session.trail_present:
        raise NothingWasRun(
            f"There is no trail in the database {session.database}, so nothing was run. Install it once, "
            "as a role that may create event triggers: `schema-audit install`, or "
            "`psql -v ON_ERROR_STOP=1 -f sql/install.sql`; or let the action do it with `install: true`."
        )
    if not session.may_record:
        raise NothingWasRun(
            f"The login {session.login} may not record a run in the trail of {session.database}, so nothing "
            f'was run. Grant it: `grant audit_recorder to "{session.login}"` (sql/roles.sql does it).'
        )
    for check in trail.status():
        if not check.ok:
            runner.warning(f"{check.check}: {check.detail}", title="The trail needs attention")
    if session.superuser:
        runner.warning(
            f"The login {session.login} is a superuser, who could switch the trail off. Migrate as a role "
            "that owns what it migrates and nothing else; sql/roles.sql makes one."
        )
    return session


def _deliver(
    settings: Settings, run_id: UUID, deployment: Deployment, runner: Runner
) -> delivery.SessionSettings:
    """What to tell the sessions of this run, once a probe has shown that it breaks no connection."""
    sessions = delivery.session_settings(
        session_settings(
            run_id=run_id,
            run_url=settings.job.run_url,
            change_set=deployment.change_set,
            attribution=deployment.attribution,
        ),
        run_id=run_id,
        urls=_urls(settings),
        write_into=settings.url_variables,
        inherited=pgoptions_of_the_user(settings.inherited_pgoptions),
        inherited_name=pgappname_of_the_user(settings.inherited_pgappname),
    )
    probe = Trail(sessions.urls["DATABASE_URL"]).probe(
        options=sessions.pgoptions, application_name=sessions.pgappname
    )
    way = delivery.carried_by(run_id=run_id, arrived_run_id=probe.run_id, arrived_name=probe.application_name)
    if way is not Delivery.SESSION:
        why = probe.refused or "the session started without them, as behind a pooler that drops them"
        if settings.delivery is DeliveryRule.REQUIRE_SESSION:
            raise NothingWasRun(
                f"The session settings do not reach the database ({why}), and delivery is require-session. "
                "Use the database's direct address instead of a pooler's, or set `delivery: auto`."
            )
        runner.notice(
            f"The session settings do not reach the database ({why}). The run is told apart by "
            f"{'its application name' if way is Delivery.APPLICATION_NAME else 'being open'} instead."
        )
    if probe.refused:
        return delivery.without_options(
            sessions, urls=_urls(settings), inherited=pgoptions_of_the_user(settings.inherited_pgoptions)
        )
    return sessions


def _urls(settings: Settings) -> dict[str, str]:
    return {**settings.url_variables, "DATABASE_URL": settings.database_url}


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
