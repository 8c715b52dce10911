"""What would a person say that a command did? One sentence from its events and its statement."""

from __future__ import annotations

import re
from collections.abc import Sequence

from postgast.nodes import (
    AccessPriv,
    AlterTableStmt,
    AstNode,
    GrantStmt,
    ObjectWithArgs,
    RangeVar,
    RenameStmt,
    RoleSpec,
    String,
)

from audit_action.model import Event, EventKind
from audit_action.report.alter_table import Action, actions
from audit_action.report.record import Name, Sentence

REWRITE_REASONS = {1: "persistence change", 2: "new default", 4: "type change", 8: "access method change"}
"""Bits of pg_event_trigger_table_rewrite_reason() (src/include/commands/event_trigger.h)."""

MAX_LISTED = 5
"""Names or actions in one sentence; the rest is counted."""

_PART = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_ON_TABLE = re.compile(rf"({_PART}) on ({_PART}(?:\.{_PART})*)")

_PAST = {
    "CREATE": "Created",
    "ALTER": "Altered",
    "COMMENT": "Commented on",
    "REFRESH": "Refreshed",
    "REINDEX": "Rebuilt",
    "SECURITY": "Labelled",
    "SELECT": "Created",  # SELECT INTO
}


def tell(events: Sequence[Event], node: AstNode | None) -> Sentence:
    """The sentence for one command.

    `events` are the rows of the command, the one that names its object first; `node` is the tree of its
    statement where that is certain, else None: then the sentence says less, never more than is known.
    """
    main = events[0]
    match node:
        case AlterTableStmt(cmds=commands) if commands and main.event is EventKind.COMMAND:
            return _altered(main, actions(commands)) + _rewritten(events)
        case RenameStmt() if main.event is EventKind.COMMAND:
            return _renamed(main, node)
        case GrantStmt():
            return _granted(node)
    match main.event:
        case EventKind.REWRITE:
            return ("Rewrote ", *object_of(main), *reasons(main))
        case EventKind.DROP:
            return _dropped(events)
    return _by_tag(main) + _rewritten(events)


def reasons(event: Event) -> Sentence:
    """Why a table was rewritten, in brackets; nothing where PostgreSQL did not say."""
    bits = event.rewrite_reason or 0
    known = [text for bit, text in REWRITE_REASONS.items() if bits & bit]
    return (f" ({', '.join(known)})",) if known else ()


def noun(event: Event) -> str:
    """PostgreSQL's word for the kind of object, in lower case."""
    return (event.object_type or "object").lower()


def name_of(identity: str) -> Sentence:
    """An identity of pg_identify_object(); of a trigger or policy, its name and its table apart."""
    of_table = _ON_TABLE.fullmatch(identity)
    if of_table:
        return (Name(text=of_table[1]), " on ", Name(text=of_table[2]))
    return (Name(text=identity),)


def object_of(event: Event) -> Sentence:
    """The name of what the event is about."""
    return name_of(event.object_identity or event.schema_name or "?")


def _listed(names: Sequence[str]) -> Sentence:
    said: list[str | Name] = []
    for index, each in enumerate(names[:MAX_LISTED]):
        said += [", "] if index else []
        said += name_of(each)
    return (*said, f" and {len(names) - MAX_LISTED} more") if len(names) > MAX_LISTED else tuple(said)


def _by_tag(event: Event) -> Sentence:
    verb = event.command_tag.partition(" ")[0]
    if event.command_tag == "ALTER DEFAULT PRIVILEGES":
        return (f"Changed the default privileges on {noun(event)}",)
    if verb in {"GRANT", "REVOKE"}:
        return (f"{'Granted' if verb == 'GRANT' else 'Revoked'} rights on ", *_kind_and_name(event))
    if event.previous_identity and event.previous_identity != event.object_identity:
        return (f"Renamed {noun(event)} ", Name(text=event.previous_identity), " to ", *object_of(event))
    past = _PAST.get(verb)
    return (f"{past} " if past else f"{event.command_tag}: ", *_kind_and_name(event))


def _kind_and_name(event: Event) -> Sentence:
    if event.object_identity is None:
        return (f"a {noun(event)}" if event.object_type else "objects that the trail cannot name",)
    if event.object_type == "table column":
        table, _, column = event.object_identity.rpartition(".")
        return ("column ", Name(text=column), " of ", Name(text=table))
    return (f"{noun(event)} ", *object_of(event))


def _rewritten(events: Sequence[Event]) -> Sentence:
    rewrites = [each for each in events if each.event is EventKind.REWRITE]
    return (", rewriting the table", *reasons(rewrites[0])) if rewrites else ()


# --- DROP ---------------------------------------------------------------------------------------

_ALWAYS_OWN = frozenset({"index", "type", "default value", "toast table", "publication relation"})
_OWN_ON_TABLE = frozenset({"table constraint", "trigger", "rule", "policy", "statistics object"})


def taken_along(events: Sequence[Event]) -> int:
    """How many objects went that the statement did not name, beyond the parts of what it named.

    The indexes, constraints, triggers, rules and policies of a dropped table are the table to a reader, and
    so is a serial's sequence; a view, another table's foreign key or column are not.
    """
    drops = [each for each in events if each.event is EventKind.DROP]
    gone = {
        each.object_identity for each in drops if each.object_type in {"table", "view", "materialized view"}
    }
    named = {each.object_identity for each in drops if each.original}
    return sum(1 for each in drops if not each.original and not _is_own_part(each, gone | named))


def _is_own_part(event: Event, owners: set[str | None]) -> bool:
    kind, identity = noun(event), event.object_identity or ""
    if kind in _ALWAYS_OWN or '"RI_ConstraintTrigger_' in identity:
        return True
    if kind in _OWN_ON_TABLE:
        return identity.partition(" on ")[2] in owners or kind == "statistics object"
    if kind == "sequence":
        return any(identity.startswith(f"{owner}_") for owner in owners if owner) or any(
            identity.startswith(f"{owner.rpartition('.')[0]}_") for owner in owners if owner
        )
    return False


def _dropped(events: Sequence[Event]) -> Sentence:
    drops = [each for each in events if each.event is EventKind.DROP]
    named = [each for each in drops if each.original] or drops[:1]
    along = taken_along(events)
    return (
        f"Dropped {noun(named[0]).removeprefix('table ')}{'s' if len(named) > 1 else ''} ",
        *_listed([each.object_identity or "?" for each in named]),
        *((f" and {along} object{'s' if along > 1 else ''} with it",) if along else ()),
    )


# --- ALTER, RENAME, GRANT -----------------------------------------------------------------------


def _altered(event: Event, changes: Sequence[Action]) -> Sentence:
    if len(changes) == 1:
        first, *rest = changes[0].said
        assert isinstance(first, str)
        return (first[0].upper() + first[1:], *rest, f" {changes[0].joint} ", *object_of(event))
    said: list[str | Name] = [f"Altered {noun(event)} ", *object_of(event), ": "]
    for index, each in enumerate(changes[:MAX_LISTED]):
        said += [", "] if index else []
        said += each.said
    return (*said, f" and {len(changes) - MAX_LISTED} more") if len(changes) > MAX_LISTED else tuple(said)


def _renamed(event: Event, statement: RenameStmt) -> Sentence:
    kind = noun(event)
    if kind.endswith(" column"):
        table = (event.object_identity or "").rpartition(".")[0]
        old, new = Name(text=statement.subname), Name(text=statement.newname)
        return ("Renamed column ", old, " to ", new, " in ", Name(text=table))
    old_name = event.previous_identity or statement.subname or _name(statement.relation or statement.object)
    return (f"Renamed {kind} ", *((Name(text=old_name), " to ") if old_name else ()), *object_of(event))


def _granted(statement: GrantStmt) -> Sentence:
    rights = [each.priv_name.upper() for each in statement.privileges if isinstance(each, AccessPriv)]
    people = [each.rolename or "everybody" for each in statement.grantees if isinstance(each, RoleSpec)]
    objects = [name for each in statement.objects if (name := _name(each))]
    return (
        f"{'Granted' if statement.is_grant else 'Revoked'} {', '.join(rights) or 'all rights'} on ",
        *(_listed(objects) or ("several objects",)),
        " to " if statement.is_grant else " from ",
        *_listed(people),
    )


def _name(node: AstNode | None) -> str:
    """The name as the statement writes it; empty where it is not a name."""
    match node:
        case RangeVar():
            return ".".join(filter(None, (node.schemaname, node.relname)))
        case ObjectWithArgs():
            return ".".join(each.sval for each in node.objname if isinstance(each, String))
        case String():
            return node.sval
    return ""
