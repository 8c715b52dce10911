"""Reports to look at: factories with overrides, and the named cases of the golden files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from audit_action.model import (
    Approver,
    Attribution,
    Author,
    AuthorRole,
    ChangeSet,
    Commit,
    Confidence,
    Delivery,
    Event,
    EventKind,
    Freshness,
    Job,
    MergeMethod,
    Merger,
    MigrationResult,
    Person,
    PersonKind,
    PullRequest,
    RangeSource,
    Relation,
    Reviewer,
    ReviewState,
    RunStatus,
)
from audit_action.report import Report, build

RUN = UUID("0192f3a4-5b6c-7d8e-9f00-112233445566")
START = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

GRACE = Person(name="Grace Hopper", email="grace@example.org", login="ghopper", id=11)
ADA = Person(name="Ada Lovelace", email="ada@example.org", kind=PersonKind.UNMATCHED)
ALAN = Person(name="Alan Turing", email="alan@example.org", login="aturing", id=12)
KATHERINE = Person(name="Katherine Johnson", email="kj@example.org", login="kjohnson", id=13)
MARGARET = Person(name="Margaret Hamilton", email="mh@example.org", login="mhamilton", id=14)
BARBARA = Person(login="bliskov", id=15)

JOB = Job(
    repository="acme/shop",
    event="push",
    ref="refs/heads/main",
    sha="9fceb02d0ae598e95dc970b74767f19372d61af8",
    workflow="Migrate",
    name="migrate",
    run_id=7_700_123,
    run_attempt=1,
    actor="kjohnson",
    triggering_actor="kjohnson",
)

PULL = PullRequest(
    number=128,
    title="Store the customer's e-mail, retire old orders",
    url="https://github.com/acme/shop/pull/128",
    author=GRACE,
    merged=True,
    merged_at=START,
    method=MergeMethod.SQUASH,
    base_ref="main",
    head_ref="customer-email",
)

CHANGES = ChangeSet(
    head_sha="9fceb02d0ae598e95dc970b74767f19372d61af8",
    base_sha="3f786850e387550fdab836ed7e6dc881de23001b",
    range_source=RangeSource.LAST_RUN,
    confidence=Confidence.HIGH,
    relation=Relation.AHEAD,
    commits=(
        Commit(
            sha="9fceb02d0ae598e95dc970b74767f19372d61af8", headline="Retire old orders", authors=(GRACE, ADA)
        ),
        Commit(sha="89e6c98d92887913cadf06b2adb97f26cde4849b", headline="Store the e-mail", authors=(ALAN,)),
        Commit(sha="2b66fd261ee5c6cfc8de7fa466bab600bcfe4f69", headline="Add a table", authors=(GRACE,)),
    ),
    pull_requests=(PULL,),
    total_commits=3,
)

PEOPLE = Attribution(
    authors=(
        Author(person=GRACE, roles=(AuthorRole.AUTHOR,), commits=2),
        Author(person=ALAN, roles=(AuthorRole.AUTHOR,), commits=1),
        Author(person=ADA, roles=(AuthorRole.CO_AUTHOR,), commits=1),
    ),
    mergers=(Merger(person=KATHERINE, pull_request=128, merged_at=START),),
    reviewers=(
        Reviewer(
            person=MARGARET,
            pull_request=128,
            state=ReviewState.APPROVED,
            freshness=Freshness.FRESH,
            can_write=True,
        ),
        Reviewer(person=BARBARA, pull_request=128, state=ReviewState.DISMISSED, freshness=Freshness.STALE),
    ),
    approvers=(Approver(person=KATHERINE, environment="production", state="approved"),),
    actor="kjohnson",
    triggering_actor="kjohnson",
)


class Trail:
    """Writes events as the database would: transaction by transaction, message by message."""

    def __init__(self, *, run_id: UUID | None = RUN, user: str = "ci_user", application: str = "psql",
                 address: str | None = "10.1.2.3", delivery: Delivery = Delivery.SESSION,
                 start: datetime = START) -> None:  # fmt: skip
        self.events: list[Event] = []
        self._run_id, self._user, self._application = run_id, user, application
        self._address, self._delivery, self._start = address, delivery, start
        self._transaction, self._position, self._message, self._text = 0, 0, 0, ""

    def transaction(self) -> Trail:
        self._transaction += 1
        self._position = 0
        return self

    def message(self, text: str) -> Trail:
        self._message, self._text = self._position + 1, text
        return self

    def command(self, tag: str, kind: str | None, identity: str | None, **more: object) -> Trail:
        return self._add(EventKind.COMMAND, tag, kind, identity, **more)

    def drop(self, tag: str, kind: str, identity: str, *, original: bool = True) -> Trail:
        return self._add(EventKind.DROP, tag, kind, identity, original=original)

    def rewrite(self, tag: str, identity: str, reason: int) -> Trail:
        return self._add(EventKind.REWRITE, tag, "table", identity, rewrite_reason=reason)

    def _add(self, kind: EventKind, tag: str, object_type: str | None, identity: str | None,
             **more: object) -> Trail:  # fmt: skip
        self._position += 1
        event = Event(
            transaction_audit_id=UUID(int=self._start.toordinal() * 2**64 + self._transaction),
            transaction_id=740 + self._transaction,
            position=self._position,
            message=self._message,
            event_time=self._start + timedelta(seconds=self._transaction),
            event=kind,
            command_tag=tag,
            object_type=object_type,
            schema_name=identity.partition(".")[0] if identity and "." in identity else None,
            object_identity=identity,
            previous_identity=None,
            original=None,
            rewrite_reason=None,
            statement_text=None,
            query_text=self._text,
            redacted=False,
            database_user=self._user,
            application_name=self._application,
            client_address=self._address,
            delivery=self._delivery,
            run_id=self._run_id,
        )
        self.events.append(replace(event, **more))
        return self


def make(**overrides: object) -> Report:
    """A report of the story: one pull request by two people and a co-author, deployed to production."""
    arguments: dict[str, object] = {
        "run_id": RUN,
        "status": RunStatus.SUCCEEDED,
        "job": JOB,
        "environment": "production",
        "target": "db.internal/shop",
        "change_set": CHANGES,
        "attribution": PEOPLE,
        "result": MigrationResult(exit_code=0, seconds=3.2),
        "events": (),
        "unattributed": (),
    }
    return build(**{**arguments, **overrides})  # type: ignore[arg-type]
