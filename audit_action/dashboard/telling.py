"""What is told of the events of an entry? The report's own sentences, for the events that are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby

from audit_action.dashboard.records import FoundEvent, Part
from audit_action.model import Delivery, EventKind
from audit_action.report.commands import transactions
from audit_action.report.danger import Surroundings
from audit_action.report.record import Command, Source
from audit_action.report.redact import Redactor

TEXT_LIMIT = 20_000
"""Characters of a text that the queries give; a longer one is cut, and is not lined up with its events."""

_clean = Redactor().clean


def parts(events: Iterable[FoundEvent], *, per_message: int, words: Sequence[str] = ()) -> tuple[Part, ...]:
    """The transactions of one entry, told: commands with a wanted event whose text has `words`.

    `events` are whole messages in order; one that has `per_message` events may be cut. Which of its
    statements made which event is then not looked for: it could only be guessed.
    """
    return _parts(tuple(events), per_message, tuple(words))


@lru_cache(maxsize=500)  # what was committed does not change, and the newest is looked at most
def _parts(events: tuple[FoundEvent, ...], per_message: int, words: tuple[str, ...]) -> tuple[Part, ...]:
    whole, texts = _whole_messages(events, per_message)
    created = frozenset(each.object_identity or "" for each in whole if each.command_tag == "CREATE TABLE")
    told = transactions(whole, Surroundings(created=created))
    found = []
    for each in told:
        wanted = (_with_text(command, texts) for command in each.commands if _is_wanted(command))
        commands = tuple(_messages_once(wanted))
        with_words = tuple(command for command in commands if _has(command, words))
        if commands:
            found.append(Part(id=each.id, time=each.time, commands=with_words or commands))
    if words and any(_has(command, words) for each in found for command in each.commands):
        return tuple(each for each in found if any(_has(command, words) for command in each.commands))
    return tuple(found)


def _whole_messages(
    events: Iterable[FoundEvent], per_message: int
) -> tuple[list[FoundEvent], dict[tuple[object, int], str]]:
    """The events, each with the text of its message where that is whole; and the texts of the others."""
    found: list[FoundEvent] = []
    texts: dict[tuple[object, int], str] = {}
    for key, group in groupby(events, key=lambda each: (each.transaction_audit_id, each.message)):
        members = list(_clean(tuple(group)))
        text = members[0].query_text or ""
        whole = len(members) < per_message and len(text) < TEXT_LIMIT and members[0].position == key[1]
        if not whole:
            texts[key] = text
        found += (_event(each, text if whole else "") for each in members)
    return found, texts


def _event(row: FoundEvent, text: str) -> FoundEvent:
    return replace(row, event=EventKind(row.event), delivery=Delivery(row.delivery), query_text=text)


def _with_text(command: Command, texts: dict[tuple[object, int], str]) -> Command:
    """A command of a cut message shows the beginning of the message, and says that it is the message."""
    if command.source is not Source.NONE or not command.events:
        return command
    first = command.events[0]
    text = texts.get((first.transaction_audit_id, first.message), "")
    return replace(command, text=text, source=Source.MESSAGE) if text else command


def _messages_once(commands: Iterable[Command]) -> Iterator[Command]:
    """A message of which no part is certain is shown with the first of its commands alone."""
    last = ""
    for each in commands:
        repeated = each.source is Source.MESSAGE and each.text == last
        last = each.text if each.source is Source.MESSAGE else ""
        yield replace(each, text="", source=Source.NONE) if repeated else each


def _is_wanted(command: Command) -> bool:
    """What left no event is told with its message."""
    return not command.events or any(isinstance(each, FoundEvent) and each.wanted for each in command.events)


def _has(command: Command, words: Sequence[str]) -> bool:
    text = command.text.casefold()
    return all(each.casefold() in text for each in words)


def destructive_only(found: Sequence[Part]) -> tuple[Part, ...]:
    """The commands that lost something; all where none is known to have."""
    kept = tuple(_destructive(found))
    return kept or tuple(found)


def _destructive(found: Sequence[Part]) -> Iterator[Part]:
    for each in found:
        commands = tuple(command for command in each.commands if command.destructive)
        if commands:
            yield replace(each, commands=commands)
