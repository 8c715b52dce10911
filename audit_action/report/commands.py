"""Which commands did a transaction run? Its events folded into what a person would call one command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from postgast.nodes import AstNode

from audit_action.line_up import line_up
from audit_action.model import Event, EventKind
from audit_action.report.danger import Surroundings, findings, unrecorded
from audit_action.report.narrate import noun, taken_along, tell
from audit_action.report.record import Command, Source, Transaction
from audit_action.statements import Statement, parsed

_COMES_BEFORE = frozenset({"CREATE SEQUENCE"})
_COMES_AFTER = frozenset({"CREATE INDEX", "ALTER SEQUENCE", "ALTER TABLE"})


def transactions(events: Sequence[Event], around: Surroundings) -> tuple[Transaction, ...]:
    """The events grouped as PostgreSQL committed them, in the order of their first event."""
    grouped: dict[object, list[Event]] = {}
    for each in events:
        grouped.setdefault(each.transaction_audit_id, []).append(each)
    return tuple(
        _transaction(sorted(each, key=lambda one: one.position), around) for each in grouped.values()
    )


def _transaction(events: Sequence[Event], around: Surroundings) -> Transaction:
    first = events[0]
    return Transaction(
        id=first.transaction_audit_id,
        transaction_id=first.transaction_id,
        time=first.event_time,
        database_user=first.database_user,
        application_name=first.application_name or "",
        client_address=first.client_address or "",
        delivery=first.delivery,
        commands=tuple(_commands(events, around)),
    )


def _commands(events: Sequence[Event], around: Surroundings) -> Iterator[Command]:
    for _, of_message in groupby(events, key=lambda each: each.message):
        members = tuple(of_message)
        message = members[0].query_text or ""
        lined_up = line_up(message, members)
        silent = list(lined_up.committed)
        for lines in lined_up.lines:
            statement = lines.statement
            if statement in silent:
                at = silent.index(statement)
                yield from _unrecorded(silent[:at])
                silent = silent[at + 1 :]
            groups = folded(lines.events) if statement is None or statement.runs_code else (lines.events,)
            for group in groups:
                yield _command(group, statement, message, around)
        yield from _unrecorded(silent)


def _unrecorded(statements: Sequence[Statement]) -> Iterator[Command]:
    """What the text shows although PostgreSQL raises no event for it."""
    for each in statements:
        found = unrecorded(each.node) if each.node is not None else ()
        for finding in found:
            yield Command(
                sentence=finding.sentence,
                source=Source.STATEMENT,
                text=each.text,
                tag=each.head.partition(" ")[0],
                findings=(finding,),
                events=(),
            )


def _command(
    events: Sequence[Event], statement: Statement | None, message: str, around: Surroundings
) -> Command:
    text, source, node = _text_of(events, statement, message)
    main = _main(events)
    ordered = (main, *(each for each in events if each is not main))
    return Command(
        sentence=tell(ordered, node),
        source=source,
        text=text,
        tag=main.command_tag,
        folded=tuple(f"{noun(each)} {each.object_identity}" for each in ordered[1:] if _is_folded(each)),
        taken_along=taken_along(events),
        findings=findings(ordered, node, around),
        events=tuple(events),
    )


def _text_of(
    events: Sequence[Event], statement: Statement | None, message: str
) -> tuple[str, Source, AstNode | None]:
    inner = next((each.statement_text for each in events if each.statement_text), None)
    if inner:
        return inner, Source.INNER, parsed(inner)
    if statement is not None:
        return statement.text, Source.STATEMENT, None if statement.runs_code else statement.node
    return (message, Source.MESSAGE, None) if message else ("", Source.NONE, None)


def _is_folded(event: Event) -> bool:
    created = event.event is EventKind.COMMAND and event.command_tag.startswith("CREATE")
    return created and event.object_identity is not None


def _main(events: Sequence[Event]) -> Event:
    """The event that names what the command was about."""
    commands = [each for each in events if each.event is EventKind.COMMAND]
    if commands:
        return next((each for each in commands if each.command_tag not in _COMES_BEFORE), commands[0])
    drops = [each for each in events if each.event is EventKind.DROP]
    return next((each for each in drops if each.original), (drops or list(events))[0])


def folded(events: Iterable[Event]) -> Iterator[tuple[Event, ...]]:
    """The events of one message, one tuple a command, where only the events themselves can tell.

    A sequence that the next table owns goes with it, and so do the indexes and sequences that follow a
    table; drops go with the named object before them, and with the command that follows in the same breath.
    """
    open_group: list[Event] = []
    for each in events:
        if open_group and not _belongs(each, open_group):
            yield tuple(open_group)
            open_group = []
        open_group.append(each)
    if open_group:
        yield tuple(open_group)


def _belongs(event: Event, group: Sequence[Event]) -> bool:
    last = group[-1]
    if event.statement_text != last.statement_text:
        return False
    if event.event is EventKind.DROP:
        return last.event is EventKind.DROP and last.command_tag == event.command_tag and not event.original
    if last.event in {EventKind.DROP, EventKind.REWRITE}:
        return event.command_tag == last.command_tag
    if all(each.command_tag in _COMES_BEFORE for each in group):
        table = event.object_identity or ""
        return event.command_tag in {"CREATE TABLE", "ALTER TABLE"} and all(
            (each.object_identity or "").startswith(table + "_") for each in group
        )
    head = next(each for each in group if each.command_tag not in _COMES_BEFORE)
    return (
        head.command_tag in {"CREATE TABLE", "ALTER TABLE"}
        and event.event is EventKind.COMMAND
        and event.command_tag in _COMES_AFTER
        and (event.object_identity or "").startswith(f"{head.object_identity}_")
    )
