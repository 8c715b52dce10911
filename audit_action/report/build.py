"""What is there to tell about one migration run? Puts the Report together from what was found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from audit_action.model import Attribution, ChangeSet, Event, Job, MigrationResult, RunStatus
from audit_action.report.commands import transactions
from audit_action.report.danger import Surroundings
from audit_action.report.failure import failure
from audit_action.report.record import Counts, Report
from audit_action.report.redact import Redactor


def build(
    *,
    run_id: UUID | None,
    status: RunStatus,
    job: Job,
    environment: str,
    target: str,
    change_set: ChangeSet,
    attribution: Attribution,
    result: MigrationResult | None,
    events: Sequence[Event],
    unattributed: Sequence[Event],
    warnings: Sequence[str] = (),
    redact: Sequence[str] = (),
    preview: bool = False,
    github_known: bool = True,
    unattributed_since: datetime | None = None,
    drift: Sequence[str] | None = None,
    table_rows: Mapping[str, float] | None = None,
) -> Report:
    """The report of one run.

    `target` is host/database, never with a password. `events` are the run's own rows of `audit.history`,
    `unattributed` those outside any run since `unattributed_since`, the last successful run. `redact` are
    regular expressions that are masked wherever they match, on top of what always is. `github_known` is
    False when GitHub could not be asked at all. `drift` are differences between catalog and trail, None
    when they were not looked for; `table_rows` are estimated rows by table identity (pg_class.reltuples).
    """
    clean = Redactor(redact).clean
    own, strange = clean(tuple(events)), clean(tuple(unattributed))
    created = frozenset(
        each.object_identity for each in own if each.command_tag == "CREATE TABLE" and each.object_identity
    )
    around = Surroundings(created=created, rows=table_rows or {})
    applied, outside = transactions(own, around), transactions(strange, Surroundings())
    found = [each for one in applied for command in one.commands for each in command.findings]
    return Report(
        run_id=run_id,
        status=status,
        preview=preview,
        job=job,
        environment=clean(environment),
        target=clean(target),
        seconds=result.seconds if result else None,
        exit_code=result.exit_code if result else None,
        change_set=clean(change_set),
        attribution=clean(attribution),
        github_known=github_known,
        transactions=applied,
        unattributed=outside,
        unattributed_since=unattributed_since,
        findings=tuple(sorted(found, key=lambda each: not each.destructive)),
        drift=None if drift is None else clean(tuple(drift)),
        failure=clean(failure(status, result)),
        warnings=clean(tuple(warnings)),
        counts=Counts(
            transactions=len(applied),
            commands=sum(len(each.commands) for each in applied),
            destructive=sum(each.destructive for each in found),
            unattributed=sum(len(each.commands) for each in outside),
            drift=None if drift is None else len(drift),
        ),
    )
