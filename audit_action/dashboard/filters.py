"""Which part of the history is wanted? Filters, as an address writes them and as queries take them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias
from urllib.parse import urlencode
from uuid import UUID

from audit_action.dashboard.kinds import tags_of
from audit_action.model import Delivery

MAX_TEXT = 200
"""Characters of one field: an address is no place for more."""

MAX_WORDS = 8

Parameters: TypeAlias = dict[str, object]
"""The parameters of a query by their names."""

_WORD = re.compile(r'"([^"]+)"|(\S+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a page ends: the next one begins with what is older. `id` tells those of one moment apart."""

    time: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.time.astimezone(UTC).isoformat()}_{self.id}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """The position that `str` wrote; None where the text is no position."""
        moment, _, key = text.partition("_")
        try:
            found = cls(time=datetime.fromisoformat(moment), id=UUID(key))
        except ValueError:
            return None
        return found if found.time.tzinfo else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is asked for; the field names are those in the address. Empty means: no matter."""

    q: str = ""  # words in the SQL; "quoted words" stand together
    person: str = ""  # login, e-mail address or name, in any role
    object: str = ""  # an identity; without a schema: in every schema
    kind: str = ""  # a command tag, or its verb
    user: str = ""  # database user
    environment: str = ""
    delivery: str = ""
    since: str = ""  # the first day, in UTC
    until: str = ""  # the last day
    database: str = ""  # the name under which the dashboard shows it, or of a warehouse's source
    manual: bool = False
    destructive: bool = False
    before: Position | None = None  # only what is older

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Filter:
        """Read an address leniently: what cannot be understood is as if it had not been given."""
        texts = {
            each.name: query.get(each.name, "").replace("\0", "").strip()[:MAX_TEXT]
            for each in fields(cls)
            if each.name not in ("manual", "destructive", "before")
        }
        for name in ("since", "until"):
            texts[name] = texts[name] if _day(texts[name]) else ""
        if texts["delivery"] not in set(Delivery):
            texts["delivery"] = ""
        return cls(
            **texts,
            manual=bool(query.get("manual")),
            destructive=bool(query.get("destructive")),
            before=Position.parse(query.get("before", "")),
        )

    def address(self, **changes: str | bool | Position | None) -> str:
        """The query string of this filter with `changes` to it; a new filter begins at its first page."""
        values = {**{each.name: getattr(self, each.name) for each in fields(self)}, "before": None, **changes}
        return urlencode(
            {name: "1" if value is True else str(value) for name, value in values.items() if value}
        )

    @property
    def empty(self) -> bool:
        """Whether everything is wanted."""
        return replace(self, before=None) == Filter()

    @property
    def refined(self) -> bool:
        """Whether more is asked for than words."""
        return not replace(self, q="").empty

    @property
    def by_event(self) -> bool:
        """Whether it takes a look at the events to know if a run is wanted."""
        return bool(self.q or self.object or self.kind or self.user or self.delivery or self.destructive)

    @property
    def words(self) -> tuple[str, ...]:
        """What must all stand in one text."""
        return tuple(quoted or word for quoted, word in _WORD.findall(self.q))[:MAX_WORDS]

    def values(self, schemas: tuple[str, ...] = ()) -> Parameters:
        """The parameters of every query that takes a filter; `schemas` are those an object may be in."""
        # The longest is looked for first: it is found in the fewest texts.
        words = sorted((f"%{literal(each)}%" for each in self.words), key=len, reverse=True)
        objects = identities(self.object, schemas)
        last = _day(self.until)
        return {
            "longest": words[0] if words else None,
            "words": words[1:],
            "objects": list(objects) or None,
            "tags": list(tags_of(self.kind)) if self.kind else None,
            "database_user": self.user or None,
            "environment": self.environment or None,
            "delivery": self.delivery or None,
            "person": self.person or None,
            "source": self.database or None,
            "manual": self.manual,
            "destructive": self.destructive,
            "since": _day(self.since),
            "until": last + timedelta(days=1) if last else None,
            "by_event": self.by_event,
            "before_time": self.before.time if self.before else None,
            "before_id": self.before.id if self.before else None,
        }


def identities(name: str, schemas: tuple[str, ...]) -> tuple[str, ...]:
    """What the trail may call an object: as it is given, and below each schema where no schema is given.

    >>> identities("users", ("app", "public"))
    ('users', 'app.users', 'public.users')
    >>> identities("public.users", ("app",))
    ('public.users',)
    """
    if not name:
        return ()
    return (name,) if "." in name else (name, *(f"{schema}.{name}" for schema in schemas))


def literal(text: str) -> str:
    r"""Text as a LIKE pattern finds it: every character means itself.

    >>> print(literal("50%_a"))
    50\%\_a
    """
    return re.sub(r"([\\%_])", r"\\\1", text)


def _day(text: str) -> datetime | None:
    try:
        found = date.fromisoformat(text)
        found + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return datetime.combine(found, time(), UTC)
