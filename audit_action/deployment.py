"""What is about to be deployed, by whom, to which database? Glue: asked in order, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

from audit_action import event
from audit_action.attribute import find_people
from audit_action.errors import BadInput
from audit_action.github_api import GitHub
from audit_action.migration import output_of
from audit_action.model import Attribution, ChangeSet, MigrationRun, Trigger
from audit_action.settings import Settings
from audit_action.trail import LastSuccess, Session, Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is known before anything runs. `recorded_for`: `login`, where another one records."""

    trigger: Trigger
    change_set: ChangeSet
    attribution: Attribution
    run: MigrationRun
    target: str
    database: str
    last: LastSuccess | None
    login: str
    recorded_for: str | None


def find_out(settings: Settings, session: Session, trail: Trail, github: GitHub | None) -> Deployment:
    """Ask the event, the trail and GitHub. Raises BadInput for an event that makes no sense."""
    trigger = event.parse(settings.job, _payload(settings))
    last = trail.last_success(repository=trigger.repository, environment=settings.environment)
    change_set, attribution = find_people(
        trigger,
        settings.job,
        github,
        last_run_head=last.head_sha if last else "",
        environment=settings.environment,
        local_git=lambda argv: output_of(argv, cwd=settings.workspace, timeout=10),
    )
    recorded_for = _recorded_for(settings, session)
    return Deployment(
        trigger=trigger,
        change_set=change_set,
        attribution=attribution,
        run=_run(settings, trigger, change_set, attribution),
        target=f"{session.server}/{session.database}",
        database=session.database,
        last=last,
        login=recorded_for or session.login,
        recorded_for=recorded_for,
    )


def _payload(settings: Settings) -> str:
    """The event's text; a runner in a container of its own may not have mounted it."""
    if settings.event_path is None or not settings.event_path.exists():
        return ""
    return settings.event_path.read_text(encoding="utf-8")


def _run(
    settings: Settings, trigger: Trigger, change_set: ChangeSet, attribution: Attribution
) -> MigrationRun:
    job = settings.job
    return MigrationRun(
        repository=trigger.repository,
        environment=settings.environment,
        workflow=job.workflow,
        job=job.name,
        run_id=job.run_id,
        run_attempt=job.run_attempt,
        run_url=job.run_url,
        event=trigger.event,
        ref=trigger.ref,
        base_sha=change_set.base_sha,
        head_sha=change_set.head_sha,
        range_source=change_set.range_source.value,
        actor=attribution.actor,
        triggering_actor=attribution.triggering_actor,
        commits=change_set.commits,
        pull_requests=change_set.pull_requests,
        authors=attribution.authors,
        mergers=attribution.mergers,
        reviewers=attribution.reviewers,
        approvers=attribution.approvers,
        unavailable=attribution.unavailable,
    )


def _recorded_for(settings: Settings, session: Session) -> str | None:
    """The migration's own login, where another one records."""
    if settings.audit_database_url == settings.database_url:
        return None
    migrates = Trail(settings.database_url).session()
    if migrates.database != session.database:
        raise BadInput(
            f"audit-database-url leads to the database {session.database}, database-url to "
            f"{migrates.database}: they must be two logins of one database."
        )
    return migrates.login
