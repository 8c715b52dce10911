"""How is a report handed to programs? Complete JSON, described by docs/report.schema.json."""

from __future__ import annotations

import json
from collections.abc import Sequence

from audit_action.model import Event, Json, as_json
from audit_action.report.record import Command, Finding, Report, Source, Transaction, plain

VERSION = 1
"""Raised when a field is removed or changes its meaning; new fields may appear within a version."""

_REPEATED = frozenset({"query_text", "transaction_audit_id", "transaction_id", "database_user", "run_id"})
_REPEATED_TOO = frozenset({"application_name", "client_address", "delivery"})


def as_json_text(report: Report) -> str:
    """The whole report as JSON, nothing shortened; the text of each client message once."""
    return json.dumps(_report(report), ensure_ascii=True, indent=1) + "\n"


def _report(report: Report) -> Json:
    counts = report.counts
    return {
        "version": VERSION,
        "run_id": str(report.run_id) if report.run_id else None,
        "status": report.status.value,
        "preview": report.preview,
        "target": report.target,
        "environment": report.environment,
        "exit_code": report.exit_code,
        "seconds": report.seconds,
        "counts": {
            "transactions": counts.transactions,
            "commands": counts.commands,
            "destructive": counts.destructive,
            "unattributed": counts.unattributed,
            "drift": counts.drift,
        },
        "job": {**_record(as_json(report.job)), "run_url": report.job.run_url},
        "change_set": as_json(report.change_set),
        "github_known": report.github_known,
        "attribution": as_json(report.attribution),
        "findings": [_finding(each) for each in report.findings],
        "transactions": [_transaction(each) for each in report.transactions],
        "unattributed_since": report.unattributed_since.isoformat() if report.unattributed_since else None,
        "unattributed": [_transaction(each) for each in report.unattributed],
        "drift": None if report.drift is None else list(report.drift),
        "failure": as_json(report.failure) if report.failure else None,
        "warnings": list(report.warnings),
    }


def _record(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict)
    return value


def _finding(finding: Finding) -> Json:
    return {
        "danger": finding.danger.value,
        "destructive": finding.destructive,
        "sentence": plain(finding.sentence),
        "why": finding.why,
    }


def _transaction(transaction: Transaction) -> Json:
    events = [each for command in transaction.commands for each in command.events]
    told = {command.text for command in transaction.commands if command.source is Source.STATEMENT}
    messages = {each.message: each.query_text for each in events if each.query_text not in told}
    return {
        "transaction_audit_id": str(transaction.id),
        "transaction_id": transaction.transaction_id,
        "time": transaction.time.isoformat(),
        "database_user": transaction.database_user,
        "application_name": transaction.application_name,
        "client_address": transaction.client_address,
        "delivery": transaction.delivery.value,
        "messages": [{"message": number, "text": text} for number, text in sorted(messages.items()) if text],
        "commands": [_command(each) for each in transaction.commands],
    }


def _command(command: Command) -> Json:
    return {
        "sentence": plain(command.sentence),
        "command_tag": command.tag,
        "source": command.source.value,
        "statement": command.text if command.source in {Source.STATEMENT, Source.INNER} else None,
        "taken_along": command.taken_along,
        "folded": list(command.folded),
        "findings": [_finding(each) for each in command.findings],
        "events": _events(command.events),
    }


def _events(events: Sequence[Event]) -> Json:
    left_out = _REPEATED | _REPEATED_TOO
    return [
        {name: value for name, value in _record(as_json(each)).items() if name not in left_out}
        for each in events
    ]
