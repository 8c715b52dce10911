"""What happened to one object? Its life in one database, statement by statement, newest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from audit_action.dashboard.database import Database
from audit_action.dashboard.filters import Filter, Position, identities
from audit_action.dashboard.life import IndexCandidate, Span, TurningPoint, own_indexes, spans
from audit_action.dashboard.reading import PER_MESSAGE, source
from audit_action.dashboard.records import FoundEvent, Part, Run, Sender
from audit_action.dashboard.telling import parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The id of a row."""

    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A transaction, and when it began."""

    id: UUID
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One transaction in the life of an object: what it did to it, and who is behind it."""

    part: Part
    sender: Sender
    run: Run | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """An object's names, its indexes, and what happened."""

    name: str
    renamed: tuple[Span, ...]  # its other names
    indexes: tuple[str, ...]
    moments: tuple[Moment, ...]
    older: Position | None


def life(database: Database, name: str, wanted: Filter, limit: int) -> Life:
    """Everything that happened to `name` before the filter's position, through its renames."""
    of = source(database, wanted)
    candidates = identities(name, tuple(database.access.schemas))

    def ask(names: Sequence[str]) -> list[TurningPoint]:
        return database.rows("turning_points", {"names": list(names), "source": of}, TurningPoint)

    known = ask(candidates) if len(candidates) > 1 else []
    full = next((each.identity for each in known if each.identity in candidates), None) or candidates[0]
    found = spans(full, ask)
    indexes = _indexes(database, found, of)
    places = database.rows(
        "list_life",
        {
            "names": [each.name for each in found],
            "begins": [each.begins for each in found],
            "ends": [each.ends for each in found],
            "indexes": list(indexes),
            "source": of,
            "before_time": wanted.before.time if wanted.before else None,
            "before_id": wanted.before.id if wanted.before else None,
            "limit": limit + 1,
        },
        Place,
    )
    shown = places[:limit]
    last = shown[-1] if len(places) > limit else None
    return Life(
        name=full,
        renamed=tuple(each for each in found if each.name != full),
        indexes=indexes,
        moments=_moments(database, shown, [*(each.name for each in found), *indexes]),
        older=Position(time=last.time, id=last.id) if last else None,
    )


_END = r'[ ("/\n\r\t-]'
"""What comes after a table's name in CREATE INDEX. With its end, trigrams find few others by a name."""


def _indexes(database: Database, found: Sequence[Span], of: str | None) -> tuple[str, ...]:
    names = list(dict.fromkeys(each.name for each in found))
    if "(" in names[0] or " on " in names[0]:  # a function, a trigger: nothing that has indexes
        return ()
    written = [each.rpartition(".")[2].strip('"') for each in names]
    candidates = database.rows(
        "index_candidates",
        {
            "names": names,
            "written": f"({'|'.join(map(re.escape, written))}){_END}",
            "schemas": list(dict.fromkeys(each.partition(".")[0].strip('"') for each in names)),
            "source": of,
        },
        IndexCandidate,
    )
    return own_indexes(candidates, names)


def _moments(database: Database, places: Sequence[Place], names: Sequence[str]) -> tuple[Moment, ...]:
    keys = [each.id for each in places]
    if not keys:
        return ()
    by_transaction = {each.id: each for each in told(database, keys, Filter(), names=names)}
    senders = {
        each.id: each
        for each in database.rows("describe_transactions", {"transactions": keys, "cap": 1}, Sender)
    }
    wanted = list({each.run_id for each in senders.values() if each.run_id})
    runs = {each.id: each for each in database.rows("describe_runs", {"runs": wanted, "cap": 1}, Run)}
    return tuple(
        Moment(
            part=_backwards(by_transaction[key]),
            sender=senders[key],
            run=runs.get(senders[key].run_id or key),
        )
        for key in keys
        if key in by_transaction and key in senders
    )


def _backwards(part: Part) -> Part:
    """Newest first, as everything around it."""
    return replace(part, commands=part.commands[::-1])


def told(
    database: Database,
    transactions: Sequence[UUID],
    wanted: Filter,
    *,
    names: Sequence[str] = (),
    per_entry: int = 60,
) -> tuple[Part, ...]:
    """The commands of some transactions; of those with `names`, only what touched one of these."""
    events = database.rows(
        "events_of_entries",
        {
            **wanted.values(),
            "truncates": True,
            "objects": list(names) or None,
            "runs": [],
            "transactions": list(transactions),
            "per_entry": per_entry,
            "per_message": PER_MESSAGE,
        },
        FoundEvent,
    )
    return parts(events, per_message=PER_MESSAGE)
