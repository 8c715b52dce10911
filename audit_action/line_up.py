"""Which statement of a client's message caused which event? Only what can be no other is said to be certain.

PostgreSQL tells an event trigger the whole message, and one message may hold a whole migration file. Events
come in the order of the statements, carry a command tag and mostly a name, and few statements may leave no
event at all. All ways to line them up are followed at once, as a regular expression's automaton does; an
event that can belong to one statement only is certain, any other is not.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, unique
from functools import cached_property, lru_cache
from itertools import groupby

from postgast.nodes import GrantStmt, IndexStmt, RangeVar, ViewStmt

from audit_action.model import Event, EventKind
from audit_action.statements import Chain, Statement, chain, split

MAX_STATES = 200
"""Ways followed at once. More: so alike are the statements that none could be told from the others."""

_KEPT = 7  # characters of at most four bytes each that are surely among the 28 bytes

MAX_CHECKS = 1_000_000
"""Pairs of statement and event looked at before the search is given up: about two seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Consecutive events of one statement; `statement` is None where it is not certain which it was."""

    events: tuple[Event, ...]
    statement: Statement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinedUp:
    """A message within one transaction: its events by statement, and the statements known to be committed."""

    lines: tuple[Lines, ...]
    committed: tuple[Statement, ...] = ()


def line_up(message: str, events: Sequence[Event]) -> LinedUp:
    """Line the events of one message within one transaction, in their order, up with its statements."""
    statements = split(message)
    if not statements:
        return LinedUp(lines=(Lines(events=tuple(events), statement=None),))
    if len(statements) == 1:
        return LinedUp(lines=(Lines(events=tuple(events), statement=statements[0]),), committed=statements)
    outer = [each for each in events if each.statement_text is None]  # the others name their own statement
    parts = [each for each in _transactions(statements) if each]
    found = [(way, each) for each in parts if (way := _Automaton(each).run(outer)) is not None]
    certain = iter(found[0][0] if len(found) == 1 else [None] * len(outer))
    pairs = [(next(certain) if each.statement_text is None else None, each) for each in events]
    lines = tuple(
        Lines(events=tuple(event for _, event in group), statement=statement)
        for statement, group in groupby(pairs, key=lambda pair: pair[0])
    )
    whole = parts[0] if len(parts) == 1 else found[0][1] if len(found) == 1 else ()
    undone = any(each.head.startswith("ROLLBACK") for each in whole)  # to a savepoint
    return LinedUp(lines=lines, committed=() if undone else whole)


def _transactions(statements: Sequence[Statement]) -> Iterator[tuple[Statement, ...]]:
    """The statements between the ends of explicit transactions; what is rolled back leaves no event."""
    part: list[Statement] = []
    for each in statements:
        if each.head.startswith(("COMMIT", "END", "PREPARE TRANSACTION")):
            yield tuple(part)
            part = []
        elif each.head.startswith(("ROLLBACK", "ABORT")) and " TO" not in each.head:
            part = []
        else:
            part.append(each)
    yield tuple(part)


# --- What a statement can leave ------------------------------------------------------------------

_TABLE_PARTS = frozenset({"CREATE INDEX", "ALTER SEQUENCE", "ALTER TABLE", "COMMENT", "CREATE STATISTICS"})
_BEFORE = {
    "CREATE TABLE": frozenset({"CREATE SEQUENCE"}),
    "CREATE FOREIGN TABLE": frozenset({"CREATE SEQUENCE"}),
    "ALTER TABLE": frozenset({"CREATE SEQUENCE"}),
}
_AFTER = {
    "CREATE TABLE": _TABLE_PARTS,
    "CREATE FOREIGN TABLE": _TABLE_PARTS,
    "ALTER TABLE": frozenset({"ALTER SEQUENCE"}),
    "IMPORT FOREIGN SCHEMA": frozenset({"CREATE FOREIGN TABLE"}),
}
"""What a table brings with it: a serial's sequence before, keys after (parse_utilcmd.c)."""

_LOUD = re.compile(
    r"(?:CREATE|ALTER|DROP|COMMENT ON) (?:TABLE|INDEX|VIEW|MATERIALIZED VIEW|SEQUENCE|TYPE|DOMAIN|FUNCTION"
    r"|PROCEDURE|TRIGGER|POLICY|SCHEMA|RULE|COLUMN)\b"
)
_ELEMENT = re.compile(r"(?i)\b(?:create|grant)\b")
_GRANTED = re.compile(r"GRANT|REVOKE")
_SILENT = re.compile(r"(?: CONCURRENTLY)? IF (?:NOT )?EXISTS\b|.* ADD VALUE IF NOT EXISTS\b")
_ALTERED = re.compile(r"(?i)\b(?:references|like|foreign|inherits|partition)\b")
_UNNAMED = re.compile(r"CREATE STATISTICS ON\b|REINDEX|DROP OWNED")


@dataclass(frozen=True)
class _Candidate:
    """A statement, and what follows from its first words."""

    statement: Statement
    temporary_names: frozenset[Chain]

    @cached_property
    def tag(self) -> str:
        """The tag of its own events, as far as the first words tell: up to three of them."""
        return next((each for each in _BEFORE if self.statement.head.startswith(each)), self.statement.head)

    @cached_property
    def names(self) -> frozenset[Chain]:
        return self.statement.names

    @cached_property
    def may_be_silent(self) -> bool:
        """Whether it may have run without an event."""
        head = self.statement.head
        loud = _LOUD.match(head)
        match self.statement.node:
            case GrantStmt(objects=[RangeVar(), *_]):
                loud = _GRANTED.match(head)
        if not loud or _SILENT.match(head, loud.end()) or self.statement.temporary:
            return True
        return bool(self.temporary_names & self.names) or "pg_temp" in self.statement.text.lower()

    def is_own(self, event: Event) -> bool:
        """Whether the event can be the one that names what the statement was about."""
        head = self.statement.head
        if event.command_tag in {"CREATE TABLE AS", "SELECT INTO"}:
            return head.startswith(("CREATE TABLE", "SELECT", "WITH")) and self._names(event)
        if not f"{head} ".startswith(f"{event.command_tag} "):
            return False
        if event.event is EventKind.REWRITE:
            return False
        if event.event is EventKind.DROP and (self.tag == "ALTER TABLE" or not event.original):
            return False
        match self.statement.node:
            case IndexStmt(idxname="", relation=RangeVar(relname=table)):
                return any(each.startswith(table[:_KEPT]) for each in _identity(event.object_identity))
        return bool(_UNNAMED.match(head)) or (
            self._is_named(event) if self.statement.own else self._names(event)
        )

    def comes_before(self, event: Event) -> bool:
        """Whether the event can come before the statement's own."""
        if event.event is not EventKind.COMMAND:
            if event.event is EventKind.DROP and event.original and not self._names(event):
                return False
            return f"{self.statement.head} ".startswith(f"{event.command_tag} ") and not self._drops
        return event.command_tag in _BEFORE.get(self.tag, ()) and self._is_part(event)

    def comes_after(self, event: Event) -> bool:
        """Whether the event can follow the statement's own."""
        if self.statement.runs_code:
            return True
        if self.tag.startswith("CREATE SCHEMA"):
            return event.event is EventKind.COMMAND and bool(_ELEMENT.search(self.statement.text, 6))
        if event.event is EventKind.DROP:
            own = f"{self.statement.head} ".startswith(f"{event.command_tag} ")
            return self._drops and own and (not event.original or self._names(event))
        if event.event is EventKind.REWRITE:
            return False
        if event.command_tag == "ALTER TABLE" and not _ALTERED.search(self.statement.text):
            return False
        part = event.command_tag in _AFTER.get(self.tag, ()) and self._is_part(event)
        return part or (self._repeats and self.is_own(event))

    @cached_property
    def _drops(self) -> bool:
        return self.statement.head.startswith("DROP ")

    @cached_property
    def _repeats(self) -> bool:
        """Whether it can leave several events of its own; CREATE OR REPLACE VIEW adds columns as a second."""
        match self.statement.node:
            case ViewStmt(replace=replaces):
                return replaces
            case GrantStmt(objects=objects):
                return len(objects) != 1 or not isinstance(objects[0], RangeVar)
        return self.statement.head.startswith(("REINDEX", "DROP OWNED", "CREATE VIEW"))

    def _is_part(self, event: Event) -> bool:
        """Whether the object can be a part of the table: named after it, or by the statement.

        A name made from a table's keeps at least 28 bytes of it (makeObjectName in indexcmds.c).
        """
        parts = _identity(event.object_identity)
        made = not (parts and self.statement.own) or any(
            each.startswith(self.statement.own[-1][:_KEPT]) for each in parts
        )
        return made or self._names(event)

    def _is_named(self, event: Event) -> bool:
        """Whether the event is about the one object that the statement is about."""
        parts = _identity(event.object_identity)
        return not parts or parts[-len(self.statement.own) :] == self.statement.own

    def _names(self, event: Event) -> bool:
        """Whether the statement writes the name of the event's object, qualified or not."""
        parts = _identity(event.object_identity)
        return not parts or any(parts[start:] in self.names for start in range(len(parts)))


_PART = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_NAMED = re.compile(rf"({_PART}(?:\.{_PART})*)(?=\Z|\(| on | in | using )")


@lru_cache(maxsize=4096)
def _identity(identity: str | None) -> Chain:
    """The name in an identity as pg_identify_object() writes it, in parts; empty where it has none."""
    found = _NAMED.match(identity or "")
    return chain(found[1]) if found else ()


# --- Following all ways at once ------------------------------------------------------------------


@unique
class _Phase(IntEnum):
    """Where in a statement a way stands."""

    BEFORE = 0
    AFTER = 1


_State = tuple[int, _Phase]


class _Automaton:
    """All ways to line up events with the statements of one transaction."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        temporary = frozenset(each.own for each in statements if each.temporary)
        undone = any(each.head.startswith("ROLLBACK") for each in statements)  # to a savepoint
        self._candidates = [_Candidate(each, temporary) for each in statements]
        self._loud = [at for at, each in enumerate(self._candidates) if not (undone or each.may_be_silent)]
        self._checks = 0

    def run(self, events: Sequence[Event]) -> list[Statement | None] | None:
        """For each event the one statement it can belong to, or None; None for all: there is no way."""
        steps: list[dict[_State, set[_State]]] = []  # for each event: state after it -> states before it
        states: set[_State] = {(-1, _Phase.AFTER)}
        for event in events:
            step: dict[_State, set[_State]] = {}
            for state in states:
                for following in self._following(state, event):
                    step.setdefault(following, set()).add(state)
            if not 0 < len(step) <= MAX_STATES or self._checks > MAX_CHECKS:
                return None
            steps.append(step)
            states = set(step)
        alive = {state for state in states if state[1] is _Phase.AFTER and self._reach(state[0]) == len(self)}
        if not alive:
            return None
        certain: list[Statement | None] = []
        for step in reversed(steps):
            indexes = {index for index, _ in alive}
            certain.append(self._candidates[indexes.pop()].statement if len(indexes) == 1 else None)
            alive = {before for state in alive for before in step[state]}
        return certain[::-1]

    def __len__(self) -> int:
        return len(self._candidates)

    def _reach(self, index: int) -> int:
        """The first statement after `index` that must leave an event; the number of statements if none."""
        at = bisect_right(self._loud, index)
        return self._loud[at] if at < len(self._loud) else len(self)

    def _following(self, state: _State, event: Event) -> Iterator[_State]:
        index, phase = state
        if index >= 0:
            candidate = self._candidates[index]
            if phase is _Phase.BEFORE:
                yield from self._entered(index, event)
            elif candidate.comes_after(event):
                yield index, _Phase.AFTER
        if phase is _Phase.AFTER:
            for later in range(index + 1, min(self._reach(index) + 1, len(self))):
                yield from self._entered(later, event)

    def _entered(self, index: int, event: Event) -> Iterator[_State]:
        candidate = self._candidates[index]
        self._checks += 1
        if candidate.statement.runs_code or candidate.is_own(event):
            yield index, _Phase.AFTER
        elif candidate.comes_before(event):
            yield index, _Phase.BEFORE
