"""What would a person say that a command did? One sentence from its events and its statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from postgast.pg_query_pb2 import (
    AlterTableCmd,
    AlterTableType,
    ColumnDef,
    Constraint,
    ConstrType,
    Node,
    TypeName,
)

from audit_action.model import Event, EventKind
from audit_action.report.record import Name, Sentence

REWRITE_REASONS = {1: "persistence change", 2: "new default", 4: "type change", 8: "access method change"}
"""Bits of pg_event_trigger_table_rewrite_reason() (src/include/commands/event_trigger.h)."""

_PAST = {
    "CREATE": "Created",
    "ALTER": "Altered",
    "DROP": "Dropped",
    "COMMENT": "Commented on",
    "REFRESH": "Refreshed",
    "REINDEX": "Rebuilt",
    "IMPORT": "Imported",
    "SECURITY": "Labelled",
}


def tell(events: Sequence[Event], node: Node | None) -> Sentence:
    """The sentence for one command.

    `events` are the rows of the command, the one that names its object first; `node` is the parsed
    statement when it is certain that it caused them, else None: then the sentence says less, never more
    than the trail knows.
    """
    main = events[0]
    if node is not None:
        kind = node.WhichOneof("node") or ""
        if kind == "alter_table_stmt":
            actions = [_action(each.alter_table_cmd) for each in node.alter_table_stmt.cmds]
            return _altered(main, actions) + _rewritten(events)
        if kind == "rename_stmt":
            return _renamed(main, node)
        if kind in {"grant_stmt", "grant_role_stmt"}:
            return _granted(node)
    if main.event is EventKind.REWRITE:
        return ("Rewrote ", _object(main), *_because(main))
    if main.event is EventKind.DROP:
        return _dropped(events, node)
    return _by_tag(main) + _rewritten(events)


def _object(event: Event) -> Name:
    return Name(text=event.object_identity or event.schema_name or "?")


def _noun(event: Event) -> str:
    return (event.object_type or "object").lower()


def _by_tag(event: Event) -> Sentence:
    verb, _, rest = event.command_tag.partition(" ")
    if verb in {"GRANT", "REVOKE"}:
        return (f"{'Granted' if verb == 'GRANT' else 'Revoked'} rights on ", *_kind_and_name(event))
    if event.command_tag == "ALTER DEFAULT PRIVILEGES":
        return ("Altered default privileges",)
    past = _PAST.get(verb)
    if past is None:
        return (f"{event.command_tag}: ", *_kind_and_name(event))
    if event.previous_identity and event.previous_identity != event.object_identity:
        return (f"Renamed {_noun(event)} ", Name(text=event.previous_identity), " to ", _object(event))
    del rest
    return (f"{past} ", *_kind_and_name(event))


def _kind_and_name(event: Event) -> Sentence:
    if event.object_identity is None:
        return (f"a {_noun(event)}" if event.object_type else "objects the trail cannot name",)
    return (f"{_noun(event)} ", _object(event))


def _rewritten(events: Sequence[Event]) -> Sentence:
    rewrites = [each for each in events if each.event is EventKind.REWRITE]
    return (", rewriting the table", *_because(rewrites[0])) if rewrites else ()


def _because(event: Event) -> Sentence:
    bits = event.rewrite_reason or 0
    reasons = [text for bit, text in REWRITE_REASONS.items() if bits & bit]
    return (f" ({', '.join(reasons)})",) if reasons else ()


def _dropped(events: Sequence[Event], node: Node | None) -> Sentence:
    named = [each for each in events if each.event is EventKind.DROP and each.original]
    named = named or [events[0]]
    said: list[str | Name] = [f"Dropped {_noun(named[0])} "]
    for index, each in enumerate(named[:5]):
        said += [", "] if index else []
        said.append(_object(each))
    if len(named) > 5:
        said.append(f" and {len(named) - 5} more")
    cascade = node is not None and node.WhichOneof("node") == "drop_stmt" and node.drop_stmt.behavior == 2
    along = taken_along(events)
    if along:
        said.append(
            f" and {along} object{'s' if along > 1 else ''} with it" + (" (cascade)" if cascade else "")
        )
    return tuple(said)


_OWN_PARTS = frozenset({"type", "table constraint", "default value", "toast table", "trigger", "rule"})


def taken_along(events: Sequence[Event]) -> int:
    """How many objects went although the statement did not name them, beyond a table's own parts.

    A table's row type, defaults and toast are the table itself to a reader; its constraints and triggers
    count when they belonged to another table (a foreign key dropped by cascade).
    """
    named = {each.object_identity for each in events if each.event is EventKind.DROP and each.original}
    return sum(1 for each in events if _is_taken_along(each, named))


def _is_taken_along(event: Event, named: set[str | None]) -> bool:
    if event.event is not EventKind.DROP or event.original:
        return False
    kind, identity = _noun(event), event.object_identity or ""
    if kind in {"type", "toast table", "default value"} and (
        kind != "type" or any(identity in {name, f"{name}[]"} for name in named if name)
    ):
        return False
    own = any(identity.endswith((f" on {name}", f"{name}[]")) or identity == name for name in named if name)
    return not (own and kind in _OWN_PARTS)


def _renamed(event: Event, node: Node) -> Sentence:
    statement = node.rename_stmt
    old, new = statement.subname, statement.newname
    noun = _noun(event)
    if noun in {"table column", "composite type column", "view column"} or " column" in noun:
        table = (event.object_identity or "").rpartition(".")[0]
        return ("Renamed column ", Name(text=old), " to ", Name(text=new), " in ", Name(text=table))
    if event.previous_identity:
        return (f"Renamed {noun} ", Name(text=event.previous_identity), " to ", _object(event))
    if old:
        return (f"Renamed {noun} ", Name(text=old), " to ", Name(text=new))
    return (f"Renamed {noun} ", _object(event), f" (its name is {new} now)")


def _granted(node: Node) -> Sentence:
    statement = node.grant_stmt
    rights = ", ".join(each.access_priv.priv_name.upper() for each in statement.privileges) or "all rights"
    objects = [_target(each) for each in statement.objects]
    people = [each.role_spec.rolename or "everybody" for each in statement.grantees]
    said: list[str | Name] = ["Granted " if statement.is_grant else "Revoked ", f"{rights} on "]
    said += _listed(objects) if all(objects) and objects else ["several objects"]
    return (*said, " to " if statement.is_grant else " from ", *_listed(people))


def _target(node: Node) -> str:
    kind = node.WhichOneof("node")
    if kind == "range_var":
        return ".".join(filter(None, (node.range_var.schemaname, node.range_var.relname)))
    if kind == "string":
        return str(node.string.sval)
    if kind == "object_with_args":
        return ".".join(str(each.string.sval) for each in node.object_with_args.objname)
    return ""


def _listed(names: Sequence[str]) -> list[str | Name]:
    said: list[str | Name] = []
    for index, each in enumerate(names[:5]):
        said += [", "] if index else []
        said.append(Name(text=each))
    return [*said, f" and {len(names) - 5} more"] if len(names) > 5 else said


# --- ALTER TABLE --------------------------------------------------------------------------------


def _altered(event: Event, actions: Sequence[tuple[Sentence, str]]) -> Sentence:
    """`actions` are sentences and the word that joins them to the table ("to", "from", "of")."""
    if len(actions) == 1:
        said, joint = actions[0]
        return (*_capitalised(said), f" {joint} ", _object(event))
    said_all: list[str | Name] = [f"Altered {_noun(event)} ", _object(event), ": "]
    for index, (said, _) in enumerate(actions[:6]):
        said_all += [", "] if index else []
        said_all += said
    if len(actions) > 6:
        said_all.append(f" and {len(actions) - 6} more changes")
    return tuple(said_all)


def _capitalised(sentence: Sentence) -> Sentence:
    first = sentence[0]
    return (first[:1].upper() + first[1:], *sentence[1:]) if isinstance(first, str) else sentence


def type_name(of: TypeName) -> str:
    """A type as PostgreSQL's grammar wrote it down: `int4` for integer, arrays with brackets."""
    names = [each.string.sval for each in of.names]
    shown = ".".join(names[1:] if names[:1] == ["pg_catalog"] else names)
    return shown + "[]" * len(of.array_bounds)


def _action(command: AlterTableCmd) -> tuple[Sentence, str]:
    tell_it = _ACTIONS.get(command.subtype)
    if tell_it is not None:
        return tell_it(command)
    words = AlterTableType.Name(command.subtype).removeprefix("AT_")
    spaced = "".join(f" {each.lower()}" if each.isupper() else each for each in words).strip()
    return (
        ((f"changed ({spaced})",), "on")
        if not command.name
        else (
            (f"changed ({spaced}) ", Name(text=command.name)),
            "on",
        )
    )


def _add_column(command: AlterTableCmd) -> tuple[Sentence, str]:
    column: ColumnDef = command.__getattribute__("def").column_def
    return (("added column ", Name(text=column.colname)), "to")


def _add_constraint(command: AlterTableCmd) -> tuple[Sentence, str]:
    constraint: Constraint = command.__getattribute__("def").constraint
    noun = {
        ConstrType.CONSTR_PRIMARY: "primary key",
        ConstrType.CONSTR_FOREIGN: "foreign key",
        ConstrType.CONSTR_UNIQUE: "unique constraint",
        ConstrType.CONSTR_CHECK: "check constraint",
        ConstrType.CONSTR_EXCLUSION: "exclusion constraint",
    }.get(constraint.contype, "constraint")
    later = " (not validated yet)" if constraint.skip_validation else ""
    name: Sentence = (" ", Name(text=constraint.conname)) if constraint.conname else ()
    return ((f"added {noun}", *name, *((later,) if later else ())), "to")


def _type_change(command: AlterTableCmd) -> tuple[Sentence, str]:
    column: ColumnDef = command.__getattribute__("def").column_def
    return (
        ("changed column ", Name(text=command.name), " to type ", Name(text=type_name(column.type_name))),
        "of",
    )


def _default(command: AlterTableCmd) -> tuple[Sentence, str]:
    verb = "set" if command.HasField("def") else "removed"
    return ((f"{verb} the default of column ", Name(text=command.name)), "of")


def _said(words: str, joint: str) -> Callable[[AlterTableCmd], tuple[Sentence, str]]:
    def tell_it(command: AlterTableCmd) -> tuple[Sentence, str]:
        return ((f"{words} ", Name(text=command.name)) if command.name else (words,), joint)

    return tell_it


_ACTIONS: dict[AlterTableType, Callable[[AlterTableCmd], tuple[Sentence, str]]] = {
    AlterTableType.AT_AddColumn: _add_column,
    AlterTableType.AT_DropColumn: _said("dropped column", "from"),
    AlterTableType.AT_AlterColumnType: _type_change,
    AlterTableType.AT_ColumnDefault: _default,
    AlterTableType.AT_SetNotNull: _said("forbade NULL in column", "of"),
    AlterTableType.AT_DropNotNull: _said("allowed NULL in column", "of"),
    AlterTableType.AT_AddConstraint: _add_constraint,
    AlterTableType.AT_DropConstraint: _said("dropped constraint", "from"),
    AlterTableType.AT_ValidateConstraint: _said("validated constraint", "of"),
    AlterTableType.AT_DropExpression: _said("stopped generating column", "of"),
    AlterTableType.AT_AddIdentity: _said("made an identity of column", "of"),
    AlterTableType.AT_DropIdentity: _said("dropped the identity of column", "of"),
    AlterTableType.AT_SetStatistics: _said("set the statistics target of column", "of"),
    AlterTableType.AT_SetStorage: _said("set the storage of column", "of"),
    AlterTableType.AT_SetRelOptions: _said("set storage parameters", "of"),
    AlterTableType.AT_ResetRelOptions: _said("reset storage parameters", "of"),
    AlterTableType.AT_SetTableSpace: _said("moved to tablespace", "the table"),
    AlterTableType.AT_SetLogged: _said("set logged", "the table"),
    AlterTableType.AT_SetUnLogged: _said("set unlogged", "the table"),
    AlterTableType.AT_EnableTrig: _said("enabled trigger", "on"),
    AlterTableType.AT_EnableAlwaysTrig: _said("enabled always trigger", "on"),
    AlterTableType.AT_EnableReplicaTrig: _said("enabled for replicas trigger", "on"),
    AlterTableType.AT_DisableTrig: _said("disabled trigger", "on"),
    AlterTableType.AT_EnableTrigAll: _said("enabled all triggers", "on"),
    AlterTableType.AT_DisableTrigAll: _said("disabled all triggers", "on"),
    AlterTableType.AT_EnableTrigUser: _said("enabled the user triggers", "on"),
    AlterTableType.AT_DisableTrigUser: _said("disabled the user triggers", "on"),
    AlterTableType.AT_EnableRowSecurity: _said("enabled row-level security", "on"),
    AlterTableType.AT_DisableRowSecurity: _said("disabled row-level security", "on"),
    AlterTableType.AT_ForceRowSecurity: _said("forced row-level security", "on"),
    AlterTableType.AT_NoForceRowSecurity: _said("stopped forcing row-level security", "on"),
    AlterTableType.AT_AttachPartition: _said("attached a partition", "to"),
    AlterTableType.AT_DetachPartition: _said("detached a partition", "from"),
    AlterTableType.AT_AddInherit: _said("added a parent", "to"),
    AlterTableType.AT_DropInherit: _said("removed a parent", "from"),
    AlterTableType.AT_ReplicaIdentity: _said("set the replica identity", "of"),
    AlterTableType.AT_ChangeOwner: _said("changed the owner", "of"),
}
