"""What stands on each page? Asks the databases and puts together what a template shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from audit_action.dashboard import lives, reading
from audit_action.dashboard.chart import DAYS, Bar, merged
from audit_action.dashboard.database import Database
from audit_action.dashboard.filters import Filter, Position
from audit_action.dashboard.fleet import Fleet, Problem
from audit_action.dashboard.records import Day, Entry, FoundEvent, Name, Part, Run, Sender
from audit_action.dashboard.remembering import Memory
from audit_action.dashboard.state import Size, State
from audit_action.dashboard.telling import parts
from audit_action.model import Check

PAGE = 20
COMMANDS = 5
RUN_TRANSACTIONS = 50
TRANSACTION_EVENTS = 300
LIFE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A page of the timeline, and how much the filter finds in all."""

    entries: tuple[Entry, ...]
    older: Position | None
    runs: int
    manual: int
    exact: bool
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the filters offer; anything else can be asked for in the address."""

    databases: tuple[str, ...]
    environments: tuple[str, ...]
    users: tuple[str, ...]
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRun:
    """A run's page: some of its transactions, and where the next ones begin."""

    database: str
    run: Run
    parts: tuple[Part, ...]
    next: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTransaction:
    """A transaction's page: some of its commands, and the position at which the next ones begin."""

    database: str
    sender: Sender
    run: Run | None
    part: Part | None
    next: int | None


class Pages:
    """The pages over one fleet of databases."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._memory = Memory(seconds=60)

    def timeline(self, wanted: Filter, *, size: int = PAGE, commands: int = COMMANDS) -> Timeline:
        """The newest entries of all databases together."""

        def ask(database: Database) -> tuple[reading.Page, tuple[Entry, ...]]:
            page = reading.find(database, wanted, size + 1)
            return page, reading.entries(database, page.found[:size], wanted, commands=commands)

        said = self._fleet.ask(ask, wanted.database)
        pages = [page for _, (page, _) in said.answers]
        entries = sorted(
            (each for _, (_, told) in said.answers for each in told), key=lambda each: (each.time, each.key)
        )[::-1]
        more = sum(len(page.found) for page in pages) > size
        shown = tuple(entries[:size])
        return Timeline(
            entries=shown,
            older=Position(time=shown[-1].time, id=shown[-1].key) if more and shown else None,
            runs=sum(page.runs for page in pages),
            manual=sum(page.manual for page in pages),
            exact=all(page.exact for page in pages),
            problems=said.problems,
        )

    def choices(self) -> Choices:
        """What the filters offer, from the newest runs."""
        return self._memory.of("choices", self._choices)

    def _choices(self) -> Choices:
        def names(query: str) -> Callable[[Database], list[Name]]:
            return lambda database: database.rows(query, {}, Name)

        def offered(query: str) -> tuple[str, ...]:
            said = self._fleet.ask(names(query)).answers
            return tuple(sorted({each.name for _, found in said for each in found if each.name}))

        sources = self._fleet.ask(
            lambda database: names("list_sources")(database) if database.access.warehouse else []
        )
        databases = [each.name for each in self._fleet.databases]
        databases += [each.name for _, found in sources.answers for each in found if each.name]
        return Choices(
            databases=tuple(dict.fromkeys(databases)),
            environments=offered("list_environments"),
            users=offered("list_users"),
            people=offered("list_people"),
        )

    def chart(self) -> tuple[Bar, ...]:
        """The last days of all databases together."""
        return self._memory.of("chart", self._chart)

    def _chart(self) -> tuple[Bar, ...]:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        values = {"since": today - timedelta(days=DAYS - 1), "until": today + timedelta(days=1)}
        said = self._fleet.ask(lambda database: database.rows("count_days", values, Day))
        return merged((each for _, found in said.answers for each in found), today.date())

    def run(self, key: UUID, after: Position | None = None) -> tuple[OneRun | None, tuple[Problem, ...]]:
        """The run of that id, wherever it is."""
        said = self._fleet.ask(lambda database: one_run(database, key, after))
        return next((each for _, each in said.answers if each), None), said.problems

    def transaction(self, key: UUID, position: int = 1) -> tuple[OneTransaction | None, tuple[Problem, ...]]:
        """The transaction of that id, wherever it is."""
        said = self._fleet.ask(lambda database: one_transaction(database, key, position))
        return next((each for _, each in said.answers if each), None), said.problems

    def life(
        self, name: str, wanted: Filter, *, limit: int = LIFE
    ) -> tuple[tuple[tuple[str, lives.Life], ...], tuple[Problem, ...]]:
        """The life of the object of that name, in each database that knows one."""
        said = self._fleet.ask(lambda database: lives.life(database, name, wanted, limit), wanted.database)
        found = ((database.name, life) for database, life in said.answers if life.moments or life.renamed)
        return tuple(found), said.problems

    def state(self) -> tuple[tuple[State, ...], tuple[Problem, ...]]:
        """How the trails are."""
        said = self._fleet.ask(_state)
        return tuple(each for _, each in said.answers), said.problems


def one_run(database: Database, key: UUID, after: Position | None = None) -> OneRun | None:
    """A run's page from one database."""
    values = {
        "run": key,
        "runs": [key],
        "cap": 100_000,
        "limit": RUN_TRANSACTIONS + 1,
        "after_time": after.time if after else None,
        "after_id": after.id if after else None,
    }
    runs = database.rows("describe_runs", values, Run)
    if not runs:
        return None
    found = database.rows("transactions_of_run", values, lives.Place)
    shown = found[:RUN_TRANSACTIONS]
    last = shown[-1] if len(found) > len(shown) else None
    return OneRun(
        database=runs[0].source or database.name,
        run=runs[0],
        parts=lives.told(database, [each.id for each in shown], Filter(), per_entry=60),
        next=Position(time=last.time, id=last.id) if last else None,
    )


def one_transaction(database: Database, key: UUID, position: int) -> OneTransaction | None:
    """A transaction's page from one database."""
    values = {
        "transaction": key,
        "transactions": [key],
        "position": position,
        "limit": TRANSACTION_EVENTS + 1,
    }
    senders = database.rows("describe_transactions", {**values, "cap": 100_000}, Sender)
    if not senders:
        return None
    sender = senders[0]
    runs = (
        database.rows("describe_runs", {"runs": [sender.run_id], "cap": 1000}, Run) if sender.run_id else []
    )
    events = database.rows("events_of_transaction", values, FoundEvent)
    shown, rest = events[:TRANSACTION_EVENTS], events[TRANSACTION_EVENTS:]
    cut = rest and rest[0].message == shown[-1].message
    # A message that goes on beyond this page is not lined up with its events.
    per_message = min(TRANSACTION_EVENTS, _of_last_message(shown)) if cut else TRANSACTION_EVENTS + 1
    told = parts(shown, per_message=per_message)
    return OneTransaction(
        database=sender.source or database.name,
        sender=sender,
        run=runs[0] if runs else None,
        part=told[0] if told else None,
        next=rest[0].position if rest else None,
    )


def _of_last_message(events: Sequence[FoundEvent]) -> int:
    last = events[-1].message
    return sum(each.message == last for each in events)


def _state(database: Database) -> State:
    keys = [each.id for each in database.rows("open_runs", {}, lives.Key)]
    runs = database.rows("describe_runs", {"runs": keys, "cap": 1000}, Run) if keys else []
    return State(
        database=database.name,
        checks=tuple(database.rows("status", {}, Check)),
        open_runs=tuple(sorted(runs, key=lambda each: each.started_at)),
        size=database.rows("trail_size", {}, Size)[0],
        words_indexed=database.access.words_indexed,
        warehouse=database.access.warehouse,
        login=database.access.login,
    )
