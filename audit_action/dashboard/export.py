"""How does one take the history along? The current filter as CSV or JSON Lines, row by row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from uuid import UUID

from audit_action.dashboard.filters import Filter
from audit_action.dashboard.fleet import Fleet
from audit_action.dashboard.reading import parameters
from audit_action.errors import TrailError
from audit_action.json_paths import text
from audit_action.model import Json, as_json
from audit_action.report.redact import Redactor

_clean = Redactor().clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event with everything behind it; the field names are those of the export."""

    source_database: str | None
    transaction_start: datetime
    event_time: datetime
    transaction_audit_id: UUID
    transaction_id: int
    position: int
    event: str
    command_tag: str
    object_type: str | None
    schema_name: str | None
    object_identity: str | None
    previous_identity: str | None
    sql: str | None
    database_user: str
    application_name: str | None
    client_address: str | None
    application_user_name: str | None
    application_user_email: str | None
    delivery: str
    run_id: UUID | None
    run_status: str | None
    repository: str | None
    environment: str | None
    head_sha: str | None
    run_url: str | None
    actor: str | None
    pull_requests: Json
    authors: Json
    mergers: Json
    reviewers: Json
    approvers: Json
    database: str = ""


COLUMNS = (
    "database",
    *(each.name for each in fields(Row) if each.name not in ("database", "source_database")),
)


def rows(fleet: Fleet, wanted: Filter) -> Iterator[Row]:
    """Every wanted event, database after database, newest first in each.

    Raises TrailError where one cannot be read to its end: an export that is not whole must not look so.
    """
    for problem in fleet.ask(lambda database: database.access, wanted.database).problems:
        raise TrailError(f"Nothing was exported. {problem.reason}")
    for database in fleet.named(wanted.database):
        for each in database.stream("export", parameters(database, wanted), Row):
            yield replace(_clean(each), database=each.source_database or database.name)


def json_lines(found: Iterable[Row]) -> Iterator[str]:
    """One JSON object a line; the lists of people as the trail has them."""
    for each in found:
        record = {name: as_json(getattr(each, name)) for name in COLUMNS}
        yield json.dumps(record, ensure_ascii=False) + "\n"


def csv_lines(found: Iterable[Row]) -> Iterator[str]:
    """RFC 4180, with a header. People are their logins or names.

    A text that a spreadsheet would run as a formula begins with an apostrophe (OWASP, CSV injection): names
    and SQL come from whoever wrote them. The JSON Lines have every text as it is.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for each in found:
        writer.writerow(_cell(getattr(each, name)) for name in COLUMNS)
        if buffer.tell() > 16_000:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text_so_far = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text_so_far


def _cell(value: object) -> str:
    """One cell.

    >>> _cell("=1+1"), _cell(None), _cell([{"person": {"login": "ada"}}])
    ("'=1+1", '', 'ada')
    """
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
        case list():
            return "; ".join(_cell(_short(each)) for each in value)
    shown = str(value)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@", "\t", "\r")) else shown


def _short(each: Json) -> str:
    person = next(
        (text(each, "person", key) for key in ("login", "name", "email") if text(each, "person", key)), ""
    )
    state = text(each, "state")
    return (f"{person} ({state})" if state else person) if person else str(each)
