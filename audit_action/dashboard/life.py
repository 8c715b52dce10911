"""Under which names did an object live, and when? Followed through renames, both ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

MAX_NAMES = 50
"""Names that are followed: an object that was renamed more often is told as far as that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurningPoint:
    """An event at which a name began or ceased to be: CREATE, a rename or move, DROP."""

    time: datetime
    transaction_audit_id: UUID
    position: int
    event: str
    object_type: str | None
    identity: str | None
    previous: str | None

    @property
    def place(self) -> tuple[datetime, int]:
        """Where in time it stands."""
        return self.time, self.position

    @property
    def renames(self) -> bool:
        """Whether it gave an object another name."""
        return bool(self.previous and self.identity and self.previous != self.identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A name, and from when to when the object had it; None: from the beginning, or still."""

    name: str
    begins: datetime | None = None
    ends: datetime | None = None


TurningPoints: TypeAlias = Callable[[Sequence[str]], Iterable[TurningPoint]]
"""The turning points of some names, as the trail has them."""


def spans(name: str, turning_points: TurningPoints) -> tuple[Span, ...]:
    """Every span of the object that is or was called `name`, that name's own first.

    What bore the name at any time is its life, so a table that was dropped and made again is told whole.
    Before a rename to the name the object is followed back only to where its earlier name began, and after a
    rename away only as long as the later name lasted: another object that once had that name has no part
    in it.
    """
    found = [Span(name=name)]
    known: dict[str, list[TurningPoint]] = {}
    waiting = found[:]
    while waiting and len(found) < MAX_NAMES:
        span = waiting.pop(0)
        for each in _within(span, _points(span.name, known, turning_points)):
            if each.identity == span.name and each.previous:
                new = _earlier(each.previous, each, _points(each.previous, known, turning_points))
            elif each.previous == span.name and each.identity:
                new = _later(each.identity, each, _points(each.identity, known, turning_points))
            else:
                continue
            if new not in found and not _covered(new, found):
                found.append(new)
                waiting.append(new)
    return tuple(found)


def _points(name: str, known: dict[str, list[TurningPoint]], ask: TurningPoints) -> list[TurningPoint]:
    if name not in known:
        schema = name.partition(".")[0]
        points = [_as_if_own(each, name, schema) for each in ask([name, schema])]
        known[name] = sorted(
            (each for each in points if each and name in (each.identity, each.previous)),
            key=lambda each: each.place,
        )
    return known[name]


def _as_if_own(point: TurningPoint, name: str, schema: str) -> TurningPoint | None:
    """The rename of a schema is one of everything in it."""
    if name == schema or point.object_type != "schema" or not point.renames:
        return point
    rest = name[len(schema) :]
    return TurningPoint(
        time=point.time,
        transaction_audit_id=point.transaction_audit_id,
        position=point.position,
        event=point.event,
        object_type=point.object_type,
        identity=f"{point.identity}{rest}",
        previous=f"{point.previous}{rest}",
    )


def _within(span: Span, points: Iterable[TurningPoint]) -> list[TurningPoint]:
    return [
        each
        for each in points
        if each.renames
        and (span.begins is None or each.time >= span.begins)
        and (span.ends is None or each.time <= span.ends)
    ]


def _earlier(name: str, end: TurningPoint, points: Sequence[TurningPoint]) -> Span:
    births = [
        each
        for each in points
        if each.identity == name and each.event == "command" and each.place < end.place
    ]
    return Span(name=name, begins=births[-1].time if births else None, ends=end.time)


def _later(name: str, begin: TurningPoint, points: Sequence[TurningPoint]) -> Span:
    deaths = [
        each
        for each in points
        if each.place > begin.place
        and ((each.event == "drop" and each.identity == name) or (each.renames and each.previous == name))
    ]
    return Span(name=name, begins=begin.time, ends=deaths[0].time if deaths else None)


def _covered(span: Span, found: Iterable[Span]) -> bool:
    """Whether a span of the same name holds it already."""
    return any(
        each.name == span.name
        and (each.begins is None or (span.begins is not None and each.begins <= span.begins))
        and (each.ends is None or (span.ends is not None and each.ends >= span.ends))
        for each in found
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexCandidate:
    """An index that may be one of the object's."""

    identity: str | None
    text: str | None  # the message in which it was made
    certain: bool  # the catalog says so
    beside: bool  # made in a message that changed the object


def own_indexes(candidates: Iterable[IndexCandidate], names: Sequence[str]) -> tuple[str, ...]:
    """The indexes that are those of a table with these names.

    An index lies in its table's schema, so the table's own name in CREATE INDEX tells which it is; one that a
    constraint made has the constraint's name, or begins with the table's.
    """
    tables = {_last(each) for each in names}
    found = dict.fromkeys(
        each.identity for each in candidates if each.identity and (each.certain or _is_own(each, tables))
    )
    return tuple(found)


def _is_own(candidate: IndexCandidate, tables: Iterable[str]) -> bool:
    index, text = _last(candidate.identity or ""), candidate.text or ""
    named = rf'"?{re.escape(index)}"?'
    if candidate.beside and re.search(rf"\bconstraint\s+{named}(?![\w$])", text, re.IGNORECASE):
        return True
    for table in tables:
        if _is_made_on(table, rf"(?:if\s+not\s+exists\s+)?{named}\s+", text):
            return True
        # PostgreSQL made the name: of the table, the columns and _idx, _key or _pkey (ChooseIndexName).
        unnamed = index.startswith(f"{table}_") and not re.search(rf"(?i)\b{re.escape(index)}\b", text)
        if unnamed and (candidate.beside or _is_made_on(table, "", text)):
            return True
    return False


def _is_made_on(table: str, named: str, text: str) -> bool:
    """Whether the text has a CREATE INDEX of that name on the table; its schema may be left out."""
    schema = r'(?:(?:"[^"]*"|\w+)\s*\.\s*)?'
    made = rf'\bindex\s+(?:concurrently\s+)?{named}on\s+(?:only\s+)?{schema}"?{re.escape(table)}"?(?![\w$"])'
    return bool(re.search(made, text, re.IGNORECASE))


_LAST = re.compile(r'(?:"((?:[^"]|"")*)"|([^".]+))\Z')


def _last(identity: str) -> str:
    """The last part of a name, unquoted.

    >>> _last('public."a.b"'), _last("public.users")
    ('a.b', 'users')
    """
    found = _LAST.search(identity)
    return (found[1] or found[2] or "").replace('""', '"') if found else identity
