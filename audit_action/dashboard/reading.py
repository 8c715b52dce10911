"""How is one database asked for what a page shows? Few queries, each bounded in rows and in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from audit_action.dashboard.database import Database
from audit_action.dashboard.filters import Filter, Parameters, Position
from audit_action.dashboard.records import Answer, Counted, Entry, Found, FoundEvent, Name, Part, Run, Sender
from audit_action.dashboard.telling import destructive_only, parts

MOST_HITS = 1_000
"""Events up to which a filter counts as finding few: then all of them are looked at."""

NEWEST = 3 * 21
"""Runs in which a page is looked for first, when there are many: a filter that finds every third fills it."""

COUNTED = 1_000
PER_ENTRY = 16
PER_MESSAGE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one database has for a page: entries newest first, and the number of all that the filter finds."""

    found: tuple[Found, ...]
    runs: int
    manual: int
    exact: bool  # False: there are more than were counted


def find(database: Database, wanted: Filter, limit: int) -> Page:
    """The newest `limit` entries, at most, that the filter finds before its position."""
    values = {**parameters(database, wanted), "limit": limit}
    found: list[Found] = []
    if wanted.by_event:
        # Where the newest of many runs fill the page, nobody has to know how many there are in all.
        if database.access.long_history:
            found = database.rows("list_runs", {**values, "among": NEWEST}, Found)
        if len(found) < limit:
            hits = database.rows("find_hits", {**values, "cap": MOST_HITS}, Found)
            if sum(each.events for each in hits) < MOST_HITS:
                return _few(hits, wanted.before, limit)
    if len(found) < limit:
        found = database.rows("list_runs", {**values, "among": None}, Found)
    not_before = found[-1].time if len(found) == limit else None
    found += database.rows("list_manual", {**values, "not_before": not_before}, Found)
    found.sort(key=_order, reverse=True)
    if wanted.by_event:
        return Page(found=tuple(found[:limit]), runs=0, manual=0, exact=False)
    counted = database.rows("count_entries", {**values, "cap": COUNTED}, Counted)[0]
    return Page(
        found=tuple(found[:limit]),
        runs=counted.runs,
        manual=counted.manual,
        exact=max(counted.runs, counted.manual) < COUNTED,
    )


def parameters(database: Database, wanted: Filter) -> Parameters:
    """What every query takes that takes a filter, for this database.

    A session names an e-mail address, which is a person's where a run knows them by it.
    """
    known = database.rows("list_emails", {"person": wanted.person}, Name) if wanted.person else []
    return {**about_events(database, wanted), "emails": [wanted.person, *(each.name for each in known)]}


def about_events(database: Database, wanted: Filter) -> Parameters:
    """What a query takes that asks of events alone, whoever is behind them."""
    indexed = {"words_indexed": database.access.words_indexed}
    return {
        **wanted.values(tuple(database.access.schemas)),
        **indexed,
        "source": source(database, wanted),
        "truncates": wanted.destructive and database.rows("any_truncate", indexed, Answer)[0].yes,
    }


def source(database: Database, wanted: Filter) -> str | None:
    """The source in a warehouse that the filter means; None where it means the database itself, or all."""
    return wanted.database if wanted.database and wanted.database != database.name else None


def _few(hits: Iterable[Found], before: Position | None, limit: int) -> Page:
    ordered = sorted(hits, key=_order, reverse=True)
    runs = sum(each.run_id is not None for each in ordered)
    older = [each for each in ordered if before is None or _order(each) < (before.time, before.id)]
    return Page(found=tuple(older[:limit]), runs=runs, manual=len(ordered) - runs, exact=True)


def _order(found: Found) -> tuple[object, UUID]:
    return found.time, found.key


def entries(
    database: Database, found: Sequence[Found], wanted: Filter, *, commands: int
) -> tuple[Entry, ...]:
    """The entries that were found, told: at most `commands` of each."""
    if not found:
        return ()
    values = {
        **about_events(database, wanted),
        "runs": [each.run_id for each in found if each.run_id],
        "transactions": [each.transaction_audit_id for each in found if each.transaction_audit_id],
        "per_entry": PER_ENTRY,
        "per_message": PER_MESSAGE,
        "cap": COUNTED,
    }
    events = database.rows("events_of_entries", values, FoundEvent)
    runs = {each.id: each for each in database.rows("describe_runs", values, Run)}
    senders = {each.id: each for each in database.rows("describe_transactions", values, Sender)}
    by_key: dict[UUID, list[FoundEvent]] = {}
    for event in events:
        by_key.setdefault(event.run_id or event.transaction_audit_id, []).append(event)
    told = []
    for each in found:
        told.append(
            _entry(
                database.name,
                each,
                runs.get(each.key),
                senders.get(each.key),
                by_key.get(each.key, []),
                wanted,
                commands,
            )
        )
    return tuple(told)


def _entry(
    name: str,
    found: Found,
    run: Run | None,
    sender: Sender | None,
    events: Sequence[FoundEvent],
    wanted: Filter,
    commands: int,
) -> Entry:
    told = parts(events, per_message=PER_MESSAGE, words=wanted.words)
    if wanted.destructive:
        told = destructive_only(told)
    shown = _first(told, commands)
    total = run.events if run else sender.events if sender else 0
    told_events = sum(len(command.events) for part in shown for command in part.commands)
    return Entry(
        database=(run.source if run else sender.source if sender else None) or name,
        time=found.time,
        run=run,
        sender=sender,
        parts=shown,
        more=max(0, total - told_events),
        hits=found.events,
    )


def _first(told: Sequence[Part], commands: int) -> tuple[Part, ...]:
    """So many commands, in their order: what lost data before all others, then the first ones."""
    every = [(part.id, each) for part in told for each in part.commands]
    chosen = sorted(range(len(every)), key=lambda at: (not every[at][1].destructive, at))[:commands]
    kept = [every[at] for at in sorted(chosen)]
    shown = (replace(part, commands=tuple(each for key, each in kept if key == part.id)) for part in told)
    return tuple(each for each in shown if each.commands)
