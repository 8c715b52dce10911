"""Which things does everybody here talk about? Records and closed sets; they decide nothing."""

from audit_action.model.changes import (
    ChangeSet,
    Commit,
    Confidence,
    MergeMethod,
    PullRequest,
    RangeSource,
    Relation,
)
from audit_action.model.job import Job, RunnerFiles, Trigger
from audit_action.model.json_form import Json, as_json, writable
from audit_action.model.people import (
    Approver,
    Attribution,
    Author,
    AuthorRole,
    Freshness,
    Merger,
    Person,
    PersonKind,
    Reviewer,
    ReviewState,
    Unavailable,
)
from audit_action.model.runs import (
    Check,
    Delivery,
    Event,
    EventKind,
    MigrationResult,
    MigrationRun,
    RunStatus,
)

__all__ = [
    "Approver",
    "Attribution",
    "Author",
    "AuthorRole",
    "ChangeSet",
    "Check",
    "Commit",
    "Confidence",
    "Delivery",
    "Event",
    "EventKind",
    "Freshness",
    "Job",
    "Json",
    "MergeMethod",
    "Merger",
    "MigrationResult",
    "MigrationRun",
    "Person",
    "PersonKind",
    "PullRequest",
    "RangeSource",
    "Relation",
    "ReviewState",
    "Reviewer",
    "RunStatus",
    "RunnerFiles",
    "Trigger",
    "Unavailable",
    "as_json",
    "writable",
]
