"""How is JSON of others read? By path; what is missing or of another type is an empty value."""

from __future__ import annotations

from datetime import datetime

from audit_action.model import Json


def at(value: Json, *path: str | int) -> Json:
    """The value below that path, or None. Senders leave out what they like.

    >>> at({"a": [{"b": 1}]}, "a", 0, "b"), at({"a": None}, "a", "b")
    (1, None)
    """
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def text(value: Json, *path: str | int) -> str:
    r"""The text there, or empty text; without what no UTF-8 and no PostgreSQL text can hold.

    >>> text({"name": "a\ud800b\x00"}, "name")
    'a\ufffdb'
    """
    found = at(value, *path)
    if not isinstance(found, str):
        return ""
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")


def number(value: Json, *path: str | int) -> int | None:
    """The whole number there, also where it is written as text (GraphQL's BigInt), or None."""
    found = at(value, *path)
    if isinstance(found, bool):
        return None
    if isinstance(found, str) and found.isascii() and found.isdigit():
        return int(found)
    return found if isinstance(found, int) else None


def flag(value: Json, *path: str | int) -> bool | None:
    """The truth value there, or None."""
    found = at(value, *path)
    return found if isinstance(found, bool) else None


def items(value: Json, *path: str | int) -> tuple[Json, ...]:
    """The list there, without its nulls; empty when there is none."""
    found = at(value, *path)
    return tuple(each for each in found if each is not None) if isinstance(found, list) else ()


def moment(value: Json, *path: str | int) -> datetime | None:
    """The point in time there, or None. GitHub writes them as ISO 8601 with a zone."""
    try:
        found = datetime.fromisoformat(text(value, *path))
    except ValueError:
        return None
    return found if found.tzinfo else None
