"""Which statement of a client's message caused which event? Only what can be no other is said to be certain.

PostgreSQL tells an event trigger the whole message, and one message may hold a whole migration file. Events
come in the order of the statements, carry a command tag and mostly a name, and few statements may leave no
event at all. All ways to line them up are followed at once, as a regular expression's automaton does; an
event that can belong to one statement only is certain, any other is not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, unique
from itertools import groupby

from audit_action.model import Event
from audit_action.statement_events import Candidate
from audit_action.statements import Statement, split

MAX_STATES = 200
"""Ways followed at once. More: so alike are the statements that none could be told from the others."""

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
        self._candidates = [Candidate(each, temporary) for each in statements]
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
