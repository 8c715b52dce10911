"""What cannot be taken back, or hurts while it runs? Facts from the trail and from the statement itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from postgast.nodes import (
    AlterRoleStmt,
    AlterTableCmd,
    AlterTableStmt,
    AstNode,
    Boolean,
    ColumnDef,
    CreateRoleStmt,
    DefElem,
    IndexStmt,
    RangeVar,
    TruncateStmt,
)
from postgast.pg_query_pb2 import AlterTableType

from audit_action.model import Event, EventKind
from audit_action.report.alter_table import is_not_null_without_default
from audit_action.report.narrate import noun, object_of, reasons, taken_along
from audit_action.report.record import Danger, Finding, Name, Sentence

_STORES = {
    "table": (Danger.DROP, "its rows are gone"),
    "table column": (Danger.DROP_COLUMN, "its values are gone"),
    "schema": (Danger.DROP, "everything stored in it is gone"),
    "sequence": (Danger.DROP, "its position is gone"),
}
"""What holds data of its own, by the object types of pg_event_trigger_dropped_objects()."""

_GUARDS = {
    "policy": "the rows it guarded are guarded by the other policies alone",
    "trigger": "what it did on every change is not done any more",
}

_DISABLED = {
    AlterTableType.AT_DisableTrig: "Disabled trigger ",
    AlterTableType.AT_DisableTrigAll: "Disabled all triggers",
    AlterTableType.AT_DisableTrigUser: "Disabled the user triggers",
    AlterTableType.AT_DisableRowSecurity: "Disabled row-level security",
    AlterTableType.AT_NoForceRowSecurity: "Stopped forcing row-level security",
}

_PRIVILEGES = {
    "superuser": "it passes every permission check",
    "bypassrls": "it sees every row, whatever the policies say",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What decides whether a command hurts: a table made by the same run has no other users yet."""

    created: frozenset[str] = frozenset()  # identities of tables that this run created
    rows: Mapping[str, float] = field(default_factory=dict)  # estimated rows by table identity


def findings(events: Sequence[Event], node: AstNode | None, around: Surroundings) -> tuple[Finding, ...]:
    """The dangers of one command; `node` is its statement's tree where that is certain."""
    found = [*_dropped(events), *_rewritten(events, around)]
    match node:
        case AlterTableStmt():
            table = next((each.object_identity for each in events if each.event is EventKind.COMMAND), None)
            if table is not None and table not in around.created:
                for command in node.cmds:
                    assert isinstance(command, AlterTableCmd)
                    found += _altered(command, table)
        case IndexStmt(relation=RangeVar() as relation, concurrent=False):
            found += _indexed(events, relation, around)
    return tuple(found)


def unrecorded(node: AstNode) -> tuple[Finding, ...]:
    """The dangers of a statement for which PostgreSQL raises no event: it is known from the text alone."""
    match node:
        case TruncateStmt():
            tables = [each for each in node.relations if isinstance(each, RangeVar)]
            return tuple(
                Finding(
                    danger=Danger.TRUNCATE,
                    sentence=("Truncated table ", Name(text=_written(each))),
                    why="its rows are gone",
                )
                for each in tables
            )
        case CreateRoleStmt(role=role):
            return tuple(_privileges(role, node.options))
        case AlterRoleStmt(role=role) if role is not None:
            return tuple(_privileges(role.rolename, node.options))
    return ()


def _written(relation: RangeVar) -> str:
    return ".".join(filter(None, (relation.schemaname, relation.relname)))


def _privileges(role: str, options: Sequence[AstNode]) -> Iterator[Finding]:
    for each in options:
        match each:
            case DefElem(defname=name, arg=Boolean(boolval=True)) if name in _PRIVILEGES:
                yield Finding(
                    danger=Danger.PRIVILEGE,
                    sentence=("Gave role ", Name(text=role), f" the attribute {name.upper()}"),
                    why=_PRIVILEGES[name],
                )


def _dropped(events: Sequence[Event]) -> Iterator[Finding]:
    drops = [each for each in events if each.event is EventKind.DROP]
    named = sum(1 for each in drops if each.original)
    extra = taken_along(events)
    for each in drops:
        kind = noun(each)
        said: Sentence = (f"Dropped {kind.removeprefix('table ')} ", *object_of(each))
        if each.original and kind in _GUARDS:
            yield Finding(danger=Danger.DISABLED, sentence=said, why=_GUARDS[kind])
        if kind not in _STORES or not (each.original or kind in {"table", "table column"}):
            continue
        if not each.original:
            said = (*said, " with it")
        elif extra and named == 1:
            said = (*said, f" and {extra} object{'s' if extra > 1 else ''} with it")
        danger, why = _STORES[kind]
        yield Finding(danger=danger, sentence=said, why=why)


def _rewritten(events: Sequence[Event], around: Surroundings) -> Iterator[Finding]:
    for each in events:
        if each.event is EventKind.REWRITE and each.object_identity not in around.created:
            yield Finding(
                danger=Danger.REWRITE,
                sentence=("Rewrote table ", Name(text=each.object_identity or "?"), *reasons(each)),
                why="nobody could read or write it until every row was written again",
            )


def _altered(command: AlterTableCmd, table: str) -> Iterator[Finding]:
    if command.subtype in _DISABLED:
        trigger = (Name(text=command.name),) if command.name else ()
        yield Finding(
            danger=Danger.DISABLED,
            sentence=(_DISABLED[command.subtype], *trigger, " on ", Name(text=table)),
            why="what it enforced is not enforced any more",
        )
    match command:
        case AlterTableCmd(subtype=AlterTableType.AT_SetNotNull, name=column):
            said: Sentence = ("Forbade NULL in column ", Name(text=f"{table}.{column}"))
        case AlterTableCmd(def_=ColumnDef(colname=column) as definition) if is_not_null_without_default(
            definition
        ):
            said = ("Added column ", Name(text=f"{table}.{column}"), " NOT NULL without a default")
        case _:
            return
    yield Finding(danger=Danger.NOT_NULL, sentence=said, why="an INSERT that leaves it out fails from now on")


def _indexed(events: Sequence[Event], relation: RangeVar, around: Surroundings) -> Iterator[Finding]:
    schema = relation.schemaname or next((each.schema_name for each in events if each.schema_name), "")
    table = ".".join(filter(None, (schema, relation.relname)))
    rows = around.rows.get(table, 0)
    if rows > 0 and table not in around.created:
        yield Finding(
            danger=Danger.BLOCKING_INDEX,
            sentence=(
                "Built an index on ",
                Name(text=table),
                f" (about {rows:,.0f} rows) without CONCURRENTLY",
            ),
            why="nobody could write to the table until it was built",
        )
