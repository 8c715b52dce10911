"""What is known about a migration that did not succeed? From its exit code and its last lines."""

from __future__ import annotations

import re
import signal

from audit_action.model import MigrationResult, RunStatus
from audit_action.report.record import Failure

_ERROR = re.compile(r"\b(?:ERROR|FATAL|PANIC):\s*(?P<message>.+)")
_PSQL = re.compile(r"^psql:(?P<location>[^:]+:\d+): (?:ERROR|FATAL|PANIC):")
_STATEMENT = re.compile(r"^(?:STATEMENT|QUERY|\[SQL:|LINE \d+):?\s*(?P<statement>.+?)\]?$")


def failure(status: RunStatus, result: MigrationResult | None) -> Failure | None:
    """The failure of a run that failed or was cancelled; None for any other."""
    if result is None or status not in {RunStatus.FAILED, RunStatus.CANCELLED}:
        return None
    message = location = statement = ""
    for line in result.tail:
        found = _ERROR.search(line)
        if found:
            message, statement = found["message"].strip(), ""
            where = _PSQL.match(line)
            location = where["location"] if where else ""
        elif message and not statement:
            text = _STATEMENT.match(line.strip())
            statement = text["statement"] if text else ""
    return Failure(
        exit_code=result.exit_code,
        reason=_reason(result),
        message=message,
        statement=statement,
        location=location,
        tail=result.tail,
    )


def _reason(result: MigrationResult) -> str:
    if result.timed_out:
        return "The command ran longer than timeout-minutes allows and was stopped."
    if result.cancelled:
        return "The workflow was cancelled, and the command was stopped."
    if result.exit_code > 128:
        try:
            name = signal.Signals(result.exit_code - 128).name
        except ValueError:
            return f"The command ended with exit code {result.exit_code}."
        return f"The command was ended by signal {name}."
    return f"The command ended with exit code {result.exit_code}."
