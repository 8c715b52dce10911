"""Which events can a statement leave in the trail? By its first words, its names, and what comes along."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from postgast.nodes import GrantStmt, IndexStmt, RangeVar, ViewStmt

from audit_action.model import Event, EventKind
from audit_action.statements import Chain, Statement, chain

_KEPT = 7  # characters of at most four bytes each that are surely among the 28 bytes

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
class Candidate:
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
