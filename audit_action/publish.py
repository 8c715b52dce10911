"""How does a run end? Glue: closed in the database, read back, and shown wherever somebody looks."""

from __future__ import annotations

import json
from time import sleep
from uuid import UUID

from audit_action import report
from audit_action.deployment import Deployment
from audit_action.doubts import doubts
from audit_action.errors import CannotComment, CommentTooLong, TrailError
from audit_action.github_api import GitHub
from audit_action.model import Block, Event, MigrationResult, RunStatus, as_json
from audit_action.preflight import told
from audit_action.report import Report
from audit_action.runner import Runner
from audit_action.settings import Settings
from audit_action.trail import Trail

COMMENTED_PULL_REQUESTS = 10
"""A push that brings more comments on the newest of them; GitHub allows 80 writes a minute."""

_RETRY_AFTER_SECONDS = (0.5, 2.0)


def close_and_publish(
    settings: Settings,
    runner: Runner,
    trail: Trail,
    github: GitHub | None,
    deployment: Deployment,
    run_id: UUID,
    status: RunStatus,
    result: MigrationResult | None,
) -> Report:
    """Close the run and report it. Whatever fails here is a warning: the migration's verdict stands."""
    warnings: list[str] = []
    events: tuple[Event, ...] = ()
    unattributed: tuple[Event, ...] = ()
    table_rows: dict[str, float] = {}
    last = deployment.last
    try:
        _finish(trail, run_id, status, result)
    except TrailError as problem:
        warnings.append(f"The run could not be closed in the trail; it will expire. {problem}")
    try:
        events = trail.events_of_run(run_id)
        unattributed = trail.events_without_run(since=last.id if last else None, until=run_id)
        if any(each.command_tag == "CREATE INDEX" for each in events):
            table_rows = trail.table_rows()
        claims = trail.claims_during_run(run_id)
        warnings += doubts(
            claims, run_id=run_id, login=deployment.login, told=told(settings, run_id, deployment)
        )
    except TrailError as problem:
        warnings.append(f"The trail could not be read after the migration. {problem}")
    try:
        sealed = trail.seal()
    except TrailError as problem:
        sealed = None
        warnings.append(f"The trail could not be sealed; the next run seals this one too. {problem}")
    made = report.build(
        run_id=run_id,
        status=status,
        job=settings.job,
        environment=settings.environment,
        target=deployment.target,
        change_set=deployment.change_set,
        attribution=deployment.attribution,
        result=result,
        events=events,
        unattributed=unattributed,
        unattributed_since=last.finished_at if last else None,
        warnings=warnings,
        redact=settings.redact,
        github_known=github is not None,
        preview=deployment.trigger.preview,
        table_rows=table_rows,
    )
    for warning in warnings:
        runner.warning(warning)
    _show(settings, runner, made, sealed)
    _outputs(runner, deployment, made, sealed)
    if settings.pr_comment and github is not None:
        _comment(settings, runner, github, deployment, made)
    return made


def _finish(trail: Trail, run_id: UUID, status: RunStatus, result: MigrationResult | None) -> None:
    """Close the run, over a short loss of the database too."""
    exit_code = result.exit_code if result else None
    for seconds in _RETRY_AFTER_SECONDS:
        try:
            return trail.finish_run(run_id, status=status, exit_code=exit_code)
        except TrailError:
            sleep(seconds)
    return trail.finish_run(run_id, status=status, exit_code=exit_code)


def _show(settings: Settings, runner: Runner, made: Report, sealed: Block | None) -> None:
    runner.log(report.terminal(made))
    for annotation in report.annotations(made):
        runner.warning(annotation.message, title=annotation.title)
    if settings.job_summary:
        runner.summary(report.summary(made))
        if sealed:
            # Outside of the database it proves that nothing up to here was changed since.
            runner.summary(
                f"\n<sub>Sealed as block {sealed.number} of the trail; `schema-audit verify --digest "
                f"{sealed.digest}` says whether it still holds.</sub>"
            )


def _outputs(runner: Runner, deployment: Deployment, made: Report, sealed: Block | None) -> None:
    run, counts = deployment.run, made.counts
    outputs = {
        "run-id": str(made.run_id),
        "status": made.status.value,
        "exit-code": "" if made.exit_code is None else str(made.exit_code),
        "transactions": str(counts.transactions),
        "commands": str(counts.commands),
        "destructive": str(counts.destructive),
        "unattributed": str(counts.unattributed),
        "base-sha": run.base_sha,
        "head-sha": run.head_sha,
        "range-source": run.range_source,
        "authors": json.dumps(as_json(run.authors)),
        "merger": json.dumps(as_json(run.mergers[-1])) if run.mergers else "",
        "reviewers": json.dumps(as_json(run.reviewers)),
        "digest": sealed.digest if sealed else "",
        "report-json": runner.keep(f"{made.run_id}.json", report.as_json_text(made)),
        "report-markdown": runner.keep(f"{made.run_id}.md", report.summary(made)),
    }
    for name, value in outputs.items():
        runner.output(name, value)


def _comment(
    settings: Settings, runner: Runner, github: GitHub, deployment: Deployment, made: Report
) -> None:
    """Write the one comment of this environment and database to each pull request that this run is about."""
    trigger = deployment.trigger
    numbers = (
        (trigger.pull_request,)
        if trigger.pull_request is not None
        else tuple(sorted((each.number for each in deployment.change_set.pull_requests), reverse=True))
    )
    urls = [
        _comment_on(number, settings, runner, github, deployment, made)
        for number in numbers[:COMMENTED_PULL_REQUESTS]
    ]
    if left := numbers[COMMENTED_PULL_REQUESTS:]:
        runner.notice(
            f"{len(numbers)} pull requests are deployed; the newest {COMMENTED_PULL_REQUESTS} of them get "
            f"a comment, {', '.join(f'#{number}' for number in left)} do not. The job summary names them all."
        )
    runner.output("comment-url", next(filter(None, urls), ""))


def _comment_on(
    number: int, settings: Settings, runner: Runner, github: GitHub, deployment: Deployment, made: Report
) -> str:
    """The address of the comment; empty where it could not be written. What is too long is told shorter."""
    shorter = report.comments(made)
    for body in shorter:
        try:
            return github.upsert_comment(
                deployment.trigger.repository,
                number,
                key=f"{settings.environment}/{deployment.database}",
                body=body,
                run_id=settings.job.run_id or 0,
                run_attempt=settings.job.run_attempt or 1,
            )
        except CommentTooLong as problem:
            if body is shorter[-1]:
                runner.warning(str(problem))
        except CannotComment as problem:
            runner.warning(str(problem))
            break
    return ""
