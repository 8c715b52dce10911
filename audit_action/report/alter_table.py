"""What did each part of an ALTER TABLE do? A table of PostgreSQL's own sub-commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from postgast.nodes import (
    AlterTableCmd,
    AstNode,
    ColumnDef,
    Constraint,
    PartitionCmd,
    RangeVar,
    String,
    TypeName,
)
from postgast.pg_query_pb2 import AlterTableType, ConstrType

from audit_action.report.record import Name, Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One part: `said` starts in lower case, `joint` leads to the table ("added column x" "to" the table)."""

    said: Sentence
    joint: str


_CONSTRAINTS = {
    ConstrType.CONSTR_PRIMARY: "primary key",
    ConstrType.CONSTR_FOREIGN: "foreign key",
    ConstrType.CONSTR_UNIQUE: "unique constraint",
    ConstrType.CONSTR_CHECK: "check constraint",
    ConstrType.CONSTR_EXCLUSION: "exclusion constraint",
    ConstrType.CONSTR_NOTNULL: "not-null constraint",
}

_NAMED = {
    "AddInherit": ("added a parent", "to"),
    "AddIdentity": ("made an identity of column", "of"),
    "ChangeOwner": ("changed the owner", "of"),
    "ClusterOn": ("chose the clustering index", "of"),
    "CookedColumnDefault": ("set the default of column", "of"),
    "DetachPartition": ("detached partition", "from"),
    "DisableRowSecurity": ("disabled row-level security", "on"),
    "DisableTrig": ("disabled trigger", "on"),
    "DisableTrigAll": ("disabled all triggers", "on"),
    "DisableTrigUser": ("disabled the user triggers", "on"),
    "DropColumn": ("dropped column", "from"),
    "DropConstraint": ("dropped constraint", "from"),
    "DropExpression": ("stopped generating column", "of"),
    "DropIdentity": ("dropped the identity of column", "of"),
    "DropInherit": ("removed a parent", "from"),
    "DropNotNull": ("allowed NULL in column", "of"),
    "EnableAlwaysTrig": ("always enabled trigger", "on"),
    "EnableReplicaTrig": ("enabled on replicas trigger", "on"),
    "EnableRowSecurity": ("enabled row-level security", "on"),
    "EnableTrig": ("enabled trigger", "on"),
    "EnableTrigAll": ("enabled all triggers", "on"),
    "EnableTrigUser": ("enabled the user triggers", "on"),
    "ForceRowSecurity": ("forced row-level security", "on"),
    "NoForceRowSecurity": ("stopped forcing row-level security", "on"),
    "ReplicaIdentity": ("set the replica identity", "of"),
    "ResetOptions": ("reset options of column", "of"),
    "ResetRelOptions": ("reset storage parameters", "of"),
    "SetCompression": ("set the compression of column", "of"),
    "SetExpression": ("changed the expression of column", "of"),
    "SetIdentity": ("changed the identity of column", "of"),
    "SetLogged": ("set logged", "the table"),
    "SetNotNull": ("forbade NULL in column", "of"),
    "SetOptions": ("set options of column", "of"),
    "SetRelOptions": ("set storage parameters", "of"),
    "SetStatistics": ("set the statistics target of column", "of"),
    "SetStorage": ("set the storage of column", "of"),
    "SetTableSpace": ("moved to another tablespace", "the table"),
    "SetUnLogged": ("set unlogged", "the table"),
    "ValidateConstraint": ("validated constraint", "of"),
}
"""PostgreSQL's AT_ sub-commands (src/include/nodes/parsenodes.h) that need no more than their own name."""


_WRITTEN = {
    "bool": "boolean",
    "bpchar": "char",
    "float4": "real",
    "float8": "double precision",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
}
"""The grammar's names of types (src/backend/parser/gram.y, SystemTypeName) as SQL has them."""


def actions(commands: Iterable[AstNode]) -> tuple[Action, ...]:
    """The parts of one ALTER TABLE, in order."""
    return tuple(_action(each) for each in commands if isinstance(each, AlterTableCmd))


def is_not_null_without_default(column: ColumnDef) -> bool:
    """Whether an INSERT that leaves the column out must fail."""
    kinds = {each.contype for each in column.constraints if isinstance(each, Constraint)}
    filled = {ConstrType.CONSTR_DEFAULT, ConstrType.CONSTR_IDENTITY, ConstrType.CONSTR_GENERATED}
    required = bool(kinds & {ConstrType.CONSTR_NOTNULL, ConstrType.CONSTR_PRIMARY})
    return required and not kinds & filled and not type_name(column.type_name).endswith("serial")


def type_name(of: TypeName | None) -> str:
    """A type as a person writes it."""
    if of is None:
        return "?"
    names = [each.sval for each in of.names if isinstance(each, String)]
    shown = ".".join(names[1:] if names[:1] == ["pg_catalog"] else names)
    return _WRITTEN.get(shown, shown) + "[]" * len(of.array_bounds)


def _action(command: AlterTableCmd) -> Action:
    kind = AlterTableType.Name(command.subtype).removeprefix("AT_")
    match kind, command.def_:
        case "AddColumn", ColumnDef() as column:
            return Action(said=("added column ", Name(text=column.colname)), joint="to")
        case "AddConstraint", Constraint() as constraint:
            return Action(said=tuple(_added(constraint)), joint="to")
        case "AlterColumnType", ColumnDef() as column:
            to = Name(text=type_name(column.type_name))
            return Action(
                said=("changed the type of column ", Name(text=command.name), " to ", to), joint="in"
            )
        case "ColumnDefault", default:
            verb = "set" if default else "removed"
            return Action(said=(f"{verb} the default of column ", Name(text=command.name)), joint="of")
        case "AttachPartition" | "DetachPartition", PartitionCmd(name=RangeVar(relname=partition)):
            verb, joint = ("attached", "to") if kind.startswith("A") else ("detached", "from")
            return Action(said=(f"{verb} partition ", Name(text=partition)), joint=joint)
    words, joint = _NAMED.get(kind, (f"changed ({_spaced(kind)})", "on"))
    return Action(said=(f"{words} ", Name(text=command.name)) if command.name else (words,), joint=joint)


def _added(constraint: Constraint) -> Iterator[str | Name]:
    yield f"added {_CONSTRAINTS.get(constraint.contype, 'constraint')}"
    if constraint.conname:
        yield " "
        yield Name(text=constraint.conname)
    if constraint.skip_validation:
        yield " (not validated yet)"


def _spaced(kind: str) -> str:
    return "".join(f" {each.lower()}" if each.isupper() else each for each in kind).strip()
