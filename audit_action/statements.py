"""Which statement of a client's message did it? Splits the message and lines statements up with events.

A client may send a whole migration file as one message, and PostgreSQL tells an event trigger only the
message. PostgreSQL's own grammar (libpg_query) takes it apart; what cannot be lined up with certainty is
said to be uncertain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import postgast
from google.protobuf.message import DecodeError
from postgast.pg_query_pb2 import Node

from audit_action.model import Event

MAX_PARSED = 16_384
"""Characters of a statement that is parsed into a tree: a tree as deep as longer text allows could exhaust
the C stack (measured: an expression of 16,000 operators is fine, one of 32,000 is not). Splitting is flat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a message; `node` is None where PostgreSQL's grammar (17) could not read it."""

    text: str
    node: Node | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Events that one statement caused, in order; `statement` is None when it is not certain which."""

    events: tuple[Event, ...]
    statement: Statement | None


@lru_cache(maxsize=16)
def split(message: str) -> tuple[Statement, ...]:
    """The statements of a message, in order, without their semicolons. Empty: it could not be taken apart."""
    try:
        texts = postgast.split(message, method="parser")
    except (postgast.PgQueryError, UnicodeError):
        return ()
    return tuple(Statement(text=text, node=_parsed(text)) for text in map(str.strip, texts))


def _parsed(text: str) -> Node | None:
    if len(text) > MAX_PARSED:
        return None
    try:
        statements = postgast.parse(text).stmts
    except (postgast.PgQueryError, DecodeError, UnicodeError):
        return None
    return statements[0].stmt if len(statements) == 1 else None


def line_up(message: str, events: Sequence[Event]) -> tuple[Lines, ...]:
    """The events of one message, by the statement that caused them."""
    statements = split(message)
    if len(statements) == 1:
        return (Lines(events=tuple(events), statement=statements[0]),)
    return (Lines(events=tuple(events), statement=None),)
