"""How is a record written as JSON? Under its own field names, without what is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import TypeAlias
from uuid import UUID

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


def writable(text: str) -> str:
    """The text as PostgreSQL's text and jsonb can hold it: NUL and lone surrogates become U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def as_json(value: object) -> Json:
    """The record as JSON, under its own field names; empty and unknown fields are left out.

    >>> from audit_action.model.people import Person
    >>> as_json(Person(name="Ada Lovelace", login="ada", id=7))
    {'name': 'Ada Lovelace', 'login': 'ada', 'id': 7, 'kind': 'user'}
    """
    match value:
        case Enum():
            return str(value.value)
        case str():
            return writable(value)
        case None | bool() | int() | float():
            return value
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case Mapping():
            return {str(key): as_json(item) for key, item in value.items()}
        case tuple() | list():
            return [as_json(item) for item in value]
    if is_dataclass(value):
        pairs = ((each.name, getattr(value, each.name)) for each in fields(value))
        return {name: as_json(item) for name, item in pairs if item not in (None, "", ())}
    raise TypeError(f"{type(value).__name__} has no JSON form")
