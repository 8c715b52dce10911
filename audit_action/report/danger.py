"""What cannot be taken back, or hurts while it runs? Facts from the trail and from the statement itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from postgast.pg_query_pb2 import AlterTableCmd, AlterTableType, ConstrType, Node

from audit_action.model import Event, EventKind
from audit_action.report.narrate import REWRITE_REASONS, taken_along
from audit_action.report.record import Danger, Finding, Name, Sentence

_STORES = {
    "table": (Danger.DROP, "its rows are gone"),
    "table column": (Danger.DROP_COLUMN, "its values are gone"),
    "schema": (Danger.DROP, "and everything stored in it is gone"),
    "sequence": (Danger.DROP, "its position is gone"),
    "large object": (Danger.DROP, "its content is gone"),
}
"""What holds data of its own, by the object types of pg_event_trigger_dropped_objects()."""

_GUARDS = {
    "policy": "rows it protected are no longer protected",
    "trigger": "what it enforced is no longer enforced",
}

_DISABLED = {
    AlterTableType.AT_DisableTrig: "Disabled trigger",
    AlterTableType.AT_DisableTrigAll: "Disabled all triggers",
    AlterTableType.AT_DisableTrigUser: "Disabled the user triggers",
    AlterTableType.AT_DisableRowSecurity: "Disabled row-level security",
    AlterTableType.AT_NoForceRowSecurity: "Stopped forcing row-level security",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What decides whether a command hurts: tables made by the same run hold nothing that others wait for."""

    created: frozenset[str] = frozenset()  # identities of tables that this run created
    rows: Mapping[str, float] = field(default_factory=dict)  # estimated rows by table identity


def findings(events: Sequence[Event], node: Node | None, around: Surroundings) -> tuple[Finding, ...]:
    """The dangers of one command; `node` is its statement where that is certain."""
    found = [*_dropped(events), *_rewritten(events, around)]
    if node is not None:
        kind = node.WhichOneof("node")
        if kind == "alter_table_stmt" and events and events[-1].object_identity not in around.created:
            table = next((each.object_identity for each in events if each.event is EventKind.COMMAND), None)
            for each in node.alter_table_stmt.cmds:
                found += _altered(each.alter_table_cmd, table or node.alter_table_stmt.relation.relname)
        elif kind == "index_stmt":
            found += _indexed(events, node, around)
        elif kind in {"truncate_stmt", "create_role_stmt", "alter_role_stmt"}:
            found += unrecorded(node)
    return tuple(found)


def unrecorded(node: Node) -> tuple[Finding, ...]:
    """The dangers of a statement for which PostgreSQL raises no event: it is known from the text alone."""
    match node.WhichOneof("node"):
        case "truncate_stmt":
            tables = [_dotted(each) for each in node.truncate_stmt.relations]
            return tuple(
                Finding(
                    danger=Danger.TRUNCATE,
                    sentence=("Truncated table ", Name(text=table)),
                    why="its rows are gone",
                )
                for table in tables
            )
        case "create_role_stmt":
            return tuple(_privileges(node.create_role_stmt.role, node.create_role_stmt.options))
        case "alter_role_stmt":
            return tuple(_privileges(node.alter_role_stmt.role.rolename, node.alter_role_stmt.options))
    return ()


def _dotted(node: Node) -> str:
    return ".".join(filter(None, (node.range_var.schemaname, node.range_var.relname)))


def _privileges(role: str, options: Sequence[Node]) -> Iterator[Finding]:
    words = {
        "superuser": "passes every permission check",
        "bypassrls": "sees every row, whatever policies say",
    }
    for each in options:
        name = each.def_elem.defname
        if name in words and each.def_elem.arg.boolean.boolval:
            yield Finding(
                danger=Danger.PRIVILEGE,
                sentence=("Gave role ", Name(text=role), f" {name.upper()}"),
                why=f"it {words[name]}",
            )


def _dropped(events: Sequence[Event]) -> Iterator[Finding]:
    drops = [each for each in events if each.event is EventKind.DROP]
    named = {each.object_identity for each in drops if each.original}
    extra = taken_along(events)
    for each in drops:
        kind = (each.object_type or "").lower()
        name = Name(text=each.object_identity or "?")
        if each.original and kind in _GUARDS:
            yield Finding(danger=Danger.DISABLED, sentence=(f"Dropped {kind} ", name), why=_GUARDS[kind])
        if kind not in _STORES or not (each.original or kind in {"table", "table column"}):
            continue
        danger, why = _STORES[kind]
        said: Sentence = (f"Dropped {kind.removeprefix('table ')} ", name)
        if not each.original:
            said = (*said, " with it" if named else "")
        elif extra and len(named) == 1:
            said = (*said, f" and {extra} object{'s' if extra > 1 else ''} with it")
        yield Finding(danger=danger, sentence=said, why=why)


def _rewritten(events: Sequence[Event], around: Surroundings) -> Iterator[Finding]:
    for each in events:
        if each.event is not EventKind.REWRITE or each.object_identity in around.created:
            continue
        bits = each.rewrite_reason or 0
        reasons = ", ".join(text for bit, text in REWRITE_REASONS.items() if bits & bit) or "reason unknown"
        yield Finding(
            danger=Danger.REWRITE,
            sentence=("Rewrote table ", Name(text=each.object_identity or "?"), f" ({reasons})"),
            why="it was locked against reads and writes while every row was written again",
        )


def _altered(command: AlterTableCmd, table: str) -> Iterator[Finding]:
    if command.subtype in _DISABLED:
        name: Sentence = (" ", Name(text=command.name)) if command.name else ()
        yield Finding(
            danger=Danger.DISABLED,
            sentence=(_DISABLED[command.subtype], *name, " on ", Name(text=table)),
            why="what it enforced is no longer enforced",
        )
    if command.subtype == AlterTableType.AT_SetNotNull:
        yield Finding(
            danger=Danger.NOT_NULL,
            sentence=("Forbade NULL in column ", Name(text=f"{table}.{command.name}")),
            why="inserts that leave it out fail from now on",
        )
    if command.subtype == AlterTableType.AT_AddColumn:
        column = getattr(command, "def").column_def
        kinds = {each.constraint.contype for each in column.constraints}
        filled = {ConstrType.CONSTR_DEFAULT, ConstrType.CONSTR_IDENTITY, ConstrType.CONSTR_GENERATED}
        serial = column.type_name.names and column.type_name.names[-1].string.sval.endswith("serial")
        if ConstrType.CONSTR_NOTNULL in kinds and not kinds & filled and not serial:
            yield Finding(
                danger=Danger.NOT_NULL,
                sentence=(
                    "Added column ",
                    Name(text=f"{table}.{column.colname}"),
                    " NOT NULL without a default",
                ),
                why="inserts that leave it out fail from now on",
            )


def _indexed(events: Sequence[Event], node: Node, around: Surroundings) -> Iterator[Finding]:
    statement = node.index_stmt
    if statement.concurrent:
        return
    schema = statement.relation.schemaname or next((each.schema_name for each in events), None) or ""
    table = f"{schema}.{statement.relation.relname}" if schema else statement.relation.relname
    rows = around.rows.get(table, 0)
    if rows > 0 and table not in around.created:
        yield Finding(
            danger=Danger.BLOCKING_INDEX,
            sentence=(
                "Built an index on ",
                Name(text=table),
                f" (about {rows:,.0f} rows) without CONCURRENTLY",
            ),
            why="writes to the table waited until it was built",
        )
