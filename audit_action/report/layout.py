"""How much of a report is shown, and grouped how? Transactions of one command each are told together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from audit_action.report.record import Command, Source, Transaction
from audit_action.report.safe_text import shortened


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of each list is shown. The JSON always has everything."""

    commands: int
    statement: int  # characters of one statement; 0: no SQL at all
    strangers: int
    findings: int
    people: int
    line: int  # characters of one line of output


@dataclass(frozen=True, slots=True, kw_only=True)
class Sql:
    """One block of SQL, and what must be said about it."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Commands under one title."""

    title: str
    commands: tuple[Command, ...]
    sql: tuple[Sql, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A command outside any migration run, and the transaction that says who it was."""

    transaction: Transaction
    command: Command


def least_size(transactions: Sequence[Transaction], limits: Limits) -> int:
    """Characters of SQL that these limits would show: no rendering can be shorter."""
    commands = islice((each for one in transactions for each in one.commands), limits.commands)
    return sum(min(len(each.text), limits.statement) for each in _distinct(tuple(commands)))


def groups(transactions: Sequence[Transaction], limits: Limits) -> tuple[Group, ...]:
    """What is shown of the transactions, within the limits."""
    numbered = list(enumerate(transactions, start=1))
    left = limits.commands
    found: list[Group] = []
    for alone, together in groupby(numbered, key=lambda pair: len(pair[1].commands) == 1):
        members = list(together)
        for part in [members] if alone else [[each] for each in members]:
            if left <= 0:
                return tuple(found)
            commands = tuple(command for _, each in part for command in each.commands)[:left]
            left -= len(commands)
            first, last = part[0][0], part[-1][0]
            found.append(
                Group(
                    title=_title(first, last, len(transactions)),
                    commands=commands,
                    sql=tuple(_sql(commands, limits)) if limits.statement else (),
                )
            )
    return tuple(found)


def _title(first: int, last: int, of: int) -> str:
    if of == 1:
        return "Changes"
    return f"Transaction {first}" if first == last else f"Transactions {first} to {last}, one change each"


def _sql(commands: Sequence[Command], limits: Limits) -> Iterator[Sql]:
    """The distinct texts behind commands: statements as one script, messages apart and said to be so."""
    for script, members in groupby(_distinct(commands), key=lambda each: each.source is not Source.MESSAGE):
        texts = [shortened(each.text, limits.statement) for each in members]
        if script:
            yield Sql(text="\n\n".join(f"{each};" for each in texts))
        else:
            note = "Sent as one message. Which of its statements made which change is not certain:"
            yield from (Sql(text=each, note=note) for each in texts)


def _distinct(commands: Sequence[Command]) -> Iterator[Command]:
    seen: set[str] = set()
    for each in commands:
        if each.text and each.text not in seen:
            seen.add(each.text)
            yield each


def sessions(transactions: Sequence[Transaction], limits: Limits) -> tuple[Transaction, ...]:
    """One transaction of each kind of session that sent any: who, from where, through what."""
    kinds = {(each.database_user, each.client_address, each.application_name): each for each in transactions}
    return tuple(kinds.values())[: limits.people]


def strangers(transactions: Sequence[Transaction], limits: Limits) -> tuple[Stranger, ...]:
    """The first of the commands outside any run, as many as the limits allow."""
    every = (Stranger(transaction=one, command=each) for one in transactions for each in one.commands)
    return tuple(each for each, _ in zip(every, range(limits.strangers), strict=False))
