"""Where does each page stand in a folder of files? Relative names, and what is linked to is remembered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias
from uuid import UUID

from audit_action.dashboard.filters import Filter

Wanted: TypeAlias = tuple[Literal["runs", "transactions"], UUID]


@dataclass(slots=True)
class SiteLinks:
    """The files of a static site, seen from a page in a folder `up` steps below its root."""

    up: str = ""
    live: bool = False
    seen: set[Wanted] = field(default_factory=set)
    waiting: list[Wanted] = field(default_factory=list)  # linked to, and not written yet
    objects: set[str] = field(default_factory=set)  # linked to
    people: set[str] = field(default_factory=set)  # linked to
    known_objects: frozenset[str] | None = None  # once they are settled: no other has a page

    def seen_from(self, page: str) -> SiteLinks:
        """The same site, seen from another page."""
        return replace(self, up="../" * page.count("/"))

    def timeline(self, wanted: Filter) -> str:
        """The newest page: a static site has no filters."""
        return f"{self.up}index.html"

    def manual(self) -> str:
        """The changes outside runs: the search of the first page finds them."""
        return f"{self.up}index.html#manual"

    def run(self, key: UUID) -> str:
        """A migration run."""
        return self._linked("runs", key)

    def transaction(self, key: UUID) -> str:
        """A transaction."""
        return self._linked("transactions", key)

    def object(self, name: str) -> str:
        """An object's life; empty where it has no page."""
        if self.known_objects is not None and name not in self.known_objects:
            return ""
        self.objects.add(name)
        return f"{self.up}objects/{file_name(name)}"

    def person(self, key: str) -> str:
        """A person."""
        self.people.add(key)
        return f"{self.up}people/{file_name(key)}"

    def asset(self, name: str) -> str:
        """A file of the folder static."""
        return f"{self.up}static/{name}"

    def _linked(self, kind: Literal["runs", "transactions"], key: UUID) -> str:
        if (kind, key) not in self.seen:
            self.seen.add((kind, key))
            self.waiting.append((kind, key))
        return f"{self.up}{kind}/{key}.html"


def file_name(name: str) -> str:
    """A file for any name: readable as far as it can be, and for no other name.

    >>> file_name("public.users")
    'public.users-14447575adab.html'
    """
    readable = "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "-" for each in name)
    return f"{readable[:60].strip('.')}-{hashlib.sha256(name.encode()).hexdigest()[:12]}.html"
