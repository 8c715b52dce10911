"""Which statements did a client send in one message? Split by PostgreSQL's own grammar (libpg_query)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import postgast
from google.protobuf.message import DecodeError
from postgast.nodes import (
    AlterSeqStmt,
    AlterTableStmt,
    AstNode,
    CompositeTypeStmt,
    CreateDomainStmt,
    CreateEnumStmt,
    CreateFunctionStmt,
    CreatePolicyStmt,
    CreateSeqStmt,
    CreateStmt,
    CreateTableAsStmt,
    CreateTrigStmt,
    IndexStmt,
    IntoClause,
    ParseResult,
    RangeVar,
    RefreshMatViewStmt,
    String,
    ViewStmt,
    wrap,
)

MAX_PARSED = 16_384
"""Characters of a statement that is parsed into a tree: a tree as deep as longer text allows could exhaust
the C stack (measured: an expression of 16,000 operators is fine, one of 32,000 is not). Splitting is flat."""

Chain = tuple[str, ...]
"""A name as written, in parts: ("public", "users")."""

_IDENTIFIER = r'"(?:[^"]|"")+"|[^\W\d][\w$]*'
_CHAIN = re.compile(rf"(?:{_IDENTIFIER})(?:\s*\.\s*(?:{_IDENTIFIER}))*")
_PART = re.compile(_IDENTIFIER)
_LEADING = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*\*/|\()*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_MODIFIERS = frozenset(
    {"OR", "REPLACE", "TEMP", "TEMPORARY", "GLOBAL", "LOCAL", "UNLOGGED", "UNIQUE", "RECURSIVE", "CONSTRAINT"}
)
_HEAD_WORDS = 14
_BODY = re.compile(r"\$\w*\$")

_RUNS_CODE = frozenset({"SELECT", "WITH", "VALUES", "EXECUTE", "EXPLAIN", "IMPORT"})
"""What may run a function that changes the schema and does not name the inner statement: one in SQL or C,
such as create_hypertable(). PL/pgSQL names it, so DO blocks and what an INSERT triggers need no guess."""

_HARMLESS = frozenset({"setval", "nextval", "currval", "set_config", "pg_notify", "pg_sleep", "now", "count"})
_CALL = re.compile(r"([\w.\"]+)\s*\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a message. `node` is its tree; None where it is longer than MAX_PARSED."""

    text: str
    node: AstNode | None
    head: str  # its first words in upper case, without modifiers: "CREATE TABLE IF NOT EXISTS USERS"
    temporary: bool
    runs_code: bool  # functions may run in it, and so anything may happen

    @property
    def names(self) -> frozenset[Chain]:
        """Every name the statement writes, folded as PostgreSQL folds it; of a function, before its body.

        More than the names of objects: keywords and words inside literals are among them.
        """
        text = self.text
        if self.head.startswith(("CREATE FUNCTION", "CREATE PROCEDURE")):
            body = _BODY.search(text)
            text = text[: body.start()] if body else text
        return frozenset(map(chain, _CHAIN.findall(text)))

    @property
    def own(self) -> Chain:
        """The name of the one object that it creates or alters, as written; empty where that is not plain."""
        match self.node:
            case (
                CreateStmt(relation=RangeVar() as relation)
                | AlterTableStmt(relation=RangeVar() as relation)
                | RefreshMatViewStmt(relation=RangeVar() as relation)
                | ViewStmt(view=RangeVar() as relation)
                | CreateTableAsStmt(into=IntoClause(rel=RangeVar() as relation))
                | CreateSeqStmt(sequence=RangeVar() as relation)
                | AlterSeqStmt(sequence=RangeVar() as relation)
                | CompositeTypeStmt(typevar=RangeVar() as relation)
            ):
                return tuple(filter(None, (relation.schemaname, relation.relname)))
            case (
                CreateFunctionStmt(funcname=names)
                | CreateEnumStmt(type_name=names)
                | CreateDomainStmt(domainname=names)
            ):
                return tuple(each.sval for each in names if isinstance(each, String))
            case IndexStmt(idxname=name) | CreateTrigStmt(trigname=name) | CreatePolicyStmt(policy_name=name):
                return (name,) if name else ()
        return ()


def chain(name: str) -> Chain:
    """A dotted name in parts, folded to lower case where it is not quoted.

    >>> chain('Public."Users"')
    ('public', 'Users')
    """
    parts = _PART.findall(name)
    return tuple(each[1:-1].replace('""', '"') if each[0] == '"' else each.lower() for each in parts)


@lru_cache(maxsize=16)
def split(message: str) -> tuple[Statement, ...]:
    """The statements of a message, in order, without their semicolons. Empty: it could not be taken apart.

    A message that PostgreSQL has run can be taken apart, but for syntax newer than the grammar, and for
    text in which the removal of a secret left no valid SQL.
    """
    try:
        texts = postgast.split(message, method="parser")
    except (postgast.PgQueryError, UnicodeError):
        return ()
    return tuple(_statement(text.strip()) for text in texts)


def parsed(text: str) -> AstNode | None:
    """The tree of one statement; None where it is too long, or not one statement that the grammar knows."""
    if len(text) > MAX_PARSED:
        return None
    try:
        tree = wrap(postgast.parse(text))
    except (postgast.PgQueryError, DecodeError, UnicodeError):
        return None
    assert isinstance(tree, ParseResult)
    return tree.stmts[0].stmt if len(tree.stmts) == 1 else None


def _statement(text: str) -> Statement:
    words = _first_words(text)
    return Statement(
        text=text,
        node=parsed(text),
        head=" ".join(each for each in words if each not in _MODIFIERS),
        temporary=words[:1] == ("CREATE",) and any(each in {"TEMP", "TEMPORARY"} for each in words[1:4]),
        runs_code=words[:1] != () and _runs_code(words[0], text),
    )


def _runs_code(verb: str, text: str) -> bool:
    if verb in {"SELECT", "WITH"}:
        called = (each.lower().rpartition(".")[2] for each in _CALL.findall(text))
        return any(each not in _HARMLESS for each in called)
    return verb in _RUNS_CODE


def _first_words(text: str) -> tuple[str, ...]:
    words: list[str] = []
    at = 0
    while len(words) < _HEAD_WORDS:
        blank = _LEADING.match(text, at)
        at = blank.end() if blank else at
        word = _WORD.match(text, at)
        if not word:
            break
        words.append(word[0].upper())
        at = word.end()
    return tuple(words)
